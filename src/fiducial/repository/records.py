"""What is known of the raw frames of a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsst.daf.butler import InvalidQueryError

from fiducial.cameras.model import Camera
from fiducial.errors import UsageError
from fiducial.frames.records import FrameRecord
from fiducial.frames.scan import scan_frame
from fiducial.repository import names
from fiducial.repository.dataset_types import raw_type
from fiducial.repository.facts import known_records

if TYPE_CHECKING:
    from lsst.daf.butler import Butler, DatasetRef


def find_records(
    butler: Butler, camera: Camera, *, night: int | None, frame_type: str | None, where: str
) -> list[FrameRecord]:
    """Records of raw frames; see `Repository.records`.

    They come from the tables that ingest wrote; a raw that was taken in by other means is looked at now.
    """
    raws = _raws(butler, camera.name, night, frame_type, where)
    days = {int(ref.dataId["day_obs"]) for ref in raws}
    known = known_records(butler, camera.name, days) if raws else {}
    found: list[FrameRecord] = []
    for ref in raws:
        key = int(ref.dataId["exposure"]), int(ref.dataId["detector"])
        found.append(known[key] if key in known else _look(butler, camera, ref))
    return sorted(found, key=lambda record: (record.exposure, record.detector))


def _raws(
    butler: Butler, instrument: str, night: int | None, frame_type: str | None, where: str
) -> list[DatasetRef]:
    with butler.query() as query:
        expression = query.expression_factory
        conditions = []
        if night is not None:
            conditions.append(expression.day_obs == night)
        if frame_type is not None:
            conditions.append(expression.exposure.observation_type == frame_type)
        datasets = query.datasets(raw_type(butler.dimensions), names.raw_frames(instrument), find_first=False)
        try:
            datasets = datasets.where(*conditions, where, instrument=instrument)
            return list(datasets.with_dimension_records())
        except InvalidQueryError as error:
            raise UsageError(
                f"the condition {where!r} is not understood: {error}".splitlines()[0],
                hint="Write it as for butler query-dimension-records: exposure.observation_type = 'bias'",
            ) from error


def _look(butler: Butler, camera: Camera, ref: DatasetRef) -> FrameRecord:
    uri = butler.getURI(ref)
    with uri.as_local() as local:
        for record in scan_frame(local.ospath, camera):
            if record.detector == ref.dataId["detector"]:
                return record
    raise UsageError(f"{uri} holds no detector {ref.dataId['detector']}")
