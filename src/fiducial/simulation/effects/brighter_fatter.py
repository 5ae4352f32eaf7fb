"""Brighter-fatter effect: charge that is collected moves the borders of pixels, and flats are correlated."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from pydantic import Field
from scipy import fft

from fiducial.simulation.settings import Strict

_SERIES = (1 / 2, 5 / 24, 1 / 16)
"""Of sqrt((exp(2 x) - 1) / (2 x)) - 1 in powers of x: what accumulation makes of a static displacement."""


class BrighterFatter(Strict):
    """The a-matrix: Cov_ij = a_ij mu^2 to first order, i rows (parallel) and j columns (serial) apart."""

    a00: float = Field(default=-2e-6, ge=-1e-5, lt=0)  # 1/electron
    reach: int = Field(default=6, ge=1, le=20)  # pixels; nothing beyond
    decay: float = Field(default=3.0, gt=0)  # of the other elements: distance to the minus this
    anisotropy: float = Field(default=1.6, gt=0)  # a_10 / a_01
    scatter: float = Field(default=0.03, ge=0, le=0.3)  # relative, of the strength between amplifiers


def a_matrix(settings: BrighterFatter) -> np.ndarray:
    """One quadrant of the a-matrix (1/electron): (reach + 1, reach + 1) float64, element (i, j).

    All elements but a_00 are positive, and the sum over all four quadrants is 0: charge only moves.
    """
    lags = np.arange(settings.reach + 1)
    stretch = settings.anisotropy ** (1.0 / settings.decay)
    distance = np.hypot(lags[:, None] / np.sqrt(stretch), lags[None, :] * np.sqrt(stretch))
    distance[0, 0] = 1.0
    shape = distance**-settings.decay
    shape[0, 0] = 0.0
    total = float(np.sum(shape * _multiplicity(settings.reach)))
    matrix: np.ndarray = -settings.a00 / total * shape
    matrix[0, 0] = settings.a00
    return matrix


def _multiplicity(reach: int) -> np.ndarray:
    """In how many quadrants an element stands."""
    twice = np.where(np.arange(reach + 1) == 0, 1.0, 2.0)
    result: np.ndarray = np.outer(twice, twice)
    return result


def displace(charge: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Move charge between pixels as the charge around it makes it.

    Parameters
    ----------
    charge
        (ny, nx), electrons collected if borders stood still.
    matrix
        One quadrant of the a-matrix (`a_matrix`), 1/electron.

    Returns
    -------
    (ny, nx) float32
        The sum is that of ``charge``, to rounding: what one pixel loses its neighbour gains.

    Notes
    -----
    With K such that its discrete Laplacian is the a-matrix (Coulton et al. 2018, arXiv:1711.06273), the
    flow through the border of two pixels is D(p) = Q grad(K * p), Q the charge at the border. In a
    uniform flat of level mu, D acts on fluctuations as a filter x = mu A(k), A the transform of the
    a-matrix. While charge accumulates, dC/dmu = 1 + 2 A C, so the power is mu (exp(2 x) - 1) / (2 x):
    equation 16 of Astier et al. 2019 (arXiv:1905.08677) for every frequency, equation 20 with b = 0.
    The square root's series to third order in D gives it; the first term left out is 0.03 x^4.
    """
    charge = np.ascontiguousarray(charge, np.float32)
    flow = np.float32(_SERIES[-1]) * charge
    for coefficient in _SERIES[-2::-1]:
        flow = _moved(charge, flow, matrix)
        flow += np.float32(coefficient) * charge
    moved = _moved(charge, flow, matrix)
    moved += charge
    return moved


def _moved(charge: np.ndarray, source: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Divergence of the flow that the field of ``source`` makes in ``charge``."""
    ny, nx = charge.shape
    pad = 2 * len(matrix)
    shape = tuple(fft.next_fast_len(n + 2 * pad, real=True) for n in (ny, nx))
    after = [(pad, total - n - pad) for n, total in zip((ny, nx), shape, strict=True)]
    # The mean has no field; without it float32 keeps the digits of what has one.
    spectrum = fft.rfft2(np.pad(source - source.mean(dtype=np.float64), after, mode="symmetric"))
    spectrum *= _response(matrix.tobytes(), len(matrix), shape)
    potential = fft.irfft2(spectrum, s=shape)[pad : pad + ny, pad : pad + nx].astype(np.float32)
    moved = np.zeros_like(charge)
    half = np.float32(0.5)
    flow = np.diff(potential, axis=0) * (charge[1:] + charge[:-1]) * half
    moved[:-1] += flow
    moved[1:] -= flow
    flow = np.diff(potential, axis=1) * (charge[:, 1:] + charge[:, :-1]) * half
    moved[:, :-1] += flow
    moved[:, 1:] -= flow
    return moved


@lru_cache(maxsize=8)
def _response(matrix: bytes, side: int, shape: tuple[int, ...]) -> np.ndarray:
    """Transform of the kernel K on a periodic grid: that of the a-matrix over that of the Laplacian."""
    a = np.frombuffer(matrix, np.float64).reshape(side, side) * _multiplicity(side - 1)
    lags = np.arange(side)
    ky = 2 * np.pi * np.arange(shape[0]) / shape[0]
    kx = 2 * np.pi * np.arange(shape[1] // 2 + 1) / shape[1]
    transform = np.cos(np.outer(ky, lags)) @ a @ np.cos(np.outer(lags, kx))
    laplacian = 2 * np.cos(ky)[:, None] + 2 * np.cos(kx)[None, :] - 4.0
    laplacian[0, 0] = 1.0
    transform[0, 0] = 0.0
    response: np.ndarray = (transform / laplacian).astype(np.float32)
    return response
