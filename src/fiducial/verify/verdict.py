"""The verdict: frames set aside, amplifiers that fail, means over frames, and what is said of it all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fiducial.verify.columns import Columns
from fiducial.verify.criteria import Criteria
from fiducial.verify.rows import MEAN_EXPOSURE, UNREADABLE, Row

type Amplifier = tuple[int, str]
"""Detector and amplifier; an empty name is the whole detector."""

type FrameOfDetector = tuple[int, int]
"""Exposure and detector."""

JUDGED = ("pass", "warn", "fail")
MOST_REASONS = 40


@dataclass(frozen=True)
class Standing:
    """What the single frames say, before their means are looked at.

    Parameters
    ----------
    frames
        Counted frames of each amplifier.
    failures
        Counted frames in which each amplifier fails.
    majority
        Amplifiers that fail in more than half of their counted frames.
    set_aside
        Frames in which an amplifier fails that does not fail as a whole, and frames that could not be
        measured.
    """

    frames: Mapping[Amplifier, frozenset[int]]
    failures: Mapping[Amplifier, frozenset[int]]
    majority: frozenset[Amplifier]
    set_aside: frozenset[FrameOfDetector]


def _counted(columns: Columns) -> NDArray[np.bool_]:
    return np.asarray(
        columns["counts"]
        & columns["applicable"]
        & np.isin(columns["outcome"], JUDGED)
        & (columns["test"] != "structure_peak")
    )


def _amplifiers(columns: Columns, rows: NDArray[np.bool_]) -> Iterable[tuple[Amplifier, int]]:
    part = np.flatnonzero(rows)
    detectors = columns["detector"][part].tolist()
    names = columns["amplifier"][part].tolist()
    exposures = columns["exposure"][part].tolist()
    for detector, name, exposure in zip(detectors, names, exposures, strict=True):
        yield (detector, name), exposure


def standing_of(columns: Columns) -> Standing:
    """Which amplifiers fail in most frames, and which frames fail in the others."""
    counted = _counted(columns)
    frames: dict[Amplifier, set[int]] = {}
    failures: dict[Amplifier, set[int]] = {}
    for amplifier, exposure in _amplifiers(columns, counted):
        frames.setdefault(amplifier, set()).add(exposure)
    for amplifier, exposure in _amplifiers(columns, counted & (columns["outcome"] == "fail")):
        failures.setdefault(amplifier, set()).add(exposure)
    majority = {one for one, failing in failures.items() if 2 * len(failing) > len(frames[one])}
    aside = {
        (exposure, amplifier[0])
        for amplifier, failing in failures.items()
        if amplifier not in majority
        for exposure in failing
    }
    unreadable = np.flatnonzero(columns["test"] == UNREADABLE)
    aside |= {(int(columns["exposure"][row]), int(columns["detector"][row])) for row in unreadable}
    return Standing(
        {one: frozenset(found) for one, found in frames.items()},
        {one: frozenset(found) for one, found in failures.items()},
        frozenset(majority),
        frozenset(aside),
    )


def mean_rows(columns: Columns, standing: Standing) -> Columns:
    """One row for each test of each amplifier: the mean over its K counted frames that are not set aside.

    Its error is sqrt(mean(u^2) / K + tau^2 / K), tau^2 the scatter of the frames beyond their errors.
    Structure is averaged in the square, as it is tested.
    """
    counted = np.flatnonzero(_counted(columns))
    aside = standing.set_aside
    kept = np.array(
        [
            (int(columns["exposure"][row]), int(columns["detector"][row])) not in aside
            for row in counted.tolist()
        ],
        dtype=bool,
    )
    part = columns.take(counted[kept]) if counted.size else columns.take(counted)
    rows: list[Row] = []
    if len(part):
        group = part.group("test", "detector", "amplifier", "physical_filter")
        order = np.argsort(group, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
        rows = [_mean(part, members) for members in groups if members.size >= 2]
    return Columns.of(rows)


def _mean(part: Columns, members: NDArray[np.intp]) -> Row:
    first = int(members[0])
    squared = bool(np.isfinite(part["square"][members]).all())
    value, error = _mean_and_error(part["value"][members], part["uncertainty"][members])
    square = square_error = math.nan
    if squared:
        square, square_error = _mean_and_error(part["square"][members], part["square_uncertainty"][members])
        value = math.sqrt(max(0.0, square))
        error = math.sqrt(max(0.0, square) + square_error) - value
    return Row(
        kind=str(part["kind"][first]),
        test=str(part["test"][first]),
        scope="amplifier_mean",
        exposure=MEAN_EXPOSURE,
        detector=int(part["detector"][first]),
        amplifier=str(part["amplifier"][first]),
        physical_filter=str(part["physical_filter"][first]),
        mjd=float(np.mean(part["mjd"][members])),
        role="mean",
        counts=True,
        applicable=True,
        value=value,
        uncertainty=error,
        unit=str(part["unit"][first]),
        n_pixels=int(part["n_pixels"][members].sum()),
        n_frames=int(members.size),
        read_noise=float(np.mean(part["read_noise"][members])),
        electrons_per_unit=float(part["electrons_per_unit"][first]),
        overscan=bool(part["overscan"][first]),
        reference=float(
            np.sum(part["reference"][members]) if squared else np.mean(part["reference"][members])
        ),
        square=square,
        square_uncertainty=square_error,
        note=f"mean of {members.size} frames",
    )


def _mean_and_error(values: NDArray[np.float64], errors: NDArray[np.float64]) -> tuple[float, float]:
    k = values.size
    own = float(np.mean(np.square(errors)))
    tau_square = max(0.0, float(np.var(values, ddof=1)) - own)
    return float(np.mean(values)), math.sqrt((own + tau_square) / k)


def verdict_of(
    columns: Columns, standing: Standing, tests: int, z: float, criteria: Criteria
) -> dict[str, Any]:
    """What goes into the repository: the verdict on every product, every frame, and the reasons.

    Returns
    -------
    dict
        ``kind``, ``verdict`` (pass, warn, fail), ``tests`` (M), ``z_star``, ``products`` (one per detector),
        ``frames`` (one per exposure, with every failure and warning of it as "DETECTOR AMPLIFIER TEST";
        ``reported`` are failures that do not count, ``problems`` why it could not be measured),
        ``reasons`` (sentences), ``undecided`` (rows too imprecise to exclude their limit).
    """
    failed = set(standing.majority)
    means = (columns["scope"] == "amplifier_mean") & (columns["outcome"] == "fail")
    failed_by_mean = {amplifier for amplifier, _ in _amplifiers(columns, means)}
    failed |= failed_by_mean
    detectors = sorted({int(detector) for detector in columns["detector"]})
    products = [_product(columns, standing, detector, failed) for detector in detectors]
    reasons = _reasons(columns, standing, products)
    order = ("fail", "warn", "pass")
    word = min((product["verdict"] for product in products), key=order.index, default="fail")
    if not products:
        reasons = ["nothing was measured"]
    kinds = sorted({str(kind) for kind in columns["kind"]})
    filters = sorted({str(name) for name in columns["physical_filter"]} - {""})
    return {
        "kind": kinds[0] if kinds else "",
        "physical_filter": filters[0] if len(filters) == 1 else "",
        "verdict": word,
        "tests": tests,
        "z_star": z,
        "false_alarm": criteria.false_alarm,
        "products": products,
        "frames": _frames(columns, standing),
        "reasons": reasons,
        "undecided": int(sum("compatible with zero" in str(note) for note in columns["note"])),
    }


def _product(columns: Columns, standing: Standing, detector: int, failed: set[Amplifier]) -> dict[str, Any]:
    here = columns["detector"] == detector
    counted = here & _counted(columns) & (columns["scope"] != "amplifier_mean")
    frames = sorted({int(exposure) for exposure in columns["exposure"][counted]})
    aside = sorted(exposure for exposure, where in standing.set_aside if where == detector)
    names = {str(name) for name in columns["amplifier"][here]} - {""}
    applicable = {str(name) for name in columns["amplifier"][here & columns["applicable"]]}
    failing = sorted(name or "detector" for where, name in failed if where == detector)
    warned = bool(np.any(here & (columns["outcome"] == "warn") & columns["counts"]))
    certified = bool(np.any(_certified_failures(columns) & here))
    nothing = not frames or set(frames) <= set(aside)
    word = "fail" if failing or nothing else "warn" if aside or warned or certified else "pass"
    return {
        "detector": detector,
        "verdict": word,
        "amplifiers_failed": failing,
        "amplifiers_masked": sorted(names - applicable),
        "frames_counted": len(frames),
        "frames_set_aside": aside,
    }


def _certified_failures(columns: Columns) -> NDArray[np.bool_]:
    """A certified read noise that the frames do not confirm: reported, though it does not count."""
    return np.asarray(
        (columns["test"] == "noise_certified") & (columns["outcome"] == "fail") & (columns["role"] != "first")
    )


def _frames(columns: Columns, standing: Standing) -> list[dict[str, Any]]:
    single = columns["exposure"] != MEAN_EXPOSURE
    first = columns["role"] == "first"
    own = single & (columns["counts"] | first)
    failed = columns["outcome"] == "fail"
    failures = _by_exposure(columns, own & failed)
    warnings = _by_exposure(columns, own & (columns["outcome"] == "warn"))
    reported = _by_exposure(columns, single & failed & ~own)
    problems: dict[int, list[str]] = {}
    for row in np.flatnonzero(columns["test"] == UNREADABLE):
        problems.setdefault(int(columns["exposure"][row]), []).append(str(columns["note"][row]))
    exposures, index = np.unique(columns["exposure"][single], return_index=True)
    roles = columns["role"][np.flatnonzero(single)[index]]
    return [
        {
            "exposure": exposure,
            "role": str(role),
            "counts": str(role) != "first",
            "outcome": "fail"
            if exposure in failures or exposure in problems
            else "warn"
            if exposure in warnings
            else "pass",
            "set_aside_on": sorted(where for one, where in standing.set_aside if one == exposure),
            "failures": failures.get(exposure, []),
            "warnings": warnings.get(exposure, []),
            "reported": reported.get(exposure, []),
            "problems": problems.get(exposure, []),
        }
        for exposure, role in zip(exposures.tolist(), roles.tolist(), strict=True)
    ]


def _by_exposure(columns: Columns, rows: NDArray[np.bool_]) -> dict[int, list[str]]:
    """``DETECTOR AMPLIFIER TEST`` of each of these rows, by exposure."""
    out: dict[int, list[str]] = {}
    for row in np.flatnonzero(rows):
        name = columns["amplifier"][row] or "detector"
        text = f"{columns['detector'][row]} {name} {columns['test'][row]}"
        out.setdefault(int(columns["exposure"][row]), []).append(text)
    return out


def _reasons(columns: Columns, standing: Standing, products: list[dict[str, Any]]) -> list[str]:
    out: list[str] = []
    for product in products:
        detector = product["detector"]
        out += [
            _why_amplifier(columns, standing, detector, "" if name == "detector" else name)
            for name in product["amplifiers_failed"]
        ]
        if product["frames_counted"] == 0:
            why = (
                "could be measured"
                if product["frames_set_aside"]
                else "counts (first exposures alone do not)"
            )
            out.append(f"detector {detector}: no frame {why}")
        elif product["verdict"] == "fail" and not product["amplifiers_failed"]:
            out.append(f"detector {detector}: every frame that counts fails somewhere")
    for exposure, detector in sorted(standing.set_aside):
        out.append(_why_frame(columns, standing, exposure, detector))
    for detector, name in sorted(
        {amplifier for amplifier, _ in _amplifiers(columns, _certified_failures(columns))}
    ):
        out.append(
            f"detector {detector} amplifier {name}: the certified read noise is not that of the frames "
            f"({_worst(columns, _certified_failures(columns), detector, name)}); it condemns no frame"
        )
    peaks = (columns["test"] == "structure_peak") & (columns["outcome"] == "warn") & columns["counts"]
    if peaks.any():
        where = sorted({f"{d} {a}" for (d, a), _ in _amplifiers(columns, peaks)})
        out.append(f"single blocks stand out (a warning only) on {_some(where)}")
    others = (columns["outcome"] == "warn") & columns["counts"] & (columns["test"] != "structure_peak")
    if others.any():
        where = sorted({f"{d} {a or 'detector'} {t}" for d, a, t in _places(columns, others)})
        out.append(f"within its error of a limit: {_some(where)}")
    if len(out) > MOST_REASONS:
        out = [*out[:MOST_REASONS], f"and {len(out) - MOST_REASONS} more: see frames and products"]
    return out


def _places(columns: Columns, rows: NDArray[np.bool_]) -> set[tuple[int, str, str]]:
    return {
        (int(columns["detector"][row]), str(columns["amplifier"][row]), str(columns["test"][row]))
        for row in np.flatnonzero(rows)
    }


def _some(names: list[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _why_amplifier(columns: Columns, standing: Standing, detector: int, name: str) -> str:
    what = f"detector {detector}" + (f" amplifier {name}" if name else "")
    failing = standing.failures.get((detector, name), frozenset())
    frames = standing.frames.get((detector, name), frozenset())
    rows = columns["outcome"] == "fail"
    if (detector, name) in standing.majority:
        worst = _worst(columns, rows & columns["counts"], detector, name)
        return f"{what} fails in {len(failing)} of {len(frames)} frames ({worst})"
    mean = rows & (columns["scope"] == "amplifier_mean")
    return f"{what} fails in the mean over frames ({_worst(columns, mean, detector, name)})"


def _why_frame(columns: Columns, standing: Standing, exposure: int, detector: int) -> str:
    here = (columns["exposure"] == exposure) & (columns["detector"] == detector)
    problem = np.flatnonzero(here & (columns["test"] == UNREADABLE))
    if problem.size:
        return f"exposure {exposure} detector {detector} could not be measured: {columns['note'][problem[0]]}"
    rows = here & (columns["outcome"] == "fail") & columns["counts"]
    names = sorted(
        {name for (_, name), _ in _amplifiers(columns, rows)}
        - {name for where, name in standing.majority if where == detector}
    )
    worst = _worst(columns, rows, detector, names[0]) if names else ""
    return (
        f"exposure {exposure} detector {detector} is set aside: "
        f"{_some([name or 'detector' for name in names])} ({worst})"
    )


def _worst(columns: Columns, rows: NDArray[np.bool_], detector: int, name: str) -> str:
    """The failure farthest beyond its limit: ``noise +0.21 +- 0.003, limit 0.05``."""
    chosen = np.flatnonzero(rows & (columns["detector"] == detector) & (columns["amplifier"] == name))
    if chosen.size == 0:
        return ""
    margin = np.nan_to_num(columns["margin"][chosen], nan=-np.inf)
    row = int(chosen[int(np.argmin(margin))])
    value, low = float(columns["value"][row]), float(columns["limit_low"][row])
    limit = low if value < 0 and math.isfinite(low) else float(columns["limit"][row])
    unit = f" {columns['unit'][row]}" if columns["unit"][row] else ""
    return (
        f"{columns['test'][row]} {value:+.4g} ± {float(columns['uncertainty'][row]):.2g}{unit}, "
        f"limit {limit:.4g}"
    )
