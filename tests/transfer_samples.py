"""Photon transfer curves made up for tests of what uses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fiducial.corrections.masters import Master
from fiducial.products.ptc import AmplifierTransfer, FlatPairs, PhotonTransferCurve, TransferFit

NOTHING = np.full((1, 1), np.nan)


def transfer(
    gains: Mapping[str, float | None],
    turnoffs: Mapping[str, float] | None = None,
    *,
    camera: str = "TinyCam",
    detector: int = 0,
    **keys: Any,
) -> Master:
    """A curve of these gains (None: not determined) and turn-offs (of others none was found)."""
    amplifiers = tuple(_amplifier(name, gain, (turnoffs or {}).get(name)) for name, gain in gains.items())
    none, ids = np.zeros(0), np.zeros(0, np.int64)
    metadata = {"INSTRUME": camera, "DETECTOR": detector, "FID WORLD": "adu"} | keys
    product: Any = PhotonTransferCurve(
        detector, 1, FlatPairs(ids, ids, none, none, none, none, none, none, ()), amplifiers, (), metadata
    )
    return Master("ptc", product, "0007")


def _amplifier(name: str, gain: float | None, turnoff: float | None) -> AmplifierTransfer:
    known = gain is not None
    none, cubes = np.zeros(0), np.zeros((0, 1, 1))
    fit = TransferFit(
        *("exponential", known, "" if known else "no light"),
        *(gain if gain is not None else np.nan, 0.01, 0.01, 5.0, 0.1),
        True,
        *([NOTHING] * 7),
        *(np.zeros(0), cubes, 1.0, 1),
    )
    return AmplifierTransfer(
        name,
        *(none, none, none, cubes, np.zeros((0, 1, 1), np.int64), none),
        *(np.zeros(0, bool), np.zeros(0, bool), ()),
        *(3.0, 0.1, np.nan if turnoff is None else turnoff, np.nan, turnoff is not None),
        fit,
    )
