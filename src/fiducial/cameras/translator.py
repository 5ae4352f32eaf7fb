"""Facts that ``astro-metadata-translator`` reads from headers it knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fiducial.cameras.source import Source
from fiducial.errors import CameraError, HeaderError

# What a translator raises for a header it cannot read: it has no error class of its own for this.
_FAILURES = (KeyError, ValueError, TypeError, AttributeError, RuntimeError, NotImplementedError)
_NEEDED = ("detector", "exposure_id", "begin", "exposure_time")


class TranslatedHeader:
    """The facts of one header by the translator of that name.

    A fact that the header does not say, or that the translator cannot read, is None; those without
    which there is no exposure raise `HeaderError`.
    """

    def __init__(self, name: str, source: Source) -> None:
        from astro_metadata_translator import MetadataTranslator, fix_header

        known = MetadataTranslator.translators
        if name not in known:
            raise CameraError(
                f"headers.translator: astro-metadata-translator knows no {name!r}",
                hint=f"It knows {', '.join(sorted(known))}.",
            )
        self._source = source
        header: dict[str, Any] = {
            key: value for key in source.header if (value := source.get(str(key))) is not None
        }
        # The file is not named to the translator: some would open it again to look for more.
        fix_header(header, translator_class=known[name])
        self._translator = known[name](header)

    def get(self, fact: str) -> Any:
        """One fact, as `FrameFacts` has it; None where it has none or it is unknown."""
        read = _READERS.get(fact)
        if read is None:
            return None
        try:
            return read(self._translator)
        except _FAILURES as error:
            if fact not in _NEEDED:
                return None
            keyword = str(error.args[0]) if isinstance(error, KeyError) and error.args else ""
            raise HeaderError(
                f"{self._source.name}: {fact} cannot be read: {type(error).__name__} {error}",
                hint=f"The translator {self._translator.name} needs it; or give headers.{fact} a rule.",
                file=self._source.file,
                keyword=keyword if keyword.isupper() else "",
            ) from error


def _text(value: Any) -> str | None:
    return str(value).strip() or None if value is not None else None


def _tai(time: Any) -> datetime | None:
    return None if time is None else time.tai.to_datetime()


def _value(quantity: Any, unit: str) -> float | None:
    if quantity is None:
        return None
    from astropy import units

    return float(quantity.to_value(units.Unit(unit), equivalencies=units.temperature()))


def _frame_type(translator: Any) -> str | None:
    said = str(translator.to_observation_type() or "").strip().lower()
    known = {"zero": "bias", "dome flat": "flat", "sky flat": "flat", "object": "science", "none": ""}
    return known.get(said, said.replace(" ", "_")[:16]) or None


def _pointing(translator: Any, axis: str) -> float | None:
    where = translator.to_tracking_radec()
    return None if where is None else float(getattr(where.icrs, axis).deg)


_READERS: dict[str, Callable[[Any], Any]] = {
    "detector": lambda t: t.to_detector_num(),
    "detector_serial": lambda t: _text(t.to_detector_serial()),
    "exposure_id": lambda t: t.to_exposure_id(),
    "obs_id": lambda t: _text(t.to_observation_id()),
    "day_obs": lambda t: t.to_observing_day(),
    "seq_num": lambda t: t.to_observation_counter(),
    "group": lambda t: _text(t.to_exposure_group()),
    "begin": lambda t: _tai(t.to_datetime_begin()),
    "end": lambda t: _tai(t.to_datetime_end()),
    "exposure_time": lambda t: _value(t.to_exposure_time(), "s"),
    "dark_time": lambda t: _value(t.to_dark_time(), "s"),
    "frame_type": _frame_type,
    "filter": lambda t: _text(t.to_physical_filter()),
    "reason": lambda t: _text(t.to_observation_reason()),
    "target": lambda t: _text(t.to_object()),
    "program": lambda t: _text(t.to_science_program()),
    "ra": lambda t: _pointing(t, "ra"),
    "dec": lambda t: _pointing(t, "dec"),
}
