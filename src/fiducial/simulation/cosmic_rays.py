"""Cosmic rays: straight tracks of charge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ELECTRONS_PER_MICROMETRE = 80.0  # of a minimum ionising particle in silicon
THICKNESS = 100.0  # micrometre of silicon


@dataclass(frozen=True, slots=True)
class CosmicRays:
    """The charge that cosmic rays left in one exposure of one detector."""

    count: int  # particles
    y: np.ndarray  # rows of the assembled detector, int64
    x: np.ndarray  # columns
    electrons: np.ndarray  # float64; a pixel may stand here more than once


def cosmic_rays(
    shape: tuple[int, int], pixel_size: float, rate: float, time: float, rng: np.random.Generator
) -> CosmicRays:
    """Draw the cosmic rays of one exposure.

    Parameters
    ----------
    shape
        Rows and columns of the detector.
    pixel_size
        Micrometre.
    rate
        Events / cm2 / s.
    time
        Seconds during which they are collected, the readout included.
    rng
        Where the random numbers come from.

    Returns
    -------
    CosmicRays
        The number of particles is Poisson distributed; a track at zenith angle theta (density
        proportional to cos^2 theta sin theta) is THICKNESS tan(theta) long, and its charge is spread
        evenly over the pixels it crosses.
    """
    ny, nx = shape
    area = ny * nx * (pixel_size * 1e-4) ** 2
    count = int(rng.poisson(rate * area * time))
    rows, columns, charges = [], [], []
    for _ in range(count):
        cosine = max(rng.uniform() ** (1.0 / 3.0), 0.1)
        length = THICKNESS * np.sqrt(1.0 - cosine**2) / cosine / pixel_size
        angle = rng.uniform(0, 2 * np.pi)
        steps = int(np.ceil(2 * length)) + 1
        along = np.linspace(0.0, length, steps)
        rows.append(np.floor(rng.uniform(0, ny) + along * np.sin(angle)))
        columns.append(np.floor(rng.uniform(0, nx) + along * np.cos(angle)))
        total = ELECTRONS_PER_MICROMETRE * THICKNESS / cosine * rng.gamma(8.0, 1.0 / 8.0)
        charges.append(np.full(steps, total / steps))
    if not count:
        nothing = np.zeros(0, np.int64)
        return CosmicRays(0, nothing, nothing, np.zeros(0))
    y, x = np.concatenate(rows).astype(np.int64), np.concatenate(columns).astype(np.int64)
    inside = (y >= 0) & (y < ny) & (x >= 0) & (x < nx)
    return CosmicRays(count, y[inside], x[inside], np.concatenate(charges)[inside])
