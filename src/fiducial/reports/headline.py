"""The head of a section: the verdict, how near it was, and what this production is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fiducial.reports.model import ReportData
from fiducial.reports.numbers import NOTHING, measured, moment, number, plural
from fiducial.reports.rows import Measurements
from fiducial.reports.words import VERDICTS, kind_name, test_name, worst_of

WORST = 10
WORST_OF_PRODUCTS = 6  # all of them stand with their detector


@dataclass(frozen=True)
class JudgedTest:
    """One test that entered the verdict, as the table of the worst shows it."""

    test: str
    where: str
    exposure: str
    value: str
    limit: str
    share: float  # of the room between the limits that is used; above 1 beyond them
    margin: str
    failing: str  # how many of this test's exposures fail
    outcome: str
    note: str


@dataclass(frozen=True)
class ProductVerdict:
    """The verdict on one detector's master."""

    detector: str
    outcome: str
    failing: str
    frames: str


@dataclass(frozen=True)
class Headline:
    """What a reader must know first."""

    outcome: str
    word: str
    sentence: str
    findings: tuple[str, ...]  # what a product that is no image says
    reasons: tuple[str, ...]
    worst: tuple[JudgedTest, ...]
    nearest: JudgedTest | None  # the first of these that can fail
    tests: int
    z_star: str
    products: tuple[ProductVerdict, ...]
    facts: tuple[tuple[str, str], ...]


def headline_of(
    data: ReportData,
    results: Measurements,
    findings: Sequence[str] = (),
    tests: Sequence[JudgedTest] | None = None,
) -> Headline:
    """Put the head of a section together.

    Parameters
    ----------
    data, results
        Of the section.
    findings
        What its products say, in sentences.
    tests
        Of products that are no images: those with a limit, the worst first.
    """
    judged = results.judged()
    verdict = data.verdict or {}
    outcome = str(verdict.get("verdict") or worst_of(set(judged["outcome"].tolist())))
    worst = _worst(judged, data) if tests is None else tuple(tests)
    worst = worst[: WORST_OF_PRODUCTS if data.products else WORST]
    nearest = next((test for test in worst if test.test != test_name("structure_peak")), None)
    number_of = int(verdict.get("tests") or len(judged))
    return Headline(
        outcome=outcome,
        word=VERDICTS.get(outcome, VERDICTS["none"])[1],
        sentence=_sentence(data, outcome, judged, nearest, number_of),
        findings=tuple(findings),
        reasons=tuple(str(reason) for reason in _listed(verdict.get("reasons"))),
        worst=worst,
        nearest=nearest,
        tests=number_of,
        z_star=number(_z_star(verdict, judged) or None, 3),
        products=_products(data, verdict),
        facts=_facts(data),
    )


