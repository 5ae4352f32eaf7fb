"""Small groups of missing pixels filled in by a Gaussian process."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.ndimage import distance_transform_edt, find_objects, label

from fiducial.algorithms.arrays import Flags, Float32, Float64, Int64, Numbers
from fiducial.algorithms.interpolate import Filled

_EIGHT = np.ones((3, 3), np.bool_)  # pixels that touch at a corner belong together
_MOST = 300  # surrounding pixels that are used, the nearest
_FEWEST = 8  # without which a group is not filled
_REACH = 3.0  # lengths of correlation that surroundings reach
_NOTHING = 1e-20
_JITTER = 1e-6  # of the amplitude, without which the solution is not stable


def interpolate_process(
    image: Float32, variance: Numbers, wanted: Flags, usable: Flags, *, length: float, most: int
) -> Filled:
    """Fill groups of touching missing pixels from their surroundings by a Gaussian process.

    Its covariance is A exp(-d^2 / 2 l^2) about the mean of the surroundings; A is their variance beyond their
    noise. The variance of a filled pixel is that of the prediction, and the mean noise of the surroundings.

    Parameters
    ----------
    image : (ny, nx)
    variance : (ny, nx)
        Of its noise, > 0 where usable.
    wanted : (ny, nx) bool
        Pixels to fill.
    usable : (ny, nx) bool
        Pixels that may be used.
    length : float
        l, pixels.
    most : int
        Groups of more pixels are left.

    Returns
    -------
    Filled
        Group by group.

    References
    ----------
    Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, equations 2.25 and 2.26.
    """
    reach = int(np.ceil(_REACH * length))
    labels, count = label(wanted, _EIGHT)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    found: list[Float64] = []
    for number, (y, x) in enumerate(find_objects(labels), 1):
        if sizes[number] > most:
            continue
        y0, x0 = max(y.start - reach, 0), max(x.start - reach, 0)
        window = slice(y0, y.stop + reach), slice(x0, x.stop + reach)
        group = labels[window] == number
        filled = _group(image[window], variance[window], group, usable[window], length)
        if filled is not None:
            filled[:2] += np.array([[y0], [x0]])
            found.append(filled)
    y, x, value, noise = np.concatenate([np.empty((4, 0)), *found], axis=1)
    return Filled(y.astype(np.int64), x.astype(np.int64), value, noise)


def _group(image: Float32, variance: Numbers, group: Flags, usable: Flags, length: float) -> Float64 | None:
    """(4, n): y, x, value and variance of the pixels of a group; None: too little is around it."""
    around = np.argwhere(usable)
    if len(around) < _FEWEST:
        return None
    distance = distance_transform_edt(~group)[usable]
    around = around[np.argsort(distance, kind="stable")[:_MOST]]
    values = image[tuple(around.T)].astype(np.float64)
    noise = variance[tuple(around.T)].astype(np.float64)
    mean = float(np.mean(values))
    own = float(np.mean(noise))
    amplitude = max(float(np.var(values, ddof=1)) - own, 1e-3 * own, _NOTHING)
    noise += _JITTER * amplitude
    asked = np.argwhere(group)
    factor = cho_factor(amplitude * _correlation(around, around, length) + np.diag(noise), lower=True)
    cross = amplitude * _correlation(asked, around, length)
    value = mean + cross @ cho_solve(factor, values - mean)
    known = np.einsum("ij,ji->i", cross, cho_solve(factor, cross.T))
    return np.vstack([asked.T, value, np.maximum(amplitude - known, 0.0) + own])


def _correlation(a: Int64, b: Int64, length: float) -> Float64:
    square = np.square(a[:, np.newaxis, :] - b[np.newaxis, :, :]).sum(axis=2)
    correlation: Float64 = np.exp(-0.5 * square / length**2)
    return correlation
