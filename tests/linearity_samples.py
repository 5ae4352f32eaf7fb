"""Linearizers and defects made up for tests of what uses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fiducial.algorithms.linearity_models import LinearityModel, Proportional
from fiducial.algorithms.linearity_packing import pack_model
from fiducial.corrections.defects import DefectMaster
from fiducial.corrections.masters import Master
from fiducial.products.defects import DefectSet
from fiducial.products.linearizer import AmplifierLinearity, Linearizer


def linearity_master(
    models: Mapping[str, LinearityModel | None], *, camera: str = "TinyCam", detector: int = 0, **keys: Any
) -> Master:
    """A linearizer of these curves (None: not determined), in adu."""
    metadata = {"INSTRUME": camera, "DETECTOR": detector} | keys
    amplifiers = tuple(_amplifier(name, model) for name, model in models.items())
    product: Any = Linearizer(detector, "adu", "exposure_time", np.zeros(0, np.int64), amplifiers, metadata)
    return Master("linearizer", product, "0008")


def defect_master(
    mask: NDArray[np.bool_], *, camera: str = "TinyCam", detector: int = 0, **keys: Any
) -> Master:
    """Defects where a mask says."""
    (ny, nx) = mask.shape
    found = DefectSet.from_masks(
        {"hot": mask}, instrument=camera, detector=detector, shape=(ny, nx), metadata=keys
    )
    return DefectMaster("defects", found, "0009")


def _amplifier(name: str, model: LinearityModel | None) -> AmplifierLinearity:
    none = np.zeros(0)
    known = model or Proportional()
    kind, parameters = pack_model(known)
    return AmplifierLinearity(
        name,
        model is not None,
        "" if model is not None else "no light",
        kind,
        parameters,
        known.maximum,
        *(0.0, 0.0, 1.0, 1),
        *(none, none, none, np.zeros(0, np.int32), np.zeros(0, bool), np.zeros(0, bool), none, none, none),
    )
