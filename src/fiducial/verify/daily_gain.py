"""The gain of a day from one pair of flats, by the definition of the photon transfer that is in force."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, isfinite, sqrt
from typing import TYPE_CHECKING

import numpy as np

from fiducial.algorithms.pairs import flat_pair_gain
from fiducial.algorithms.poisson_share import share_of_curve
from fiducial.algorithms.statistics import scatter_inflation

if TYPE_CHECKING:
    from fiducial.algorithms.arrays import Numbers
    from fiducial.products.ptc import AmplifierTransfer

_PARAMETERS = 4.0  # of a curve of variances, or of what covariances say of them


@dataclass(frozen=True, slots=True)
class DailyGain:
    """What a pair of flats says.

    Attributes
    ----------
    gain, error : float
        Electrons per adu; the error of photon transfer's gain is in it.
    mean : float
        Mean signal of the pair, adu.
    change, change_error : float
        Relative to the gain of photon transfer: how far the pair is off the curve, with the error of both.
    """

    gain: float
    error: float
    mean: float
    change: float
    change_error: float


def daily_gain(
    flat_a: Numbers,
    flat_b: Numbers,
    known: AmplifierTransfer,
    *,
    level_a: Numbers | float = 0.0,
    level_b: Numbers | float = 0.0,
    block: int = 16,
) -> DailyGain:
    """Gain of one amplifier from one pair of flats that photon transfer knows.

    A single pair cannot tell the gain from the brighter-fatter effect, which lowers the variance: at 50,000
    electrons and a00 = -2e-6 per electron the gain would come out ten per cent too high. The curve of
    photon transfer says what share of the photon noise there is at so many electrons; with it the pair's
    gain is that which a new curve would give, if nothing but the gain has changed.

    Parameters
    ----------
    flat_a, flat_b, level_a, level_b, block
        As of `fiducial.algorithms.pairs.flat_pair_gain`, linearised as the flats of ``known`` were.
    known
        Photon transfer of the amplifier, in force.

    Raises
    ------
    ValueError
        Photon transfer of the amplifier is not determined.
    AlgorithmError
        The pair gives no gain.
    """
    fit = known.fit
    if not fit.determined:
        raise ValueError(f"photon transfer of amplifier {known.name} is not determined: {fit.reason}")
    own = fit.noise / fit.gain if isfinite(fit.noise) else 0.0
    variance = float(fit.noise_matrix[0, 0]) / fit.gain**2
    found = flat_pair_gain(
        flat_a,
        flat_b,
        level_a=level_a,
        level_b=level_b,
        block=block,
        read_noise=known.read_noise if known.read_noise > 0 else own,
        share=share_of_curve(
            known.mean[known.kept],
            fit.curve[known.kept, 0, 0],
            fit.gain,
            variance if isfinite(variance) else 0.0,
        ),
    )
    ratio = found.gain / fit.gain
    change_error = ratio * hypot(found.error / found.gain, _error_of_curve(known))
    error = found.gain * hypot(change_error / ratio, fit.gain_error / fit.gain)
    return DailyGain(found.gain, error, found.mean, ratio - 1.0, change_error)


def _error_of_curve(known: AmplifierTransfer) -> float:
    """Relative error of the curve's variance, in the mean over its pairs: sqrt(parameters / pairs) of one's.

    Gain and a00 are much less sure than the curve that they give together, and cancel in a change.
    """
    one = sqrt(2.0 / float(np.median(known.counts[known.kept, 0, 0])))
    return one * scatter_inflation(known.fit.chi2, known.fit.freedom) * sqrt(_PARAMETERS / known.kept.sum())
