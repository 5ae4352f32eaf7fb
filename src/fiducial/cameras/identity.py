"""What an exposure is called: its observing day, its number in that day, its id."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fiducial.cameras.facts_from_rules import find, header_error, missing, whole
from fiducial.cameras.rules import HeaderRules
from fiducial.cameras.source import Source, as_text
from fiducial.cameras.times import tai_to_utc

if TYPE_CHECKING:
    from fiducial.cameras.translator import TranslatedHeader

NUMBERS_A_DAY = 100_000  # exposure id = day_obs * this + seq_num, where the camera counts its exposures
TENTHS_A_DAY = 1_000_000  # the same where tenths of a second stand for the count: up to 864,000 a day


def day_of(rules: HeaderRules, source: Source, begin: Callable[[], datetime]) -> int:
    """The observing day as YYYYMMDD: as the header says, or that in which the exposure began.

    Raises
    ------
    HeaderError
        The header's day is no date.
    """
    if (said := find(rules.day_obs, source)) is not None:
        digits = re.sub(r"[-/\s]", "", as_text(said))
        try:
            datetime.strptime(digits, "%Y%m%d")
        except ValueError:
            problem = f"day_obs: {said!r} is not a day like 20240326"
            raise header_error(source, rules.day_obs, problem) from None
        return int(digits)
    day = tai_to_utc(begin()) - timedelta(hours=rules.day_offset)
    return int(day.strftime("%Y%m%d"))


def sequence_number(rules: HeaderRules, source: Source, day_obs: int, begin: Callable[[], datetime]) -> int:
    """The exposure's number in its day; without a rule, tenths of a second since the day began."""
    if rules.seq_num is not None:
        said = whole(rules.seq_num, source, "seq_num")
        if said is None:
            raise missing(source, rules.seq_num, "seq_num")
        if not 0 <= said < NUMBERS_A_DAY:
            raise header_error(
                source, rules.seq_num, f"seq_num: {said} is not between 0 and {NUMBERS_A_DAY - 1}"
            )
        return said
    day = datetime.strptime(str(day_obs), "%Y%m%d")
    since = tai_to_utc(begin()) - day - timedelta(hours=rules.day_offset)
    tenths = int(since / timedelta(milliseconds=100))
    if not 0 <= tenths < TENTHS_A_DAY:
        raise header_error(source, rules.begin, f"the exposure did not begin in its observing day {day_obs}")
    return tenths


def exposure_id(
    rules: HeaderRules, source: Source, day_obs: int, seq_num: int, translated: TranslatedHeader | None
) -> int:
    """The exposure's id, a positive number of at most 63 bits."""
    if rules.exposure_id is not None:
        own = whole(rules.exposure_id, source, "exposure_id")
        if own is None:
            raise missing(source, rules.exposure_id, "exposure_id")
    elif translated is not None and (given := translated.get("exposure_id")) is not None:
        own = int(given)
    else:
        own = day_obs * (TENTHS_A_DAY if rules.seq_num is None else NUMBERS_A_DAY) + seq_num
    own += whole(rules.exposure_offset, source, "exposure_offset") or 0
    if not 0 < own < 2**63:
        raise header_error(
            source, rules.exposure_id, f"exposure_id: {own} is not a positive number of 63 bits"
        )
    return own
