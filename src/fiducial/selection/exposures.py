"""Exposures: the records of one frame over all of its detectors, taken together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import nan
from statistics import median

from fiducial.cameras.facts import FrameFacts, StateValue
from fiducial.frames.records import FrameRecord


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """One exposure: what its headers say, and a record for each detector, in order of their ids.

    ``facts`` are those of the first detector; where detectors differ in the camera's state (a temperature
    that each one has of its own), each key has the value that most of them have.
    """

    facts: FrameFacts
    records: tuple[FrameRecord, ...]

    @property
    def id(self) -> int:
        """The exposure's id."""
        return self.facts.exposure

    @property
    def night(self) -> int:
        """The observing day, YYYYMMDD."""
        return self.facts.day_obs

    @property
    def order(self) -> tuple[datetime, int, int]:
        """By what exposures are put in the order in which they were taken."""
        return self.facts.begin, self.facts.seq_num, self.facts.exposure

    @property
    def detectors(self) -> frozenset[int]:
        """The detectors that there is a record of."""
        return frozenset(record.detector for record in self.records)

    def signal(self) -> float:
        """Median over its detectors of their levels (`FrameRecord.signal`); NaN where none is known."""
        levels = [record.signal() for record in self.records if record.content]
        return median(levels) if levels else nan


def gather(records: Iterable[FrameRecord]) -> list[Exposure]:
    """Take the records of each exposure together, in the order in which they were taken.

    Of two records of one exposure and detector the first counts.
    """
    parts: dict[int, dict[int, FrameRecord]] = {}
    for record in records:
        parts.setdefault(record.facts.exposure, {}).setdefault(record.detector, record)
    exposures = []
    for by_detector in parts.values():
        ordered = tuple(by_detector[detector] for detector in sorted(by_detector))
        exposures.append(Exposure(_agreed(ordered), ordered))
    return sorted(exposures, key=lambda exposure: exposure.order)


def _agreed(records: tuple[FrameRecord, ...]) -> FrameFacts:
    """Return the first detector's facts, with the state that most detectors have."""
    facts = records[0].facts
    if all(record.facts.state == facts.state for record in records[1:]):
        return facts
    told: dict[str, list[StateValue]] = {}
    for record in records:
        for key, value in record.facts.state.items():
            values = told.setdefault(key, [])
            if value is not None:
                values.append(value)
    # Of values that are equally common the first one found, that of the lower detector, is kept.
    state = {key: Counter(values).most_common(1)[0][0] if values else None for key, values in told.items()}
    return facts.model_copy(update={"state": state})
