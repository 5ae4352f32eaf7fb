"""The table of frames: every one that was offered, what became of it, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fiducial.reports.headline import detector_name
from fiducial.reports.model import Choice, ReportData
from fiducial.reports.numbers import count, moment, number
from fiducial.reports.rows import Measurements
from fiducial.reports.words import uses_of

MOST_REMARKS = 3  # failures of one exposure that are named


@dataclass(frozen=True)
class Frame:
    """One exposure of the plan."""

    exposure: int
    name: str
    begin: str
    exposure_time: str
    use: str
    use_in_words: str
    reason: str
    value: str
    limit: str
    detector: str
    tests: str
    outcome: str
    remarks: tuple[str, ...]  # which tests failed, or why it could not be measured


@dataclass(frozen=True)
class Share:
    """One part of all that was offered."""

    use: str
    words: str
    number: int
    fraction: float


@dataclass(frozen=True)
class Inputs:
    """Everything that was offered, and the sum that shows that nothing was lost."""

    frames: tuple[Frame, ...]
    refused: tuple[tuple[str, str, str, str], ...]  # file, where, reason, hint
    shares: tuple[Share, ...]
    offered: int
    sum_in_words: str
    missing: int  # offered, but neither used nor set aside nor refused


def inputs_of(data: ReportData, results: Measurements) -> Inputs:
    """Account for every frame that was offered."""
    tests = _tests_by_exposure(results)
    in_order = sorted(data.choices, key=lambda choice: choice.use != "set_aside")
    remarks = _remarks(data.verdict)
    frames = tuple(_frame(choice, data, tests, remarks) for choice in in_order)
    uses = [choice.use for choice in data.choices]
    numbers = [(use, words, uses.count(use)) for use, words in uses_of(data.kind).items()]
    others = len(uses) - sum(n for _, _, n in numbers)
    numbers += [("other", "of another use", others), ("refused", "refused", len(data.refused))]
    listed = len(uses) + len(data.refused)
    offered = listed if data.offered is None else data.offered
    shares = tuple(Share(u, w, n, n / max(listed, 1)) for u, w, n in numbers if n)
    return Inputs(
        frames=frames,
        refused=tuple(_refusal(data)),
        shares=shares,
        offered=offered,
        sum_in_words=_sum_in_words(numbers, offered, listed),
        missing=offered - listed,
    )


def _sum_in_words(numbers: list[tuple[str, str, int]], offered: int, listed: int) -> str:
    found = {use: n for use, _, n in numbers}
    used = sum(found[use] for use in ("generate", "verify", "first", "other"))
    aside = found["left_out"] + found["set_aside"]
    equal = "=" if offered == listed else "≠"
    return (
        f"{count(used)} used + {count(aside)} left out or set aside + {count(found['refused'])} refused "
        f"{equal} {count(offered)} offered"
    )


def _frame(
    choice: Choice,
    data: ReportData,
    tests: Mapping[int, tuple[str, str]],
    remarks: Mapping[int, tuple[str, ...]],
) -> Frame:
    facts = data.frames.get(choice.exposure)
    said, outcome = tests.get(choice.exposure, ("", ""))
    return Frame(
        exposure=choice.exposure,
        name=facts.obs_id if facts else "",
        begin=moment(facts.begin) if facts else "",
        exposure_time=number(facts.exposure_time, 4) if facts else "",
        use=choice.use,
        use_in_words=uses_of(data.kind).get(choice.use, choice.use),
        reason=choice.reason,
        value="" if choice.value is None else number(choice.value),
        limit="" if choice.limit is None else number(choice.limit),
        detector="" if choice.detector is None else detector_name(data, choice.detector),
        tests=said,
        outcome=outcome,
        remarks=remarks.get(choice.exposure, ()),
    )


def _tests_by_exposure(results: Measurements) -> dict[int, tuple[str, str]]:
    """Exposure -> how its tests went, in words, and the outcome that stands for them."""
    decided = np.isin(results["outcome"], ("pass", "warn", "fail", "shown"))
    rows = results.where(decided & (results["exposure"] >= 0))
    exposures, which = np.unique(rows["exposure"], return_inverse=True)
    judged = rows["counts"] & (rows["outcome"] != "shown")
    of_each = [
        np.bincount(which, weights=chosen, minlength=len(exposures)).astype(int).tolist()
        for chosen in (judged, judged & (rows["outcome"] == "fail"), judged & (rows["outcome"] == "warn"))
    ]
    return {
        exposure: _tests_in_words(*numbers)
        for exposure, *numbers in zip(exposures.tolist(), *of_each, strict=True)
    }


def _tests_in_words(judged: int, failed: int, warned: int) -> tuple[str, str]:
    if not judged:
        return "shown, do not count", "shown"
    if failed:
        return f"{failed} of {judged} fail", "fail"
    if warned:
        return f"{warned} of {judged} warn", "warn"
    return f"all {judged} pass", "pass"


def _remarks(verdict: Mapping[str, Any] | None) -> dict[int, tuple[str, ...]]:
    """Exposure -> what the verdict says of it: failures (the first few), and why it was not measured."""
    said = {}
    for frame in (verdict or {}).get("frames") or ():
        if not isinstance(frame, Mapping) or "exposure" not in frame:
            continue
        failures = [str(failure) for failure in frame.get("failures") or () if frame.get("counts", True)]
        more = [f"and {len(failures) - MOST_REMARKS} more"] if len(failures) > MOST_REMARKS else []
        problems = [str(problem) for problem in frame.get("problems") or ()]
        said[int(frame["exposure"])] = (*problems, *failures[:MOST_REMARKS], *more)
    return said


def _refusal(data: ReportData) -> list[tuple[str, str, str, str]]:
    lines = []
    for refusal in data.refused:
        where = [f"HDU {refusal.hdu}"] if refusal.hdu not in (None, "") else []
        where += [str(refusal.keyword)] if refusal.keyword else []
        lines.append((refusal.file, ", ".join(where), refusal.reason, refusal.hint))
    return lines
