"""What a science frame sees: stars on a sky."""

from __future__ import annotations

import numpy as np

from fiducial.simulation.plan import Physics


def sky_and_stars(shape: tuple[int, int], physics: Physics, rng: np.random.Generator) -> np.ndarray:
    """Expected rate of a field of Gaussian stars on a flat sky, electron / s / pixel: (ny, nx) float32.

    The brightest star has ``physics.star_flux``; the others follow a power law (number above flux
    falls as flux to the minus one).
    """
    rate = np.full(shape, physics.sky_rate, np.float32)
    ny, nx = shape
    sigma = physics.seeing / 2.3548
    reach = int(np.ceil(6 * sigma))
    for rank in range(physics.stars):
        flux = physics.star_flux / (rank + 1)
        y0, x0 = rng.uniform(0, ny), rng.uniform(0, nx)
        y = np.arange(max(0, int(y0) - reach), min(ny, int(y0) + reach + 1))
        x = np.arange(max(0, int(x0) - reach), min(nx, int(x0) + reach + 1))
        profile_y = np.exp(-0.5 * ((y - y0) / sigma) ** 2)
        profile_x = np.exp(-0.5 * ((x - x0) / sigma) ** 2)
        star = flux / (2 * np.pi * sigma**2) * np.outer(profile_y, profile_x)
        rate[y[0] : y[-1] + 1, x[0] : x[-1] + 1] += star.astype(np.float32)
    return rate
