"""Read noise of cameras without overscan: from differences of biases that are not under test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from fiducial.algorithms.pairs import PairNoise, pair_noise
from fiducial.errors import AlgorithmError, CalibrationMismatch, FrameError
from fiducial.products.masks import UNUSABLE
from fiducial.products.metadata import read_inputs
from fiducial.verify.expected import ReadNoise

if TYPE_CHECKING:
    from fiducial.cameras.model import Camera
    from fiducial.corrections.masters import Master
    from fiducial.frames.records import FrameRecord
    from fiducial.verify.detrend import CorrectedAmplifier, Detrender
    from fiducial.verify.opening import Offered


@dataclass(frozen=True)
class PairNoises:
    """Read noises to hold frames against, by amplifier.

    Parameters
    ----------
    common
        The same for all frames.
    pairs
        Of pairs of biases: their two exposures, and the noise of each amplifier.
    """

    common: Mapping[str, ReadNoise] = field(default_factory=dict)
    pairs: tuple[tuple[frozenset[int], Mapping[str, PairNoise]], ...] = ()

    @classmethod
    def among(
        cls,
        offered: Sequence[Offered],
        detrender: Detrender,
        camera: Camera,
        detector: int,
        records: Mapping[int, FrameRecord],
    ) -> PairNoises:
        """Measure neighbours in time, and the last with the first; two frames are in memory, and the first.

        Frames that cannot be read are passed over: measuring them will say why.
        """
        pairs = []
        first: tuple[int, list[CorrectedAmplifier]] | None = None
        before: tuple[int, list[CorrectedAmplifier]] | None = None
        count = 0
        for one in offered:
            try:
                frame = one.open(camera, detector, records.get(one.exposure))
                corrected = detrender.correct(frame)
            except (FrameError, CalibrationMismatch):
                continue
            if before is not None:
                pairs.append(_pair(before, (one.exposure, corrected)))
            before = (one.exposure, corrected)
            first = first or before
            count += 1
        if first is not None and before is not None and count > 2:
            pairs.append(_pair(first, before))
        return cls(pairs=tuple(pairs))

    def of(self, exposure: int) -> Mapping[str, ReadNoise]:
        """The read noises from biases other than this one; of an amplifier without any there is none."""
        found: dict[str, list[PairNoise]] = {}
        for members, noises in self.pairs:
            if exposure not in members:
                for name, noise in noises.items():
                    found.setdefault(name, []).append(noise)
        return {**self.common, **{name: _typical(noises) for name, noises in found.items()}}


def _pair(
    a: tuple[int, Sequence[CorrectedAmplifier]], b: tuple[int, Sequence[CorrectedAmplifier]]
) -> tuple[frozenset[int], dict[str, PairNoise]]:
    noises = {}
    for one, other in zip(a[1], b[1], strict=True):
        usable = one.usable & other.usable
        try:
            noise = pair_noise(one.segment.image[usable], other.segment.image[usable])
        except AlgorithmError:
            continue
        if noise.sigma > 0:
            noises[one.segment.amplifier.name] = noise
    return frozenset((a[0], b[0])), noises


def _typical(noises: Sequence[PairNoise]) -> ReadNoise:
    """The median of pairs: one bad frame spoils two of them."""
    values = [noise.sigma for noise in noises]
    error = float(np.median([noise.error for noise in noises])) / np.sqrt(len(noises))
    return ReadNoise(float(np.median(values)), 1.25 * float(error), "pairs")


def read_noise_of_bias(bias: Master, camera: Camera, detector: int) -> dict[str, ReadNoise]:
    """Read noise by the scatter of the frames of a master bias: its variance times their number.

    Nothing where the master does not say how many frames it is made of, or has no variance.
    """
    n = len(read_inputs(bias.metadata))
    out: dict[str, ReadNoise] = {}
    if n < 2:
        return out
    for amp in camera.amplifiers(detector):
        where = amp.detector.slices
        variance = bias.variance[where]
        good = ((bias.mask[where] & np.int32(UNUSABLE)) == 0) & (variance > 0)
        pixels = int(np.count_nonzero(good))
        if pixels == 0:
            continue
        values = variance[good]
        # Random telegraph pixels have a hundred times the variance, and are no read noise.
        typical = values <= 30.0 * np.median(values)
        value = float(np.sqrt(n * np.mean(values[typical], dtype=np.float64)))
        out[amp.name] = ReadNoise(value, value / float(np.sqrt(2.0 * (n - 1) * pixels)), "pairs")
    return out
