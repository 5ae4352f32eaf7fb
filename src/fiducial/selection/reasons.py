"""What each exposure serves for once the frames of a product are chosen, and why."""

from __future__ import annotations

from dataclasses import dataclass

from fiducial.cameras.model import Camera, SelectionDefaults
from fiducial.selection.content import Finding
from fiducial.selection.exposures import Exposure
from fiducial.selection.limits import Limit
from fiducial.selection.model import Choice, Use
from fiducial.selection.state import StateGroup, describe_state, differences
from fiducial.selection.survey import Candidate, Survey


@dataclass(frozen=True, eq=False)
class Chosen:
    """What was chosen, and what each exposure is held against.

    Attributes
    ----------
    best
        What makes the product.
    found
        All frames of the type.
    camera, settings
        As the plan was asked for.
    light, verifying_light
        Median signal of the flats that generate, adu (NaN: not of flats), and the share of it within which
        another flat verifies.
    generate
        Exposures that make the product.
    sampled
        Exposures of other dates that verify.
    detectors
        Detectors that any of those that generate has.
    """

    best: Candidate
    found: Survey
    camera: Camera
    settings: SelectionDefaults
    light: float
    verifying_light: Limit
    generate: frozenset[int]
    sampled: frozenset[int]
    detectors: frozenset[int]


def choice_of(exposure: Exposure, chosen: Chosen) -> Choice:
    """Say what one exposure serves for; the first reason that holds decides."""
    found, best = chosen.found, chosen.best
    if (finding := found.aside.get(exposure.id)) is not None:
        return _numbered(exposure, "set_aside", finding.reason, finding)
    group = found.group_of[exposure.id]
    if group is not best.group:
        return _plain(exposure, "left_out", f"another camera state, ask with {ask_for(group, chosen)}")
    if best.filter is not None and exposure.facts.filter != best.filter:
        return _plain(exposure, "left_out", f"filter {exposure.facts.filter}, not {best.filter}")
    if exposure.id in chosen.generate:
        return _generating(exposure, chosen)
    if exposure.night != best.night:
        return _of_another_date(exposure, chosen)
    if exposure.id in found.first:
        size = len(found.set_of[exposure.id].exposures)
        return _plain(exposure, "first", f"among the first of its set of {size}: shown, does not count")
    return _verifying(exposure, chosen)


def ask_for(group: StateGroup, chosen: Chosen) -> str:
    """Write how to ask for another camera state: by what tells it from the chosen one."""
    apart = differences(chosen.camera, chosen.best.group.facts, group.facts)
    return "--state " + describe_state({key: theirs for key, (_, theirs) in apart.items()})


def _generating(exposure: Exposure, chosen: Chosen) -> Choice:
    one = chosen.found.set_of[exposure.id]
    number, begin = one.ids.index(exposure.id) + 1, one.exposures[0].facts.begin
    reason = f"exposure {number} of {len(one.exposures)} of the set from {begin:%H:%M:%S}"
    if lost := sorted(chosen.detectors - exposure.detectors):
        reason += f", without detector {', '.join(map(str, lost))}"
    return _plain(exposure, "generate", reason)


def _of_another_date(exposure: Exposure, chosen: Chosen) -> Choice:
    reason = f"of another date, {exposure.night}"
    if exposure.id in chosen.sampled:
        return _plain(exposure, "verify", reason)
    if exposure.id in chosen.found.first:
        return _plain(exposure, "left_out", f"{reason}: among the first of its set")
    return _plain(exposure, "left_out", f"{reason}: one in {chosen.settings.other_days_every} verifies")


def _verifying(exposure: Exposure, chosen: Chosen) -> Choice:
    """Say why a frame of the night does not generate."""
    found, best = chosen.found, chosen.best
    light = _light_of(exposure, chosen)
    if (limit := chosen.verifying_light.broken(light)) is not None:
        reason = f"{light:.3g} of the light of those that generate: it says little of them"
        return Choice(exposure.id, None, "left_out", reason, light, limit)
    if (finding := found.unlike.get(exposure.id)) is not None:
        return _numbered(exposure, "verify", f"does not generate: {finding.reason}", finding)
    one = found.set_of[exposure.id]
    if one in best.sets:
        return _plain(exposure, "verify", f"beyond the {chosen.settings.wanted} wanted")
    if one.exposure_time is not None and one.exposure_time != best.sets[0].exposure_time:
        return _plain(exposure, "verify", f"of another set of the night, of {one.exposure_time:g} s")
    return _plain(exposure, "verify", "of another set of the night")


def _light_of(exposure: Exposure, chosen: Chosen) -> float:
    """Light of a flat of the night in that of the flats that generate; 1 of other frames."""
    return exposure.signal() / chosen.light if chosen.light > 0 else 1.0


def _plain(exposure: Exposure, use: Use, reason: str) -> Choice:
    return Choice(exposure.id, None, use, reason)


def _numbered(exposure: Exposure, use: Use, reason: str, finding: Finding) -> Choice:
    return Choice(exposure.id, finding.detector, use, reason, finding.value, finding.limit)
