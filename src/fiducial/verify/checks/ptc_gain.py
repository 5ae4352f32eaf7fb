"""Gain of photon transfer: against what is certified, and against the camera file."""

from __future__ import annotations

import math

from fiducial.verify.checks.measurement import Measurement, not_applicable
from fiducial.verify.checks.pairs import GAIN_UNIT
from fiducial.verify.checks.registry import product_check
from fiducial.verify.products import TransferSubject

NOTHING_BEFORE = "nothing was certified of it before"


@product_check("ptc")
def ptc_gain(subject: TransferSubject) -> list[Measurement]:
    """Gain (shown), and its relative change to the certified and to the nominal one.

    A certified gain brings its own error; the nominal one is taken as exact.
    """
    fit, was, n = subject.known.fit, subject.was, int(subject.known.counts[:, 0, 0].sum())
    own = fit.gain_error / fit.gain
    shown = Measurement("gain", fit.gain, fit.gain_error, GAIN_UNIT, n)
    ratio = fit.gain / subject.amplifier.gain
    nominal = Measurement("gain_nominal", ratio - 1.0, ratio * own, "", n)
    if was is None:
        return [shown, nominal, not_applicable("gain_change", "", NOTHING_BEFORE, n)]
    ratio = fit.gain / was.fit.gain
    error = ratio * math.hypot(own, was.fit.gain_error / was.fit.gain)
    return [shown, nominal, Measurement("gain_change", ratio - 1.0, error, "", n)]
