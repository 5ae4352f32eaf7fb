"""Read noise of photon transfer: against the overscan, and against what is certified."""

from __future__ import annotations

import math

from fiducial.verify.checks.measurement import Measurement, not_applicable
from fiducial.verify.checks.ptc_gain import NOTHING_BEFORE
from fiducial.verify.checks.registry import product_check
from fiducial.verify.products import TransferSubject


@product_check("ptc")
def ptc_noise(subject: TransferSubject) -> list[Measurement]:
    """Read noise (shown), and its relative difference to that of the overscan and to the certified one.

    The curve says something of its own only where it gives the noise to 10 per cent: otherwise the
    overscan's took part in the fit. The gain is in both and cancels: the error is that of the variance
    without light, and the overscan's.
    """
    fit, n = subject.known.fit, int(subject.known.counts[:, 0, 0].sum())
    if not (math.isfinite(fit.noise) and math.isfinite(fit.noise_error)):
        why = "neither the curve nor an overscan says what it is"
        return [
            not_applicable("read_noise", "electron", why, n),
            not_applicable("noise_overscan", "", why, n),
            not_applicable("noise_change", "", why, n),
        ]
    shown = Measurement("read_noise", fit.noise, fit.noise_error, "electron", n)
    return [shown, _against_overscan(subject, n), _against_certified(subject, n)]


def _against_overscan(subject: TransferSubject, n: int) -> Measurement:
    known, fit = subject.known, subject.known.fit
    if not known.read_noise > 0:
        return not_applicable("noise_overscan", "", "the camera has no overscan", n)
    if not fit.noise_constrained:
        return not_applicable("noise_overscan", "", "the curve does not say: the overscan's was used", n)
    variance, error = float(fit.noise_matrix[0, 0]), float(fit.noise_matrix_error[0, 0])
    ratio = fit.noise / (fit.gain * known.read_noise)
    relative = math.hypot(0.5 * error / variance, known.read_noise_error / known.read_noise)
    return Measurement("noise_overscan", ratio - 1.0, ratio * relative, "", n)


def _against_certified(subject: TransferSubject, n: int) -> Measurement:
    fit, was = subject.known.fit, subject.was
    if was is None or not was.fit.noise > 0:
        return not_applicable("noise_change", "", NOTHING_BEFORE, n)
    ratio = fit.noise / was.fit.noise
    relative = math.hypot(fit.noise_error / fit.noise, was.fit.noise_error / was.fit.noise)
    return Measurement("noise_change", ratio - 1.0, ratio * relative, "", n)
