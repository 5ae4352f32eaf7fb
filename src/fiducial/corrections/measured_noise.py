"""The read noise that the biases themselves show, kept in the master bias and used by what comes after.

The camera file's read noise is nominal: where it is wrong, variances quoted from it would be wrong too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fiducial.algorithms.order_statistics import median_variance
from fiducial.cameras.model import AmplifierValues
from fiducial.kernels import quantiles
from fiducial.products.masks import UNUSABLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.cameras.model import Amplifier, Camera

_CALM = 5.0  # of the median variance: noisy (telegraph) pixels beyond do not count


def noise_keys(
    variance: NDArray[np.float32],
    mask: NDArray[np.int32],
    n_frames: float,
    camera: Camera,
    detector: int,
    notes: Mapping[str, Any],
) -> dict[str, float]:
    """Read noise of one frame's pixel, from the scatter of stacked biases, for the master's header.

    Var(mean) N = RN^2 (1 + share), where share is what the overscan model adds to each pixel: 1/n for
    the mean of a row's n overscan pixels, the variance of a median of n for their median
    (Kendall & Stuart 1977, The Advanced Theory of Statistics, section 14.12).

    Parameters
    ----------
    variance, mask
        Shape (ny, nx) of the master; masked and NaN pixels do not count.
    n_frames
        Frames that were stacked, whose scatter ``variance`` is: for a median as many as would give a mean
        of that variance.
    camera, detector
        Whose amplifiers.
    notes
        Of the chain: the overscan's settings in force.
    """
    keys = {}
    for amp in camera.amplifiers(detector):
        own = variance[amp.detector.slices]
        good = ((mask[amp.detector.slices] & np.int32(UNUSABLE)) == 0) & (own > 0)
        (median,), count = quantiles(own, good, [0.5])
        if not count:
            continue
        good &= own < np.float32(_CALM * median)
        calm = float(np.mean(own, where=good, dtype=np.float64))
        keys[_key(amp.name)] = float(np.sqrt(calm * n_frames / (1.0 + overscan_share(amp, notes))))
    return keys


def overscan_share(amplifier: Amplifier, notes: Mapping[str, Any]) -> float:
    """Variance that the overscan model adds to a pixel, over the read noise squared.

    Models fitted to the whole overscan add next to nothing and count as zero.
    """
    method = str(notes.get("OVERSCAN METHOD", "none"))
    skipped = sum(int(number) for number in str(notes.get("OVERSCAN SKIP", "0,0")).split(","))
    share = 0.0
    if amplifier.serial_overscan is not None:
        share += _of_local(method, amplifier.serial_overscan.shape[1] - skipped)
    if amplifier.parallel_overscan is not None and notes.get("OVERSCAN PARALLEL"):
        share += _of_local(method, amplifier.parallel_overscan.shape[0] - skipped)
    return share


def _of_local(method: str, n: int) -> float:
    if n < 1:
        return 0.0
    return {"mean_per_row": 1.0 / n, "median_per_row": median_variance(n)}.get(method, 0.0)


def with_measured_noise(camera: Camera, detector: int, masters: Mapping[str, Any] | None) -> Camera:
    """Give the camera with the read noise that the master bias has measured; without one as it is.

    Parameters
    ----------
    camera, detector
        The camera, and whose amplifiers.
    masters
        By kind; the bias's header is read.
    """
    bias = (masters or {}).get("bias")
    if bias is None:
        return camera
    product = getattr(bias, "product", bias)
    unit_is_electron = product.metadata.get("FID WORLD") == "electron"
    own = camera.detector(detector)
    values = dict(own.amplifiers)
    for amp in camera.amplifiers(detector):
        noise = product.metadata.get(_key(amp.name))
        if isinstance(noise, (int, float)) and noise > 0:
            electrons = float(noise) * (1.0 if unit_is_electron else amp.gain)
            before = values.get(amp.name, AmplifierValues())
            values[amp.name] = before.model_copy(update={"read_noise": electrons})
    changed = own.model_copy(update={"amplifiers": values})
    detectors = tuple(changed if d.id == own.id else d for d in camera.detectors)
    return camera.model_copy(update={"detectors": detectors})


def _key(amplifier: str) -> str:
    return f"FID AMP {amplifier} NOISE"
