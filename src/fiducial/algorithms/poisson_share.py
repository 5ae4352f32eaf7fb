"""What share of the photon noise that electrons should have they do have: brighter-fatter takes the rest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fiducial.algorithms.arrays import Float64

type PoissonShare = Callable[[Float64], Float64]
"""From electrons in a pixel, of any shape, to their variance as a share of Poisson's."""


def share_of_a00(a00: float) -> PoissonShare:
    """The share by the approximation that photon transfer fits: (exp(2 a00 e) - 1) / (2 a00 e).

    References
    ----------
    Astier et al. 2019 (A&A 629, A36), equation 16; see `fiducial.algorithms.ptc_models`.
    """

    def share(electrons: Float64) -> Float64:
        z = 2.0 * a00 * np.asarray(electrons, np.float64)
        safe = np.where(np.abs(z) < 1e-8, 1.0, z)
        return np.where(np.abs(z) < 1e-8, 1.0 + 0.5 * z, np.expm1(safe) / safe)

    return share


def share_of_curve(means: Float64, variances: Float64, gain: float, noise: float) -> PoissonShare:
    """The share that a fitted curve has, whatever its form, linear between its points.

    Parameters
    ----------
    means, variances : (n,)
        Of the curve, adu and adu^2; points that are not finite or not positive are passed over.
    gain : float
        Its gain, electrons per adu.
    noise : float
        Its variance without light, adu^2.

    Returns
    -------
    PoissonShare
        1 without light; beyond the highest mean as there.
    """
    good = np.isfinite(means) & np.isfinite(variances) & (means > 0)
    order = np.argsort(means[good], kind="stable")
    at = np.append(0.0, gain * means[good][order])
    shares = np.append(1.0, gain * (variances[good] - noise)[order] / means[good][order])
    return lambda electrons: np.asarray(np.interp(electrons, at, shares))
