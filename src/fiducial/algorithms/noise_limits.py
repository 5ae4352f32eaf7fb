"""Whether a measured noise is the one that was expected."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan, sqrt
from typing import Literal

type Outcome = Literal["ok", "low", "high", "unknown"]


@dataclass(frozen=True, slots=True)
class NoiseVerdict:
    """A noise over the expected one, the error of that, and on which side of the limits it is."""

    ratio: float
    error: float
    outcome: Outcome


def judge_noise(
    noise: float, freedom: int, expected: float, *, low: float, high: float, sigmas: float = 3.0
) -> NoiseVerdict:
    r"""Hold a noise against an expected one.

    It is low, or high, if its ratio is beyond a limit by more than ``sigmas`` times its error,
    :math:`r / \sqrt{2 \nu}`: a short overscan, which knows its noise badly, is not blamed for that.

    Parameters
    ----------
    noise : float
        Measured standard deviation; NaN: it could not be.
    freedom : int
        Degrees of freedom nu that it rests on.
    expected : float
        In the same unit, > 0.
    low, high : float
        Limits of noise / expected.
    sigmas : float
        How sure one wants to be.

    Returns
    -------
    NoiseVerdict
        ``unknown`` where the noise is NaN or has no degree of freedom.

    References
    ----------
    Error of a standard deviation: Kendall & Stuart 1977, The Advanced Theory of Statistics 1, chapter 10.
    """
    if not isfinite(noise) or freedom < 1:
        return NoiseVerdict(nan, nan, "unknown")
    ratio = noise / expected
    error = ratio / sqrt(2.0 * freedom)
    outcome: Outcome = "ok"
    if ratio + sigmas * error < low:
        outcome = "low"
    elif ratio - sigmas * error > high:
        outcome = "high"
    return NoiseVerdict(ratio, error, outcome)
