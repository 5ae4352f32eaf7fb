"""Masters held against the truth of a simulated night."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.cameras.model import Amplifier
    from fiducial.repository import Repository
    from fiducial.simulation import DetectorTruth, NightTruth

_RELATIVE = 0.01  # systematic share of the limit: what the verification of stacks allows
_SIGMAS = 5.0
_CALM = 3.0  # of the median variance


@dataclass(frozen=True)
class Comparison:
    """One amplifier of one master against the truth."""

    product: str
    detector: int
    amplifier: str
    pixels: int
    chi2: float  # mean square of the difference over the mean quoted variance
    offset: float  # mean difference, in the master's unit

    @property
    def limit(self) -> float:
        """Largest distance of chi2 from 1: 0.01 + 5 sqrt(2 / pixels)."""
        return _RELATIVE + _SIGMAS * float(np.sqrt(2.0 / self.pixels))

    @property
    def agrees(self) -> bool:
        """Whether the master is the truth within its quoted noise."""
        return abs(self.chi2 - 1.0) <= self.limit


def compare(root: str | Path, truth: NightTruth, runs: Sequence[str]) -> Iterator[Comparison]:
    """Hold every amplifier of the masters of some runs against the truth.

    Parameters
    ----------
    root
        Folder of the repository.
    truth
        What is true of the night that they were made from.
    runs
        Runs of ``make``.
    """
    from fiducial.repository import Repository
    from fiducial.repository.lookup import datasets
    from fiducial.selection.production import production_of

    with Repository.open(root) as repository:
        camera = repository.camera()
        for run in runs:
            kind = production_of(run).kind
            for ref in datasets(repository.butler, kind, run):
                detector = int(ref.dataId["detector"])
                band = str(ref.dataId.get("physical_filter", "")) if kind == "flat" else ""
                yield from _of_detector(
                    repository, ref, kind, band, truth.detectors[detector], camera.amplifiers(detector)
                )


def _of_detector(
    repository: Repository,
    ref: Any,
    kind: str,
    band: str,
    truth: DetectorTruth,
    amplifiers: Sequence[Amplifier],
) -> Iterator[Comparison]:
    from fiducial.products.images import planes_of
    from fiducial.products.masks import UNUSABLE

    planes = planes_of(repository.butler.get(ref))
    usable = (planes.mask & int(UNUSABLE)) == 0
    for amplifier in amplifiers:
        window = amplifier.detector.slices
        variances = planes.variance[window]
        good = usable[window] & (variances > 0)
        # A few hot pixels have most of the summed variance; without them the mean square is well behaved.
        good &= variances < _CALM * np.median(variances[good])
        image = planes.image[window][good].astype(np.float64)
        variance = planes.variance[window][good].astype(np.float64)
        wanted = true_values(kind, band, truth, amplifier)[good]
        if kind == "flat":
            # A flat has no level of its own that matters within an amplifier of its normalisation.
            wanted = wanted * (np.sum(image * wanted / variance) / np.sum(wanted**2 / variance))
        difference = image - wanted
        yield Comparison(
            product=f"{kind} {band}".strip(),
            detector=truth.detector,
            amplifier=amplifier.name,
            pixels=int(good.sum()),
            chi2=float(np.mean(difference**2) / np.mean(variance)),
            offset=float(np.mean(difference)),
        )


def true_values(kind: str, band: str, truth: DetectorTruth, amplifier: Amplifier) -> NDArray[np.float64]:
    """Give what a perfect master holds, in the unit of the master, which was made with nominal gains.

    Electrons are counted with the gain of the camera file; the truth in adu times that gain is what
    frames can tell.
    """
    window = amplifier.detector.slices
    true_gain = truth.amplifier(amplifier.name).gain
    if kind == "bias":
        return truth.bias_adu[window].astype(np.float64) * amplifier.gain
    if kind == "dark":
        return truth.dark[window].astype(np.float64) * (amplifier.gain / true_gain)
    return truth.flat[band][window].astype(np.float64)
