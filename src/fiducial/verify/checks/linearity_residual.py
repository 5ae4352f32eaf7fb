"""What a linearity correction leaves: the largest residual, chi-square, structure, the lamp's stability."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fiducial.algorithms.departures import chi_square_departure, largest_departure, neighbour_correlation
from fiducial.verify.checks.measurement import Measurement, not_applicable
from fiducial.verify.checks.registry import product_check
from fiducial.verify.products import LinearitySubject

_EXACT = 1e-12  # reduced chi-square of an amplifier whose own signal stands for the light


@product_check("linearizer")
def linearity_residual(subject: LinearitySubject) -> list[Measurement]:
    """Largest departure from proportional after correction, as a share of full well.

    Means of stretches of the levels that the fit used; errors are those of the levels and of the light.
    """
    full, (signal, residual, error) = subject.full_well, _levels(subject)
    found = largest_departure(signal, residual / full, error / full)
    if not math.isfinite(found.value):
        return [not_applicable("residual", "", "there is no level, or no full well", signal.size)]
    note = f"at {found.at:.6g} {subject.product.unit}"
    return [Measurement("residual", found.value, found.error, "", signal.size, note=note)]


@product_check("linearizer")
def linearity_structure(subject: LinearitySubject) -> list[Measurement]:
    """Correlation of the residuals of neighbouring levels: what is left has a shape.

    It does not depend on how large the errors are, which a fit that has to find the lamp's stability
    makes as large as the residuals.
    """
    signal, residual, error = _levels(subject)
    order = np.argsort(signal, kind="stable")
    value, sigma = neighbour_correlation(residual[order] / error[order])
    if not math.isfinite(value):
        return [not_applicable("structure", "", "there are too few levels", signal.size)]
    return [Measurement("structure", value, sigma, "", signal.size)]


@product_check("linearizer")
def linearity_chi2(subject: LinearitySubject) -> list[Measurement]:
    """Reduced chi-square less 1 of the fit; 0 where the lamp's stability was taken from the fit itself."""
    known = subject.known
    found = chi_square_departure(known.chi2, known.freedom)
    n = int(np.count_nonzero(known.used))
    if not math.isfinite(found.value):
        return [not_applicable("chi2", "", "there are no more levels than unknowns", n)]
    if known.chi2 < _EXACT * known.freedom:
        return [not_applicable("chi2", "", "it is what the others are held against", n)]
    return [Measurement("chi2", found.value, found.error, "", n)]


@product_check("linearizer")
def linearity_stability(subject: LinearitySubject) -> list[Measurement]:
    """Relative scatter of the light about what stood for it: shown."""
    known = subject.known
    n = int(np.count_nonzero(known.used))
    if not math.isfinite(known.stability):
        return [not_applicable("stability", "", "it is not known", n)]
    error = known.stability / math.sqrt(2.0 * max(1, known.freedom))
    return [Measurement("stability", known.stability, error, "", n)]


def _levels(
    subject: LinearitySubject,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Signal, departure and its error of the levels used, in the linearizer's unit."""
    known = subject.known
    scatter = known.stability if math.isfinite(known.stability) else 0.0
    error = np.hypot(known.error, scatter * known.signal)
    use = known.used & np.isfinite(known.residual) & (known.signal > 0) & (error > 0)
    return known.signal[use], (known.residual * known.signal)[use], error[use]
