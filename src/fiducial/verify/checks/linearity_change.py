"""Change of a linearity correction since the certified one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fiducial.algorithms.departures import surest, widening
from fiducial.verify.checks.measurement import Measurement, not_applicable
from fiducial.verify.checks.ptc_gain import NOTHING_BEFORE
from fiducial.verify.checks.registry import product_check
from fiducial.verify.products import LinearitySubject

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.algorithms.linearity_models import LinearityModel
    from fiducial.products.linearizer import AmplifierLinearity

_LOOKS = 8  # at curves of so many free parts or so


@product_check("linearizer")
def linearity_change(subject: LinearitySubject) -> list[Measurement]:
    """Largest change of the corrected signal since the certified linearizer, as a share of full well.

    No linearizer knows the overall gain: both are scaled to agree at the new one's reference, or at half
    of the range that both have. The errors are those that both quote.
    """
    known, was, before = subject.known, subject.was, subject.model_before
    if was is None or before is None:
        return [not_applicable("change", "", NOTHING_BEFORE)]
    if subject.before is not None and subject.before.unit != subject.product.unit:
        return [not_applicable("change", "", f"the certified one is in {subject.before.unit}")]
    top = min(subject.full_well, was.maximum)
    errors = known.error_correction
    if not (math.isfinite(top) and top > 0 and errors.size and was.error_correction.size):
        return [not_applicable("change", "", "one of the two has no range or no errors")]
    at = np.linspace(0.0, top, 65)[1:]
    pivot = known.reference if 0 < known.reference <= top else 0.5 * top
    difference = _scaled(subject.model, at, pivot) - _scaled(before, at, pivot)
    sigma = np.hypot(_errors(known, at, pivot), _errors(was, at, pivot))
    inside = sigma > 1e-3 * float(sigma.max())  # where both are 0 by convention there is nothing to see
    if not inside.any():
        return [not_applicable("change", "", "one of the two has no errors")]
    chosen = surest(difference[inside], sigma[inside])
    full = subject.full_well
    value, error = float(difference[inside][chosen]) / full, float(sigma[inside][chosen]) / full
    note = f"at {at[inside][chosen]:.6g} {subject.product.unit}"
    return [Measurement("change", value, error * widening(_LOOKS), "", at.size, note=note)]


def _scaled(model: LinearityModel, at: NDArray[np.float64], pivot: float) -> NDArray[np.float64]:
    """Corrected signals by a scale in which the signal at the pivot needs no correction."""
    there = pivot + float(model.correction(np.array(pivot)))
    return np.asarray((at + model.correction(at)) * pivot / there)


def _errors(one: AmplifierLinearity, at: NDArray[np.float64], pivot: float) -> NDArray[np.float64]:
    """Of a scaled correction: its own, and that at the pivot."""
    own, there = (np.interp(x, one.error_signal, one.error_correction) for x in (at, pivot))
    return np.asarray(np.hypot(own, at / pivot * there))
