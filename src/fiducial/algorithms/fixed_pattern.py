"""What pixels' unequal response adds to the scatter within a flat, told from noise by how it grows."""

from __future__ import annotations

import numpy as np

from fiducial.algorithms.arrays import Float64, Numbers

_LEAST = 4  # levels that differ: one more than the curve has numbers
_DIFFERENT = 1.1  # times one another


def variance_without_pattern(means: Numbers, variances: Numbers) -> Float64:
    r"""Variance of a pixel in flats of many levels, the fixed pattern taken off.

    Within one flat pixels scatter by :math:`v = r^2 + \mu / g + p^2 \mu^2`: read-out, shot noise, and a
    pattern that all flats have in common, which is no error of their levels' ratios. Its p is fitted.

    Parameters
    ----------
    means, variances : (n,)
        Of the pixels of each flat; those that are not finite and positive do not count.

    Returns
    -------
    (n,) float64
        Never below the noise that the fit expects; as it was where levels are too few to tell a pattern.

    References
    ----------
    Janesick 2007, Photon Transfer, chapter 4 (fixed pattern noise); non-negative least squares: Lawson &
    Hanson 1974, Solving Least Squares Problems, chapter 23.
    """
    from scipy.optimize import nnls  # long to import

    m, v = np.asarray(means, np.float64), np.asarray(variances, np.float64)
    known = np.isfinite(m) & np.isfinite(v) & (m > 0) & (v > 0)
    if not _tell(m[known]):
        return v.copy()
    top = float(m[known].max())
    terms = (m[known, None] / top) ** np.arange(3.0)
    # Each variance is as certain, relatively, as the others.
    noise, shot, pattern = nnls(terms / v[known, None], np.ones(len(terms)))[0]
    with np.errstate(invalid="ignore"):
        left = np.maximum(v - pattern * (m / top) ** 2, noise + shot * m / top)
    return np.where(known, left, v)


def _tell(m: Float64) -> bool:
    """Whether there are levels enough that differ."""
    steps = np.diff(np.log(np.sort(m))) if len(m) else np.zeros(0)
    count, since = 1, 0.0
    for step in steps:
        since += float(step)
        if since > np.log(_DIFFERENT):
            count, since = count + 1, 0.0
    return count >= _LEAST
