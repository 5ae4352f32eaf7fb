"""Whether the lamp of a ramp was the same all along: light per second without a gap."""

from __future__ import annotations

from itertools import pairwise

from fiducial.selection.exposures import Exposure
from fiducial.selection.limits import ContentLimits
from fiducial.selection.ramp_survey import RampCandidate

_GAP = 0.1
"""Relative: what a lamp that was set otherwise shows, and neither shutters nor curved amplifiers do."""


def lamp_notes(best: RampCandidate, limits: ContentLimits) -> list[str]:
    """Say where flats fall into two by their light per second, saturated ones aside.

    Nothing is said without overscan, where a level is not known to be light.
    """
    rated = [(rate, e) for e in best.used if (rate := _rate(e, limits)) is not None]
    rated.sort(key=lambda pair: pair[0])
    for (low, _), (high, _) in pairwise(rated):
        if low > 0 and high > (1 + _GAP) * low:
            faint = [e for rate, e in rated if rate <= low]
            return [
                f"{len(faint)} flats of {_times(faint)} s have at most {low / high:.2f} of the others' light "
                "per second: if the lamp was set otherwise, -c linearizer:groups=ratio gives each brightness "
                "a scale of its own"
            ]
    return []


def _rate(exposure: Exposure, limits: ContentLimits) -> float | None:
    """Signal per second, adu; None where it cannot be said."""
    amplifiers = [amp for record in exposure.records for amp in record.content]
    if not amplifiers or any(amp.overscan is None for amp in amplifiers):
        return None
    if any(limits.ramp_saturated.broken(amp.saturated) is not None for amp in amplifiers):
        return None
    signals = sorted(amp.level - (amp.overscan or 0.0) for amp in amplifiers)
    return signals[len(signals) // 2] / exposure.facts.exposure_time


def _times(exposures: list[Exposure]) -> str:
    times = sorted({exposure.facts.exposure_time for exposure in exposures})
    return f"{times[0]:g}" if len(times) == 1 else f"{times[0]:g} to {times[-1]:g}"
