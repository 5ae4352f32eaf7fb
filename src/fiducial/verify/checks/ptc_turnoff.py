"""Turn-off of photon transfer: against the camera's saturation, and against what is certified."""

from __future__ import annotations

import math

from fiducial.products.ptc import AmplifierTransfer
from fiducial.verify.checks.measurement import Measurement, not_applicable
from fiducial.verify.checks.ptc_gain import NOTHING_BEFORE
from fiducial.verify.checks.registry import product_check
from fiducial.verify.products import TransferSubject


@product_check("ptc")
def ptc_turnoff(subject: TransferSubject) -> list[Measurement]:
    """Turn-off (shown), and its relative difference to the saturation and to the certified turn-off.

    Flats that do not reach the turn-off say only that it is not below the highest of them: that is looked
    at one way. The error is half the interval to the next pair above.
    """
    known, n = subject.known, int(subject.known.counts[:, 0, 0].sum())
    error = known.turnoff_error if known.turnoff_found else 0.0
    note = "" if known.turnoff_found else "the flats do not reach it: it is not lower"
    shown = Measurement("turnoff", known.turnoff, error, "adu", n, note=note)
    return [shown, _against_saturation(subject, n), _against_certified(subject, n)]


def _against_saturation(subject: TransferSubject, n: int) -> Measurement:
    known, saturation = subject.known, subject.amplifier.saturation
    value = known.turnoff / saturation - 1.0
    if known.turnoff_found:
        return Measurement("turnoff_saturation", value, known.turnoff_error / saturation, "", n)
    if value > 0:
        return Measurement("turnoff_saturation", value, 0.0, "", n, note="it is higher still")
    why = f"the flats end at {known.turnoff:.6g} adu, below it"
    return not_applicable("turnoff_saturation", "", why, n)


def _against_certified(subject: TransferSubject, n: int) -> Measurement:
    known, was = subject.known, subject.was
    if was is None or not was.turnoff > 0:
        return not_applicable("turnoff_change", "", NOTHING_BEFORE, n)
    value = known.turnoff / was.turnoff - 1.0
    error = math.hypot(_error(known), (1.0 + value) * _error(was)) / was.turnoff
    lower, higher = not known.turnoff_found and value < 0, not was.turnoff_found and value > 0
    if lower or higher or not (known.turnoff_found or was.turnoff_found):
        return not_applicable("turnoff_change", "", "the flats do not reach it, now or before", n)
    return Measurement("turnoff_change", value, error, "", n)


def _error(one: AmplifierTransfer) -> float:
    return one.turnoff_error if one.turnoff_found else 0.0