def _listed(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _z_star(verdict: Mapping[str, Any], judged: Measurements) -> float | None:
    stated = verdict.get("z_star")
    if isinstance(stated, int | float):
        return float(stated)
    known = judged["z_star"][np.isfinite(judged["z_star"])]
    return float(known[0]) if known.size else None


def detector_name(data: ReportData, detector: int) -> str:
    """Id and name of a detector, once where they are the same."""
    try:
        name = data.camera.detector(detector).name
    except KeyError:
        return str(detector)
    return name if name == str(detector) else f"{detector} ({name})"


def _worst(judged: Measurements, data: ReportData) -> tuple[JudgedTest, ...]:
    """The worst exposure of each test and amplifier, the worst of these first.

    The strongest single block can only warn, so it stands here only where it does.
    """
    everything = judged
    judged = judged.where((judged["test"] != "structure_peak") | (judged["outcome"] != "pass"))
    margin = np.where(np.isfinite(judged["margin"]), judged["margin"], np.inf)
    rank = np.array([{"fail": 0, "warn": 1}.get(o, 2) for o in judged["outcome"]], dtype=int)
    chosen: dict[tuple[object, ...], int] = {}
    for index in np.lexsort((margin, rank)).tolist():
        key = tuple(judged[name][index] for name in ("test", "detector", "amplifier"))
        chosen.setdefault(key, index)
        if len(chosen) == WORST:
            break
    lines = []
    for (test, detector, amplifier), index in chosen.items():
        alike = everything.where(test=test, detector=detector, amplifier=amplifier)["outcome"]
        failing = f"{int(np.sum(alike == 'fail'))} of {len(alike)}"
        lines.append(judged_test(next(judged.take(np.array([index])).rows()), failing, data))
    return tuple(lines)


def judged_test(row: Mapping[str, Any], failing: str, data: ReportData) -> JudgedTest:
    """A measurement row in words."""
    place = detector_name(data, row["detector"])
    return JudgedTest(
        test=test_name(row["test"]),
        where=f"{place} / {row['amplifier']}" if row["amplifier"] else place,
        exposure=_exposure(row["exposure"], data),
        value=measured(row["value"], row["uncertainty"], row["unit"]),
        limit=limits_in_words(row["limit"], row["limit_low"], row["sided"]),
        share=share_of_limit(row["value"], row["limit"], row["limit_low"], row["sided"]),
        margin=number(row["margin"], 3),
        failing=failing,
        outcome=row["outcome"],
        note=row["note"],
    )


def _exposure(exposure: int, data: ReportData) -> str:
    if exposure >= 0:
        return str(exposure)
    return "" if data.products else "mean of all"


def limits_in_words(limit: float, low: float, sided: str) -> str:
    """The limits of a test: ``± 0.05``, ``≤ 3``, or ``−0.1 to 0.05``."""
    if not np.isfinite(limit):
        return NOTHING
    if sided == "upper":
        return f"≤ {number(limit, 3)}"
    if not np.isfinite(low) or np.isclose(low, -limit):
        return f"± {number(limit, 3)}"
    return f"{number(low, 3)} to {number(limit, 3)}"


def share_of_limit(value: float, limit: float, low: float, sided: str) -> float:
    """How much of the way to its limit a value went: 0 none, 1 all of it."""
    if not (np.isfinite(value) and np.isfinite(limit)):
        return float("nan")
    if sided == "upper":
        value = max(value, 0.0)
    elif value < 0:
        limit, value = (abs(low) if np.isfinite(low) else limit), abs(value)
    return float(value / limit) if limit > 0 else float("nan")


def _sentence(
    data: ReportData, outcome: str, judged: Measurements, nearest: JudgedTest | None, tests: int
) -> str:
    name = kind_name(data.label)
    if outcome == "none" and data.products:
        return "It was not verified: there is no verdict."
    if outcome == "none":
        return f"Nothing was measured of this {name}: there is no verdict."
    outcomes = judged["outcome"]
    failed, warned = int(np.sum(outcomes == "fail")), int(np.sum(outcomes == "warn"))
    many = data.kind == "defects"
    parts = {
        "pass": f"The {name} pass all that they have to."
        if many
        else f"The {name} passes all that it has to.",
        "warn": f"The {name} {'pass' if many else 'passes'}, with warnings.",
        "fail": f"The {name} {'do' if many else 'does'} not pass.",
    }
    parts_said = [parts.get(outcome, "")]
    if tests and len(judged):
        parts_said.append(f"{plural(tests, 'test')} entered the verdict: {failed} failed, {warned} warned.")
    if nearest:
        beyond = nearest.share > 1 and nearest.outcome != "pass"
        place = "Farthest beyond its limit" if beyond else "Nearest to its limit"
        parts_said.append(
            f"{place}: {nearest.test} on {nearest.where}"
            f"{f', exposure {nearest.exposure}' if nearest.exposure else ''}: "
            f"{nearest.value} against {nearest.limit}."
        )
    return " ".join(part for part in parts_said if part)


def _products(data: ReportData, verdict: Mapping[str, Any]) -> tuple[ProductVerdict, ...]:
    """The verdicts of all masters, those that do not pass first."""
    products = [_product(data, entry) for entry in _listed(verdict.get("products"))]
    return tuple(sorted(products, key=lambda product: {"fail": 0, "warn": 1}.get(product.outcome, 2)))


def _product(data: ReportData, entry: object) -> ProductVerdict:
    fields: Mapping[str, Any] = entry if isinstance(entry, Mapping) else {}
    aside = _listed(fields.get("frames_set_aside"))
    return ProductVerdict(
        detector=detector_name(data, int(fields.get("detector", -1))),
        outcome=str(fields.get("verdict", "none")),
        failing=", ".join(str(name) for name in _listed(fields.get("amplifiers_failed"))) or "none",
        frames=", ".join(str(frame) for frame in aside) or "none",
    )


def _facts(data: ReportData) -> tuple[tuple[str, str], ...]:
    facts = [("camera", f"{data.camera.name}: {data.camera.description}".rstrip(": "))]
    if data.physical_filter:
        facts.append(("filter", data.physical_filter))
    if data.night is not None:
        facts.append(("night", str(data.night)))
    for term, value in (("ticket", data.ticket), ("tag", data.tag), ("re-run", data.rerun)):
        if value:
            facts.append((term, value))
    if data.run:
        facts.append(("collection", data.run))
    used = sum(choice.use == "generate" for choice in data.choices)
    what = plural(len(data.products), "detector") if data.products else plural(len(data.masters), "master")
    from_frames = f" from {plural(used, 'exposure')}" if used and data.kind != "defects" else ""
    facts.append(("made", what + from_frames))
    facts.append(("certified", _certified(data)))
    if data.created:
        facts.append(("report made", moment(data.created)))
    return tuple(facts)


def _certified(data: ReportData) -> str:
    if (span := data.certified) is None:
        return "not certified"
    begin = moment(span.begin) if span.begin else "the beginning of time"
    end = moment(span.end) if span.end else "further notice"
    said = f"from {begin} until {end}"
    if span.collection:
        said += f", in {span.collection}"
    if span.override:
        said += f"; although it did not pass, because: {span.override}"
    return said
