"""Gain of photon transfer: against what is certified, and against the camera file."""

from __future__ import annotations

import math

from fiducial.products.ptc import AmplifierTransfer
from fiducial.verify.checks.measurement import Measurement, not_applicable
from fiducial.verify.checks.pairs import GAIN_UNIT
from fiducial.verify.checks.registry import product_check
from fiducial.verify.products import TransferSubject

NOTHING_BEFORE = "nothing was certified of it before"


@product_check("ptc")
def ptc_gain(subject: TransferSubject) -> list[Measurement]:
    """Gain of the curve (shown), and relative changes of the gain in force: to the certified and nominal one.

    In force is the gain that is tied to those of the other amplifiers, if there is one. A certified gain
    brings its own error; the nominal one is taken as exact.
    """
    fit, was, n = subject.known.fit, subject.was, int(subject.known.counts[:, 0, 0].sum())
    gain, error = _in_force(subject.known)
    shown = Measurement("gain", fit.gain, fit.gain_error, GAIN_UNIT, n)
    nominal = _relative("gain_nominal", gain / subject.amplifier.gain, error / gain, n)
    if was is None:
        return [shown, nominal, not_applicable("gain_change", "", NOTHING_BEFORE, n)]
    before, error_before = _in_force(was)
    return [
        shown,
        nominal,
        _relative("gain_change", gain / before, math.hypot(error / gain, error_before / before), n),
    ]


@product_check("ptc")
def ptc_gain_tied(subject: TransferSubject) -> list[Measurement]:
    """Tied gain relative to that of the amplifier's own curve: levels of flats against variances.

    The error is that of both: the own one is in the tied one with a small weight only.
    """
    known, n = subject.known, int(subject.known.counts[:, 0, 0].sum())
    if not known.tied_gain > 0:
        return [not_applicable("gain_tied", "", "gains were not tied", n)]
    own, error = known.fit.gain_error / known.fit.gain, known.tied_gain_error / known.tied_gain
    return [_relative("gain_tied", known.tied_gain / known.fit.gain, math.hypot(own, error), n)]


def _in_force(one: AmplifierTransfer) -> tuple[float, float]:
    if one.tied_gain > 0:
        return one.tied_gain, one.tied_gain_error
    return one.fit.gain, one.fit.gain_error


def _relative(test: str, ratio: float, error: float, n: int) -> Measurement:
    return Measurement(test, ratio - 1.0, ratio * error, "", n)
