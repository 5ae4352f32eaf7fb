"""Numbers as a reader wants them: as many digits as they deserve, with their units."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from numbers import Integral, Real

NOTHING = "–"
MINUS = "−"
MOST_LISTED = 12  # of a list in the ledger; the ledger itself has all
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: object, digits: int = 4) -> str:
    """A number with so many significant digits; text as it is; a dash for None and NaN."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool) or not isinstance(value, Real):
        return str(value)
    real = float(value)
    if isinstance(value, Integral) or real == 0:
        return str(round(real)).replace("-", MINUS)
    if math.isnan(real):
        return NOTHING
    if math.isinf(real):
        return "∞" if real > 0 else f"{MINUS}∞"
    if not 1e-4 <= abs(real) < 1e6:
        mantissa, exponent = f"{real:.{digits - 1}e}".split("e")
        return f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPTS)}".replace("-", MINUS)
    places = digits - 1 - math.floor(math.log10(abs(real)))
    return f"{real:.{max(places, 0)}f}".replace("-", MINUS)


def measured(value: float | None, uncertainty: float | None, unit: str = "") -> str:
    """A value with its uncertainty to two digits, and the unit: ``0.0123 ± 0.0021 adu``."""
    if value is None or math.isnan(value):
        return NOTHING
    if not uncertainty or not math.isfinite(uncertainty):
        return f"{number(value)} {unit}".rstrip()
    places = min(max(1 - math.floor(math.log10(abs(uncertainty))), 0), 12)
    if places > 6:
        return f"{number(value, 3)} ± {number(uncertainty, 2)} {unit}".rstrip()
    text = f"{value:.{places}f} ± {uncertainty:.{places}f} {unit}".rstrip()
    return text.replace("-", MINUS, 1) if value < 0 else text


def count(value: int) -> str:
    """A count with thin spaces between thousands."""
    return f"{value:,}".replace(",", "\u202f")


def percent(fraction: float) -> str:
    """A fraction as percent; what is not zero never reads as zero."""
    if math.isnan(fraction):
        return NOTHING
    if 0 < fraction < 5e-5:
        return "< 0.01 %"
    return f"{100 * fraction:.{2 if fraction < 0.1 else 1}f} %"


def moment(value: datetime | str | None) -> str:
    """A time to the second, as text."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return re.sub(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?", r"\1 \2", str(value))


def in_words(value: object) -> str:
    """A value from the ledger as text: lists with commas, mappings as ``key: value``."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {in_words(item)}" for key, item in value.items())
    if isinstance(value, list | tuple) and len(value) > MOST_LISTED:
        return f"{in_words(value[:3])}, … {in_words(value[-1])} ({len(value)} of them)"
    if isinstance(value, list | tuple):
        return ", ".join(in_words(item) for item in value) or NOTHING
    return NOTHING if value is None else str(value)


def plural(number_of: int, thing: str) -> str:
    """``1 frame``, ``2 frames``."""
    return f"{count(number_of)} {thing}{'' if number_of == 1 else 's'}"
