"""What the registry is told of exposures: a record each, with every fact the headers gave."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from astropy.time import Time
from lsst.daf.butler import Timespan

from fiducial.cameras.facts import FrameFacts
from fiducial.cameras.model import Camera
from fiducial.errors import FrameError, HeaderError, LayoutMismatch
from fiducial.frames.records import FrameRecord
from fiducial.repository.register import LONGEST_NAME, filter_record

if TYPE_CHECKING:
    from lsst.daf.butler import Butler, DimensionRecord

_LENGTHS = {"obs_id": 64, "group": 64, "target_name": 64, "science_program": 64, "observation_reason": 68}
_AT_A_TIME = 500  # names in one query: a list in SQL has an end
_TIME_TOLERANCE = 0.01  # s, or one per cent: detectors of one exposure quote their own times


def check_facts(records: Sequence[FrameRecord], file: str) -> None:
    """Refuse what the registry could not hold.

    Raises
    ------
    LayoutMismatch
        If the file holds no detector of the camera.
    HeaderError
        If the filter's name is too long.
    """
    if not records:
        raise LayoutMismatch(
            f"{file} holds no detector of the camera",
            hint="Does the camera file name the HDUs of its detectors?",
            file=file,
        )
    facts = records[0].facts
    if len(facts.filter) > LONGEST_NAME:
        raise HeaderError(
            f"{file}: the filter's name {facts.filter!r} is longer than {LONGEST_NAME} characters",
            hint="Map it to a shorter name in the camera file (headers: filter: map).",
            file=file,
            keyword="filter",
        )


def disagreement(facts: FrameFacts, other: FrameFacts) -> str | None:
    """The first fact on which two files of one exposure disagree so that they cannot be one, or None.

    Times may differ a little between detectors; everything that selects frames must agree.
    """
    for name in ("day_obs", "frame_type", "filter", "group"):
        if getattr(facts, name) != getattr(other, name):
            return name
    tolerance = max(_TIME_TOLERANCE, 0.01 * max(facts.exposure_time, other.exposure_time))
    return "exposure_time" if abs(facts.exposure_time - other.exposure_time) > tolerance else None


def conflict(facts: FrameFacts, other: FrameFacts, file: str, other_file: str) -> FrameError | None:
    """What is wrong with a file whose exposure is known from another file, or None."""
    if (name := disagreement(facts, other)) is None:
        return None
    return HeaderError(
        f"{file}: exposure {facts.exposure} has {name} {getattr(facts, name)!r} here, but "
        f"{getattr(other, name)!r} in {other_file}",
        hint="Two exposures with one id, or a wrong header: see the camera's rule for exposure_id.",
        file=file,
        keyword=name,
    )


def insert_exposures(butler: Butler, camera: Camera, exposures: Iterable[FrameFacts]) -> None:
    """Insert what the registry does not know yet of exposures, their days, groups and filters."""
    facts = sorted(exposures, key=lambda one: one.exposure)
    records = butler.dimensions
    registry = butler.registry
    day, group = records["day_obs"].RecordClass, records["group"].RecordClass
    days = sorted({one.day_obs for one in facts})
    registry.insertDimensionData(
        "day_obs",
        *[day(instrument=camera.name, id=d, timespan=day_timespan(camera, d)) for d in days],
        skip_existing=True,
    )
    groups = sorted({_short(one.group, "group") for one in facts})
    registry.insertDimensionData(
        "group", *[group(instrument=camera.name, name=name) for name in groups], skip_existing=True
    )
    for name in sorted({one.filter for one in facts}):
        registry.syncDimensionData("physical_filter", filter_record(camera, name))
    taken = _taken_obs_ids(butler, camera.name, facts)
    registry.insertDimensionData(
        "exposure", *[_record(butler, camera, one, taken) for one in facts], skip_existing=True
    )


def day_timespan(camera: Camera, day_obs: int) -> Timespan | None:
    """The 24 hours of an observing day, or None where the number is no date."""
    try:
        midnight = datetime.strptime(str(day_obs), "%Y%m%d")
    except ValueError:
        return None
    begin = midnight + timedelta(hours=camera.headers.day_offset)
    return Timespan(
        Time(begin, format="datetime", scale="utc").tai,
        Time(begin + timedelta(days=1), format="datetime", scale="utc").tai,
    )


def exposure_timespan(facts: FrameFacts) -> Timespan:
    """From begin to end, TAI; an instant where both are equal."""
    begin = Time(facts.begin, format="datetime", scale="tai")
    return Timespan(begin, Time(max(facts.begin, facts.end), format="datetime", scale="tai"))


def _record(butler: Butler, camera: Camera, facts: FrameFacts, taken: dict[str, int]) -> DimensionRecord:
    obs_id = _short(facts.obs_id, "obs_id")
    if taken.setdefault(obs_id, facts.exposure) != facts.exposure:
        # Names made from file names repeat from night to night; the id tells them apart.
        obs_id = _short(f"{obs_id}_{facts.exposure}", "obs_id")
    return butler.dimensions["exposure"].RecordClass(
        instrument=camera.name,
        id=facts.exposure,
        obs_id=obs_id,
        physical_filter=facts.filter,
        group=_short(facts.group, "group"),
        day_obs=facts.day_obs,
        exposure_time=facts.exposure_time,
        dark_time=facts.dark_time,
        observation_type=facts.frame_type,
        observation_reason=_short(facts.reason or "unknown", "observation_reason"),
        seq_num=facts.seq_num,
        seq_start=facts.seq_num,
        seq_end=facts.seq_num,
        target_name=_short(facts.target or "unknown", "target_name"),
        science_program=_short(facts.program or "unknown", "science_program"),
        tracking_ra=facts.ra,
        tracking_dec=facts.dec,
        zenith_angle=facts.zenith_angle,
        has_simulated=camera.name == "SimCam",
        can_see_sky=None if facts.frame_type == "unknown" else facts.frame_type == "science",
        timespan=exposure_timespan(facts),
    )


def _taken_obs_ids(butler: Butler, instrument: str, facts: list[FrameFacts]) -> dict[str, int]:
    wanted = sorted({_short(one.obs_id, "obs_id") for one in facts})
    taken: dict[str, int] = {}
    for start in range(0, len(wanted), _AT_A_TIME):
        with butler.query() as query:
            obs_id = query.expression_factory.exposure.obs_id
            where = obs_id.in_iterable(wanted[start : start + _AT_A_TIME])
            found = query.dimension_records("exposure").where(where, instrument=instrument)
            taken |= {record.obs_id: record.id for record in found}
    return taken


def _short(text: str, field: str) -> str:
    """The text, or where the registry has no room for it its begin and a hash of it."""
    length = _LENGTHS[field]
    if len(text) <= length:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{text[: length - 9]}~{digest}"
