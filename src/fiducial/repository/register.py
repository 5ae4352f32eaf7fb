"""A camera in the registry: instrument, detectors, filters, dataset types and collections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsst.daf.butler import CollectionType
from lsst.daf.butler.registry import ConflictingDefinitionError

from fiducial.cameras.model import Camera
from fiducial.errors import CameraError, RepositoryError
from fiducial.repository import names
from fiducial.repository.dataset_types import standard_types

if TYPE_CHECKING:
    from lsst.daf.butler import Registry

LONGEST_NAME = 32
"""Characters that the registry has for the name of a detector or filter."""

_LARGEST_ID = 2**63 - 1


def register_camera(registry: Registry, camera: Camera, *, update: bool = False) -> None:
    """Make the camera known: all of it or, when something is wrong, nothing.

    Registering the same camera again changes nothing; new detectors and filters are added.

    Parameters
    ----------
    registry
        Of a writeable repository.
    camera
        The camera.
    update
        Whether records that differ are overwritten; otherwise they are an error.

    Raises
    ------
    CameraError
        If a name is too long for the registry.
    RepositoryError
        If the repository holds another camera of this name.
    """
    _check_lengths(camera)
    try:
        with registry.transaction():
            _register_records(registry, camera, update)
    except ConflictingDefinitionError as error:
        raise RepositoryError(
            f"the repository holds another camera {camera.name!r}: {error}".splitlines()[0],
            hint="Give the camera another name, or register it again with --update.",
        ) from error
    for dataset_type in standard_types(registry.dimensions):
        registry.registerDatasetType(dataset_type)
    register_collections(registry, camera.name)


def filter_record(camera: Camera, name: str) -> dict[str, str]:
    """The registry's record of a filter; a band that the camera file does not give is unknown."""
    return {"instrument": camera.name, "name": name, "band": camera.filters.get(name) or "unknown"}


def class_name(instrument: str) -> str:
    """The importable name of the middleware's class for a camera; at most 64 characters."""
    return f"fiducial.repository.instruments.{instrument}"


def register_collections(registry: Registry, instrument: str) -> None:
    """Make the collections that every camera has; chains that hold members already keep them."""
    registry.registerCollection(names.raw_frames(instrument), CollectionType.RUN)
    registry.registerCollection(names.raw_facts(instrument), CollectionType.TAGGED)
    registry.registerCollection(names.calib_unbounded(instrument), CollectionType.RUN)
    registry.registerCollection(names.calib_camera(instrument), CollectionType.CALIBRATION)
    _fill_chain(
        registry, names.raw_all(instrument), (names.raw_frames(instrument), names.raw_facts(instrument))
    )
    _fill_chain(registry, names.calib(instrument), (names.calib_camera(instrument),))


def _fill_chain(registry: Registry, chain: str, members: tuple[str, ...]) -> None:
    registry.registerCollection(chain, CollectionType.CHAINED)
    present = tuple(registry.getCollectionChain(chain))
    missing = tuple(member for member in members if member not in present)
    if missing:
        registry.setCollectionChain(chain, (*present, *missing))


def _register_records(registry: Registry, camera: Camera, update: bool) -> None:
    registry.syncDimensionData(
        "instrument",
        {
            "name": camera.name,
            "class_name": class_name(camera.name),
            "detector_max": max(detector.id for detector in camera.detectors) + 1,
            "exposure_max": _LARGEST_ID,
            "visit_max": _LARGEST_ID,
            "visit_system": 0,
        },
        update=update,
    )
    for name in camera.filters:
        registry.syncDimensionData("physical_filter", filter_record(camera, name), update=update)
    for detector in camera.detectors:
        registry.syncDimensionData(
            "detector",
            {
                "instrument": camera.name,
                "id": detector.id,
                "full_name": detector.name,
                "raft": detector.raft or None,
                "name_in_raft": detector.name_in_raft or None,
                "purpose": detector.purpose,
            },
            update=update,
        )


def _check_lengths(camera: Camera) -> None:
    for what, texts in (
        ("detector", [d.name for d in camera.detectors]),
        ("filter", list(camera.filters)),
        ("band", list(camera.filters.values())),
    ):
        for text in texts:
            if len(text) > LONGEST_NAME:
                raise CameraError(
                    f"{camera.name}: {what} {text!r} is longer than {LONGEST_NAME} characters",
                    hint="Shorten it in the camera file; a header's long value can be mapped to a short one.",
                )
