"""The dataset types that ingest and calibrations need, and how their ids are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsst.daf.butler import DatasetIdGenEnum, DatasetRef, DatasetType

from fiducial.repository import names

if TYPE_CHECKING:
    from lsst.daf.butler import DataCoordinate, DimensionUniverse

CALIBRATION_IMAGES: dict[str, tuple[str, ...]] = {
    "bias": ("instrument", "detector"),
    "biasBootstrap": ("instrument", "detector"),
    "dark": ("instrument", "detector"),
    "darkBootstrap": ("instrument", "detector"),
    "flat": ("instrument", "detector", "physical_filter"),
    "flatBootstrap": ("instrument", "detector", "physical_filter"),
}


def raw_type(universe: DimensionUniverse) -> DatasetType:
    """The raw frame of one exposure and detector."""
    return DatasetType(names.RAW, ("instrument", "exposure", "detector"), "RawFrame", universe=universe)


def facts_type(universe: DimensionUniverse) -> DatasetType:
    """What is known of the frames of one day: one row an exposure and detector."""
    return DatasetType(names.FACTS, ("instrument", "day_obs"), "ArrowTable", universe=universe)


def camera_type(universe: DimensionUniverse) -> DatasetType:
    """The camera's description."""
    return DatasetType(names.CAMERA, ("instrument",), "FiducialCamera", isCalibration=True, universe=universe)


def calibration_type(kind: str, universe: DimensionUniverse) -> DatasetType:
    """A calibration image: ``bias``, ``dark``, ``flat`` and the like."""
    return DatasetType(
        kind, CALIBRATION_IMAGES[kind], "CalibrationImage", isCalibration=True, universe=universe
    )


def standard_types(universe: DimensionUniverse) -> tuple[DatasetType, ...]:
    """The dataset types that every repository has from the start."""
    images = tuple(calibration_type(kind, universe) for kind in CALIBRATION_IMAGES)
    return (raw_type(universe), facts_type(universe), camera_type(universe), *images)


def reproducible_ref(dataset_type: DatasetType, data_id: DataCoordinate, run: str) -> DatasetRef:
    """A reference whose id follows from dataset type, data id and run: the same in every repository."""
    return DatasetRef(dataset_type, data_id, run, id_generation_mode=DatasetIdGenEnum.DATAID_TYPE_RUN)
