"""Readings from what ingest noted of every frame: the level of biases, made or not, verified or not."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from fiducial.products.metadata import read_inputs
from fiducial.repository.facts import facts_refs
from fiducial.trends.known import Known, MasterHeader, certified_as, state_words
from fiducial.trends.readings import UNITS, Reading

if TYPE_CHECKING:
    from fiducial.repository import Repository


def readings_of_ingest(repository: Repository, known: Known) -> Iterator[Reading]:
    """Bias level of each amplifier, night and state: of the overscan, or of the image without one."""
    masters = _certified_biases(known)
    for ref in facts_refs(repository.butler, known.camera.name):
        table = known.read(repository.butler, ref, storageClass="ArrowTable")
        if table is not None:
            yield from readings_of_facts(known, table, str(ref.run), masters)


def _certified_biases(known: Known) -> dict[int, list[MasterHeader]]:
    found: dict[int, list[MasterHeader]] = {}
    for one in known.masters:
        if one.kind == "bias" and one.validity is not None:
            found.setdefault(one.detector, []).append(one)
    return found


def readings_of_facts(
    known: Known, table: Any, run: str, masters: dict[int, list[MasterHeader]]
) -> Iterator[Reading]:
    """The readings of one table of frame facts; single frames say nothing of their scatter and give none.

    The frames of a night drift together: the error is their scatter, not that of their mean.
    """
    import pyarrow.compute as pc

    biases = table.filter(pc.equal(table["frame_type"], "bias")).to_pylist()
    levels: dict[tuple[int, str, int, str, str], list[float]] = {}
    exposures: dict[tuple[int, int], set[int]] = {}
    for row in biases:
        if not known.wants(row["detector"]):
            continue
        state = state_words(known.camera, json.loads(row["facts"]).get("state", {}))
        exposures.setdefault((row["detector"], row["day_obs"]), set()).add(row["exposure"])
        for one in json.loads(row["content"]):
            method = "image" if one["overscan"] is None else "overscan"
            value = one["level"] if one["overscan"] is None else one["overscan"]
            key = (row["detector"], one["amplifier"], row["day_obs"], state, method)
            levels.setdefault(key, []).append(float(value))
    for (detector, amplifier, night, state, method), values in sorted(levels.items()):
        if len(values) < 2:
            continue
        master = _made_of(exposures[detector, night], state, masters.get(detector, []))
        reading = Reading(
            "bias_level",
            detector,
            amplifier,
            night,
            float(np.median(values)),
            max(float(np.std(values, ddof=1)), math.ulp(1.0)),
            UNITS["bias_level"],
            method,
            len(values),
            run,
            state=state,
        )
        yield certified_as(reading, master.validity if master else None)


def _made_of(exposures: set[int], state: str, masters: list[MasterHeader]) -> MasterHeader | None:
    """The certified bias that was made of some of these frames in this state."""
    for one in masters:
        own = {note.exposure for note in read_inputs(one.header)}
        if own & exposures and one.state == state:
            return one
    return None
