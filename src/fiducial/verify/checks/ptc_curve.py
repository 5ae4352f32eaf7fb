"""The curve of photon transfer: does it fit, where does it depart, and how many pairs took part."""

from __future__ import annotations

import math

import numpy as np

from fiducial.algorithms.departures import chi_square_departure, largest_departure
from fiducial.verify.checks.measurement import Measurement, not_applicable
from fiducial.verify.checks.registry import product_check
from fiducial.verify.products import TransferSubject


@product_check("ptc")
def ptc_chi2(subject: TransferSubject) -> list[Measurement]:
    """Reduced chi-square less 1, with the error that gives it its exact significance.

    Too low is as wrong as too high: copies of frames, or noise that is not that of photons.
    """
    fit, n = subject.known.fit, int(subject.known.counts[:, 0, 0].sum())
    found = chi_square_departure(fit.chi2, fit.freedom)
    if not math.isfinite(found.value):
        return [not_applicable("chi2", "", "there are no more pairs than parameters", n)]
    return [Measurement("chi2", found.value, found.error, "", n)]


@product_check("ptc")
def ptc_residual(subject: TransferSubject) -> list[Measurement]:
    """Largest departure from the curve, as a share of the variance: means of stretches of pairs."""
    kept, n = subject.known.kept, int(subject.known.counts[:, 0, 0].sum())
    model = subject.model[kept]
    found = largest_departure(
        subject.known.mean[kept], subject.variances[kept] / model - 1.0, subject.errors[kept] / model
    )
    if not math.isfinite(found.value):
        return [not_applicable("residual", "", "no pair was kept", n)]
    return [Measurement("residual", found.value, found.error, "", n, note=f"at {found.at:.6g} adu")]


@product_check("ptc")
def ptc_pairs_lost(subject: TransferSubject) -> list[Measurement]:
    """Share of the pairs up to the turn-off that were not used.

    A pair that could not be measured counts if its exposure is not longer than the longest that was used in
    its filter: beyond, it is saturated, and no loss. It is a count: it has no error.
    """
    known, pairs = subject.known, subject.product.pairs
    filters = np.array(pairs.physical_filter)
    lost = known.outlier.copy()
    for name in np.unique(filters):
        here = filters == name
        longest = np.max(pairs.first_time[here & known.kept], initial=-np.inf)
        lost |= here & ~np.isfinite(known.mean) & (pairs.first_time <= longest)
    used = int(np.count_nonzero(known.kept))
    total = used + int(np.count_nonzero(lost))
    n = int(known.counts[:, 0, 0].sum())
    if total == 0:
        return [not_applicable("pairs_lost", "", "there are no pairs", n)]
    return [Measurement("pairs_lost", 1.0 - used / total, 0.0, "", n, note=f"{used} of {total} used")]
