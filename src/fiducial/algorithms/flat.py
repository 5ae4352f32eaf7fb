"""Flats: levels of exposures and relative response of detectors or amplifiers, solved together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fiducial.algorithms.arrays import Flags, Float64, Numbers
from fiducial.errors import AlgorithmError


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """What the levels of flats separate into.

    Attributes
    ----------
    exposure : (n_exposure,) float64
        Level E of each exposure, in the unit of the levels; NaN where nothing was measured.
    unit : (n_unit,) float64
        Relative level G of each detector or amplifier; the weighted mean of log G is 0.
    residual : (n_exposure, n_unit) float64
        log B - log E - log G; NaN where B is missing.
    """

    exposure: Float64
    unit: Float64
    residual: Float64


def solve_levels(levels: Numbers, weights: Numbers) -> Levels:
    """Solve log B = log E + log G for the levels of exposures and units by weighted least squares.

    Parameters
    ----------
    levels : (n_exposure, n_unit)
        Level B of each exposure on each detector or amplifier; NaN, zero and negative ones are missing.
    weights : (n_exposure, n_unit)
        Weights of log B, 1 / variance (numbers of pixels are in that proportion); 0 or NaN: missing.

    Returns
    -------
    Levels

    Raises
    ------
    AlgorithmError
        Nothing was measured, or exposures fall into groups that share no unit, so that their levels cannot
        be compared.
    ValueError
        The shapes differ.

    References
    ----------
    The two-way layout with unequal numbers: Searle 1971, Linear Models, chapter 7; here by
    eliminating the larger set from the normal equations (Schur complement; Golub & Van Loan 2013,
    Matrix Computations, section 3.2).
    """
    if levels.ndim != 2 or levels.shape != weights.shape:
        raise ValueError(f"levels {levels.shape} and weights {weights.shape} must be one matrix each")
    measured = np.isfinite(levels) & (levels > 0) & np.isfinite(weights) & (weights > 0)
    exposures, units = measured.any(axis=1), measured.any(axis=0)
    _require_connected(measured, exposures, units)
    used = np.ix_(exposures, units)
    known = measured[used]
    log_level = np.log(np.where(known, levels[used], 1.0), dtype=np.float64)
    w = np.where(known, weights[used], 0.0).astype(np.float64)
    if known.shape[0] >= known.shape[1]:
        log_e, log_g = _eliminate(log_level, w)
    else:
        log_g, log_e = _eliminate(log_level.T, w.T)
    shift = np.sum(w.sum(axis=0) * log_g) / np.sum(w)
    exposure, unit = np.full(len(exposures), np.nan), np.full(len(units), np.nan)
    exposure[exposures], unit[units] = np.exp(log_e + shift), np.exp(log_g - shift)
    residual = np.full(levels.shape, np.nan)
    residual[used] = np.where(known, log_level - (log_e + shift)[:, None] - (log_g - shift), np.nan)
    return Levels(exposure, unit, residual)


def _eliminate(log_level: Float64, w: Float64) -> tuple[Float64, Float64]:
    """Unknowns of rows and columns; the columns' sum to zero."""
    share = w / w.sum(axis=1)[:, None]
    row_means = np.sum(share * log_level, axis=1)
    # einsum, not BLAS, whose last bits may depend on its number of threads.
    matrix = np.diag(w.sum(axis=0)) - np.einsum("ij,ik->jk", w, share)
    right = np.sum(w * (log_level - row_means[:, None]), axis=0)
    # A constant added to all columns changes nothing: a rank-one term sets their sum to zero.
    gauge = w.sum() / matrix.size
    columns = np.linalg.solve(matrix + gauge, right)
    return row_means - np.einsum("ij,j->i", share, columns), columns


def _require_connected(measured: Flags, exposures: Flags, units: Flags) -> None:
    if not measured.any():
        raise AlgorithmError(
            "no flat has a positive level on any detector or amplifier",
            hint="look at the frames: was the lamp on, was the bias subtracted?",
        )
    from scipy.sparse import csr_array  # long to import
    from scipy.sparse.csgraph import connected_components

    n = len(exposures)
    rows, columns = np.nonzero(measured)
    size = n + len(units)
    graph = csr_array((np.ones(len(rows)), (rows, columns + n)), shape=(size, size))
    present = np.concatenate([exposures, units])
    _, label = connected_components(graph, directed=False)
    groups = np.unique(label[present])
    if len(groups) > 1:
        first = [np.flatnonzero(label[:n] == group).tolist() for group in groups]
        raise AlgorithmError(
            f"flats fall into {len(groups)} groups that share no detector or amplifier: exposures {first}",
            hint="leave out one group, or normalise each detector alone",
        )
