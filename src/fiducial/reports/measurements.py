"""The measurements of a section: against time, as histograms, and amplifier by amplifier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fiducial.figures.histogram import draw_histogram
from fiducial.figures.timeline import Track, draw_timeline
from fiducial.reports.headline import detector_name
from fiducial.reports.model import ReportData
from fiducial.reports.numbers import measured, number, plural
from fiducial.reports.pictures import Album, Picture
from fiducial.reports.rows import Measurements
from fiducial.reports.words import test_name, upper_first, worst_of

ALWAYS = ("level", "noise", "amplifier_ratio", "detector_ratio")
IF_NOT_PASSED = (
    "noise_certified",
    "noise_clean",
    "outliers",
    "structure_blocks",
    "structure_rows",
    "structure_columns",
)
PERCENTILES = ("P5", "P16", "P50", "P84", "P95")


@dataclass(frozen=True)
class AmplifierLine:
    """One amplifier in the table."""

    name: str
    level: str
    noise: str
    read_noise: str  # of the frames, electron
    nominal: str  # read noise that was certified, or that the camera's file says, electron
    gain: str
    percentiles: tuple[str, ...]
    bad: str
    tests: str
    margin: str
    outcome: str


def timelines(data: ReportData, detector: int, results: Measurements, album: Album) -> tuple[Picture, ...]:
    """Figures against time: mean and noise always, other tests where one of them did not pass."""
    here = results.where(results["applicable"] & (results["exposure"] >= 0), detector=detector)
    pictures = []
    for test in (*ALWAYS, *IF_NOT_PASSED):
        of_test = here.where(test=test)
        of_test = of_test.where(np.isfinite(of_test["value"]) & np.isfinite(of_test["mjd"]))
        stands_out = np.isin(of_test["outcome"], ("fail", "warn")) & (of_test["role"] != "first")
        if len(of_test) and (test in ALWAYS or stands_out.any()):
            pictures.append(_timeline(data, detector, test, of_test, album))
    return tuple(pictures)


def _timeline(data: ReportData, detector: int, test: str, rows: Measurements, album: Album) -> Picture:
    names = [amplifier.name for amplifier in data.camera.amplifiers(detector)]
    tracks = [_track(name or "whole detector", rows.where(amplifier=name)) for name in [*names, ""]]
    tracks = [track for track in tracks if len(track.value)]
    unit = str(rows["unit"][0])
    what = f"{test_name(test)}, {data.label}, detector {detector_name(data, detector)}"
    failed = int(np.sum(rows["outcome"] == "fail"))
    seen = ", ".join(f"{track.name} {number(float(np.median(track.value)), 3)}" for track in tracks)
    return album.picture(
        draw_timeline(tracks, quantity=test_name(test), unit=unit),
        title=upper_first(f"{what}, against time"),
        description=f"{plural(len(rows), 'measurement')}, {failed} of them fail. "
        f"Medians over time: {seen} {unit}.",
        caption=f"{upper_first(test_name(test))} of each exposure and amplifier with its uncertainty "
        "(bars, 1σ) and limits (dashed).",
    )


def _track(name: str, rows: Measurements) -> Track:
    low = rows["limit_low"].copy()
    mirrored = ~np.isfinite(low) & (rows["sided"] == "two")
    low[mirrored] = -rows["limit"][mirrored]
    return Track(
        name=name,
        mjd=rows["mjd"],
        value=rows["value"],
        uncertainty=rows["uncertainty"],
        limit=rows["limit"],
        limit_low=low,
        role=rows["role"],
        outcome=np.where(rows["role"] == "first", "shown", rows["outcome"]),
    )


def histogram(data: ReportData, detector: int, album: Album) -> Picture | None:
    """Histograms of z: frames that count, first exposures, and the unit Gaussian."""
    residuals = data.residuals[detector]
    if residuals.edges is None or residuals.counts is None or not residuals.counts.size:
        return None
    edges = residuals.edges
    roles = np.array(residuals.roles)
    by_name = {}
    for name, chosen in (
        ("exposures in the master", roles == "input"),
        ("other exposures", (roles != "input") & (roles != "first")),
        ("first exposures", roles == "first"),
    ):
        if chosen.any():
            counts = residuals.counts[chosen].reshape(-1, len(edges) - 1).sum(axis=0)
            by_name[f"{name} ({int(chosen.sum())})"] = counts
    if not by_name:
        return None
    return album.picture(
        draw_histogram(edges, by_name),
        title=f"Residuals in units of their noise, {data.label}, detector {detector_name(data, detector)}",
        description="; ".join(f"{name}: {_width(edges, counts)}" for name, counts in by_name.items()) + ".",
        caption="Residuals over their expected noise, on a logarithmic scale; the line is the unit "
        "Gaussian. The outermost bins hold all that is beyond them.",
    )


def _width(edges: NDArray[Any], counts: NDArray[Any]) -> str:
    total = float(counts.sum())
    if total <= 0:
        return "no pixel"
    middles = 0.5 * (edges[1:] + edges[:-1])
    mean = float((counts * middles).sum() / total)
    rms = float(np.sqrt((counts * (middles - mean) ** 2).sum() / total))
    beyond = float(counts[np.abs(middles) > 5].sum()) / total
    return f"mean {number(mean, 2)}, rms {number(rms, 3)}, beyond 5σ {number(100 * beyond, 2)} %"


def amplifier_lines(data: ReportData, detector: int, results: Measurements) -> tuple[AmplifierLine, ...]:
    """The table of the amplifiers of one detector."""
    here = results.where(detector=detector)
    failed = _failed_amplifiers(data.verdict, detector)
    master = data.masters.get(detector)
    cards = master.metadata if master else {}
    lines = []
    for amplifier in data.camera.amplifiers(detector):
        name = amplifier.name
        rows = here.where(amplifier=name)
        judged = rows.judged()
        gain = cards.get(f"FID AMP {name} GAIN", amplifier.gain)
        read_noise = cards.get(f"FID AMP {name} READ NOISE", amplifier.read_noise)
        outcome = worst_of(set(judged["outcome"].tolist()) - {"fail"})
        n_failed = int(np.sum(judged["outcome"] == "fail"))
        lines.append(
            AmplifierLine(
                name=name,
                level=_mean_of(rows, "level"),
                noise=_mean_of(rows, "noise"),
                read_noise=_read_noise(rows),
                nominal=number(read_noise),
                gain=number(gain),
                percentiles=tuple(number(cards.get(f"FID AMP {name} {p}")) for p in PERCENTILES),
                bad=number(cards.get(f"FID AMP {name} NBAD")),
                tests=f"{n_failed} of {len(judged)}" if len(judged) else "none",
                margin=_least_margin(judged),
                outcome="fail" if name in failed else outcome,
            )
        )
    return tuple(lines)


def _mean_of(rows: Measurements, test: str) -> str:
    """Mean over the counted frames, with the error of that mean; in the rows' unit, which is not said."""
    chosen = rows.where(rows["counts"] & np.isfinite(rows["value"]), test=test, scope="amplifier")
    if not len(chosen):
        return number(None)
    error = float(np.sqrt(np.sum(chosen["uncertainty"] ** 2)) / len(chosen))
    return measured(float(np.mean(chosen["value"])), error)


def _read_noise(rows: Measurements) -> str:
    """Of the frames that count, in electrons: the median of what their overscan (or pairs) gave."""
    chosen = rows.where(rows["counts"] & np.isfinite(rows["read_noise"]), test="noise", scope="amplifier")
    if not len(chosen):
        return number(None)
    factor = np.nan_to_num(chosen["electrons_per_unit"], nan=1.0)
    return number(float(np.median(chosen["read_noise"] * factor)))


def _least_margin(judged: Measurements) -> str:
    margins = judged["margin"][np.isfinite(judged["margin"])]
    return number(float(margins.min()), 3) if margins.size else number(None)


def _failed_amplifiers(verdict: Mapping[str, Any] | None, detector: int) -> frozenset[str]:
    products = (verdict or {}).get("products")
    for entry in products if isinstance(products, list | tuple) else ():
        if isinstance(entry, Mapping) and entry.get("detector") == detector:
            return frozenset(str(name) for name in entry.get("amplifiers_failed", ()))
    return frozenset()
