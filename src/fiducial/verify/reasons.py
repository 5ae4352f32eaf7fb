"""The reasons of a verdict, in sentences that name detector, amplifier, exposure, value and limit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fiducial.verify.columns import Columns
from fiducial.verify.standing import Standing, amplifiers_of

MOST_REASONS = 40


def certified_failures(columns: Columns) -> NDArray[np.bool_]:
    """A certified read noise that the frames do not confirm: reported, though it does not count."""
    return np.asarray(
        (columns["test"] == "noise_certified") & (columns["outcome"] == "fail") & (columns["role"] != "first")
    )


def reasons_of(columns: Columns, standing: Standing, products: list[dict[str, Any]]) -> list[str]:
    """Why the verdict is not a pass: amplifiers first, then frames, then what is only reported."""
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
        {amplifier for amplifier, _ in amplifiers_of(columns, certified_failures(columns))}
    ):
        out.append(
            f"detector {detector} amplifier {name}: the certified read noise is not that of the frames "
            f"({_worst(columns, certified_failures(columns), detector, name)}); it condemns no frame"
        )
    peaks = (columns["test"] == "structure_peak") & (columns["outcome"] == "warn") & columns["counts"]
    if peaks.any():
        where = sorted({f"{d} {a}" for (d, a), _ in amplifiers_of(columns, peaks)})
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
    if (problem := standing.problems.get((exposure, detector))) is not None:
        return f"exposure {exposure} detector {detector} could not be measured: {problem}"
    rows = here & (columns["outcome"] == "fail") & columns["counts"]
    names = sorted(
        {name for (_, name), _ in amplifiers_of(columns, rows)}
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
    return in_words(columns, int(chosen[int(np.argmin(margin))]))


def in_words(columns: Columns, row: int) -> str:
    """One row: ``noise +0.21 +- 0.003, limit 0.05``."""
    value, low = float(columns["value"][row]), float(columns["limit_low"][row])
    high = float(columns["limit"][row])
    limit = low if math.isfinite(low) and value < 0.5 * (low + high) else high
    unit = f" {columns['unit'][row]}" if columns["unit"][row] else ""
    return (
        f"{columns['test'][row]} {value:+.4g} ± {float(columns['uncertainty'][row]):.2g}{unit}, "
        f"limit {limit:.4g}"
    )
