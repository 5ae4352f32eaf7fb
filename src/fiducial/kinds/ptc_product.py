"""From frames to what pairing looks at, and from measured pairs to the product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import nan
from typing import TYPE_CHECKING

import numpy as np

from fiducial.algorithms.flat_pairing import Flat
from fiducial.kinds.measured_header import finite, measured_header
from fiducial.products import metadata as meta
from fiducial.products.ptc import AmplifierTransfer, FlatPairs, PhotonTransferCurve

if TYPE_CHECKING:
    from fiducial.corrections.chain import Chain
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.kinds.ptc_measure import FramePair, MeasuredPairs

_MJD_ZERO = datetime(1858, 11, 17)
_DAY = 86_400.0  # s


def flat_of(frame: DetectorFrame) -> Flat:
    """What pairing looks at; the level is that which ingest measured."""
    facts, record = frame.facts, frame.record
    return Flat(
        frame.exposure,
        facts.exposure_time,
        _mjd(frame) * _DAY,
        facts.filter,
        record.signal() if record is not None and record.content else nan,
    )


def transfer_product(
    kind: str,
    measured: MeasuredPairs,
    amplifiers: Sequence[AmplifierTransfer],
    chain: Chain,
    aside: Sequence[meta.AsideNote],
    notes: Mapping[str, meta.Scalar],
) -> PhotonTransferCurve:
    """Make the product: the pairs, the amplifiers, and a header that says what they are made of."""
    frames = [frame for pair in measured.pairs for frame in pair]
    aside = sorted(aside, key=lambda note: note.exposure)
    keys = measured_header(kind, frames, chain, aside) | dict(notes)
    for one in amplifiers:
        start = f"FID AMP {one.name}"
        keys |= finite(
            {
                f"{start} GAIN": one.fit.gain,
                f"{start} READ NOISE": one.fit.noise,
                f"{start} TURNOFF": one.turnoff,
                f"{start} TIED GAIN": one.tied_gain,
                f"{start} ROLLOFF": one.fit.rolloff,
            }
        )
    detector = chain.context.detector
    lags = amplifiers[0].covariances.shape[1]
    return PhotonTransferCurve(detector, lags, _pairs(measured.pairs), tuple(amplifiers), tuple(aside), keys)


def _pairs(pairs: Sequence[FramePair]) -> FlatPairs:
    first, second = ([pair[k] for pair in pairs] for k in (0, 1))
    return FlatPairs(
        first=np.array([frame.exposure for frame in first], np.int64),
        second=np.array([frame.exposure for frame in second], np.int64),
        first_time=np.array([frame.facts.exposure_time for frame in first], np.float64),
        second_time=np.array([frame.facts.exposure_time for frame in second], np.float64),
        first_photodiode=np.array([_photodiode(frame) for frame in first], np.float64),
        second_photodiode=np.array([_photodiode(frame) for frame in second], np.float64),
        first_mjd=np.array([_mjd(frame) for frame in first], np.float64),
        second_mjd=np.array([_mjd(frame) for frame in second], np.float64),
        physical_filter=tuple(frame.facts.filter for frame in first),
    )


def _photodiode(frame: DetectorFrame) -> float:
    charge = frame.facts.photodiode
    return nan if charge is None else float(charge)


def _mjd(frame: DetectorFrame) -> float:
    return (frame.facts.begin - _MJD_ZERO).total_seconds() / _DAY
