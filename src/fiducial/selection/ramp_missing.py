"""What there is and what is missing, where flats do not make up a ramp."""

from __future__ import annotations

from fiducial.algorithms.ptc_curve import LEAST_LEVELS
from fiducial.cameras.model import SelectionDefaults
from fiducial.errors import NothingToDo
from fiducial.selection.exposures import Exposure
from fiducial.selection.missing import SHOWN, number_of
from fiducial.selection.ramp_judge import by_time
from fiducial.selection.ramp_needs import RampNeeds
from fiducial.selection.ramp_survey import RampCandidate, RampSurvey
from fiducial.selection.state import describe_state


def too_few_levels(
    needs: RampNeeds, best: RampCandidate, found: RampSurvey, settings: SelectionDefaults
) -> NothingToDo:
    """Say which flats there are, why some of them do not serve, and which are missing.

    Parameters
    ----------
    needs
        Of the kind.
    best
        The ramp with most exposure times.
    found
        All flats.
    settings
        For the number of exposure times that are needed.
    """
    flats = "pairs of flats" if needs.pairs else "flats"
    times = by_time(best.exposures)
    counts = f"{number_of(len(best.exposures), 'flat')} of {number_of(len(times), 'exposure time')}"
    message = (
        f"{needs.what} needs {flats} of at least {settings.minimum} exposure times; "
        f"there are {counts} in {best.filter}: {_times(times)}"
    )
    aside = [found.aside[e.id] for e in best.exposures if e.id in found.aside]
    first = sum(e.id in found.first and e.id not in found.aside for e in best.exposures)
    parts = [f"{number_of(first, 'first exposure')} left out"] if first else []
    parts += [f"{len(aside)} set aside"] if aside else []
    parts += [f"{len(best.spare)} of no use"] if best.spare else []
    if parts:
        message += f" ({', '.join(parts)}: {number_of(len(best.levels), 'exposure time')} left)"
    reasons = [f"{finding.exposure}: {finding.reason}" for finding in aside]
    reasons += [f"{exposure}: {reason}" for exposure, reason in sorted(best.spare.items())]
    message += "".join(f"\n  {reason}" for reason in reasons[:SHOWN])
    if len(reasons) > SHOWN:
        message += f"\n  and {len(reasons) - SHOWN} more"
    others = [c for c in found.candidates if c is not best and c.levels]
    for other in others[:SHOWN]:
        message += (
            f"\n  also {number_of(len(other.levels), 'exposure time')} on {other.night} in {other.filter} "
            f"with {describe_state(other.group.state)}"
        )
    return NothingToDo(message, hint=_hint(needs, settings))


def _times(times: list[list[Exposure]]) -> str:
    shown = [f"{alike[0].facts.exposure_time:g}" for alike in times[: 2 * SHOWN]]
    return ", ".join(shown) + (", ... s" if len(times) > 2 * SHOWN else " s")


def _hint(needs: RampNeeds, settings: SelectionDefaults) -> str:
    each = "two flats of each" if needs.pairs else "a flat or more of each"
    hint = (
        f"take {each} of {settings.minimum} exposure times or more, from faint to saturated, in one filter "
        "and one camera state"
    )
    if needs.pairs:
        hint += (
            f"; fewer are let through by --minimum, but below {LEAST_LEVELS} pairs no gain is fitted (the "
            "verification of flats shows the gain of single pairs)"
        )
    return hint
