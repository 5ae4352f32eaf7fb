"""Gain of single pairs: does it drift with time, or with how far the flats of a pair are apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fiducial.algorithms.gain_trend import gain_trend
from fiducial.verify.checks.measurement import Measurement, not_applicable
from fiducial.verify.checks.registry import product_check
from fiducial.verify.products import TransferSubject

_DAY = 86_400.0  # s


@product_check("ptc")
def ptc_gain_drift(subject: TransferSubject) -> list[Measurement]:
    """Relative change of the gain from the first to the last pair: electronics that warm up.

    Pairs that were taken by rising level cannot tell a drift from a curve; those have a large error.
    """
    pairs = subject.product.pairs
    return [_trend(subject, "gain_drift", 0.5 * (pairs.first_mjd + pairs.second_mjd))]


@product_check("ptc")
def ptc_gain_separation(subject: TransferSubject) -> list[Measurement]:
    """Relative change of the gain from the closest to the most separated pairs: a lamp that drifts.

    What a lamp does between two flats adds to their variance, and takes from the gain.
    """
    pairs = subject.product.pairs
    separation = np.round(_DAY * np.abs(pairs.second_mjd - pairs.first_mjd), 1)  # MJD is good to 1e-6 s
    return [_trend(subject, "gain_separation", separation)]


def _trend(subject: TransferSubject, test: str, along: NDArray[np.float64]) -> Measurement:
    known, n = subject.known, int(subject.known.counts[:, 0, 0].sum())
    kept = known.kept & np.isfinite(along)
    noise = np.nan_to_num(known.fit.noise_matrix[0, 0]) / known.fit.gain**2
    found = gain_trend(
        known.mean[kept],
        subject.variances[kept],
        subject.model[kept],
        subject.errors[kept],
        along[kept],
        noise=float(noise),
    )
    if isinstance(found, str):
        return not_applicable(test, "", found, n)
    return Measurement(test, found.value, found.error, "", n)
