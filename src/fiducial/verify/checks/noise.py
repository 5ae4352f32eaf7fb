"""Noise: the width of z against the frame's own read noise and against the certified one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from fiducial.verify.checks.measurement import Measurement, not_applicable
from fiducial.verify.checks.registry import check
from fiducial.verify.expected import ReadNoise
from fiducial.verify.window import Residual, Subject

FEWEST = 100
"""With fewer pixels a width is not measured."""


@check("bias", "dark", "flat")
def noise(subject: Subject) -> list[Measurement]:
    """rms(z - mean z) - 1, z clipped at 5, against the frame's own noise and against the certified one.

    ``noise`` holds it against the frame's own overscan (or, without one, pairs of biases that are not
    under test), ``noise_certified`` against the certified or nominal read noise: a wrong certified value
    shows in the second only. Both look both ways. Uncertainty: sqrt(c2 / 2n), and that of the read noise by
    its share in the variance.
    """
    references = subject.references
    if references.no_read_noise:
        own = not_applicable("noise", "", references.no_read_noise)
    else:
        own = width(subject.residual, "noise", references.unknown_a00_signal)
    certified = with_read_noise(subject.residual, references.certified)
    return [own, width(certified, "noise_certified", references.unknown_a00_signal)]


def width(frame: Residual, test: str, unknown_a00_signal: float = 0.0) -> Measurement:
    """rms(z - mean z) - 1 over the pixels kept, with its error."""
    n = frame.n_kept
    if n < FEWEST:
        return not_applicable(test, "", f"{n} usable pixels are too few", n)
    value = float(np.std(frame.z[frame.kept], dtype=np.float64)) - 1.0
    return Measurement(test, value, width_error(frame, n), "", n, reference=unknown_a00_signal)


def width_error(frame: Residual, n: int) -> float:
    """Standard error of the width of n pixels.

    sqrt(c2 / 2n), what the read noise's own error makes by its share in the variance, and the few degrees
    of freedom (one a row) of the overscan's noise.
    """
    inverse = float(np.mean(1.0 / np.square(frame.sigma[frame.kept]), dtype=np.float64))
    relative = frame.read_noise.error / frame.read_noise.value if frame.read_noise.value > 0 else 0.0
    added = frame.overscan.pixel if frame.overscan else 0.0
    of_read_noise = (frame.read_noise.value**2 + added) * inverse * relative
    of_rows = 0.5 * frame.row_variance * inverse * math.sqrt(2.0 / frame.usable.shape[0])
    return math.hypot(math.sqrt(frame.correlation.c2 / (2.0 * n)), of_read_noise, of_rows)


def with_read_noise(frame: Residual, read_noise: ReadNoise) -> Residual:
    """The same residual with the sigma of another read noise."""
    if read_noise.value == frame.read_noise.value:
        return frame
    # The master's noise is what it is, whatever the frame's is thought to be.
    change = np.float32(read_noise.value**2 - frame.read_noise.value**2)
    variance = np.square(frame.sigma) + change
    positive = variance > 0
    sigma = np.sqrt(np.where(positive, variance, np.float32(1)))
    other = replace(frame, sigma=sigma, usable=frame.usable & positive, read_noise=read_noise)
    # The noise is correlated as before: this need not be found again.
    other.__dict__["correlation"] = frame.correlation
    return other
