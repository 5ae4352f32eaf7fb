"""The verdict on every product and every frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fiducial.verify.columns import Columns
from fiducial.verify.criteria import Criteria
from fiducial.verify.reasons import certified_failures, reasons_of
from fiducial.verify.rows import MEAN_EXPOSURE
from fiducial.verify.rule import UNDECIDED
from fiducial.verify.standing import Amplifier, Standing, amplifiers_of, counted_rows


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
    failed_by_mean = {amplifier for amplifier, _ in amplifiers_of(columns, means)}
    failed |= failed_by_mean
    detectors = sorted({int(detector) for detector in columns["detector"]})
    products = [_product(columns, standing, detector, failed) for detector in detectors]
    reasons = reasons_of(columns, standing, products)
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
        "undecided": int(sum(UNDECIDED in str(note) for note in columns["note"])),
    }


def _product(columns: Columns, standing: Standing, detector: int, failed: set[Amplifier]) -> dict[str, Any]:
    here = columns["detector"] == detector
    counted = here & counted_rows(columns) & (columns["scope"] != "amplifier_mean")
    frames = sorted({int(exposure) for exposure in columns["exposure"][counted]})
    aside = sorted(exposure for exposure, where in standing.set_aside if where == detector)
    names = {str(name) for name in columns["amplifier"][here]} - {""}
    applicable = {str(name) for name in columns["amplifier"][here & columns["applicable"]]}
    failing = sorted(name or "detector" for where, name in failed if where == detector)
    warned = bool(np.any(here & (columns["outcome"] == "warn") & columns["counts"]))
    certified = bool(np.any(certified_failures(columns) & here))
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


def _frames(columns: Columns, standing: Standing) -> list[dict[str, Any]]:
    single = columns["exposure"] != MEAN_EXPOSURE
    first = columns["role"] == "first"
    own = single & (columns["counts"] | first)
    failed = columns["outcome"] == "fail"
    failures = _by_exposure(columns, own & failed)
    warnings = _by_exposure(columns, own & (columns["outcome"] == "warn"))
    reported = _by_exposure(columns, single & failed & ~own)
    problems: dict[int, list[str]] = {}
    for (exposure, _), text in sorted(standing.problems.items()):
        problems.setdefault(exposure, []).append(text)
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
