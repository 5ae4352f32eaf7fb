"""What a rule may read of one frame: its keywords, its file's name and folder, its level."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from fiducial.cameras.facts import StateValue

ENDINGS = (".gz", ".bz2", ".fz", ".fits", ".fit", ".fts")


class Source:
    """One frame's keywords, cleaned: no empty text, no NaN, one value each.

    Parameters
    ----------
    header
        Keywords of the frame; of one that stands twice the first value counts.
    file
        Path of the file.
    hdu_headers
        The header of each HDU, for files of several detectors.
    level
        Gives the median of the raw pixels; called at most once, and only if a rule asks for ``$LEVEL``.
    """

    def __init__(
        self,
        header: Mapping[str, Any],
        file: str,
        hdu_headers: Sequence[Mapping[str, Any]] = (),
        level: Callable[[], float] | None = None,
    ) -> None:
        self.header = header
        self.file = file
        self.hdu_headers = hdu_headers
        self._level = level
        self._values: dict[str, Any] = {}
        for key, value in header.items():
            self._values.setdefault(str(key).upper(), value)

    def get(self, key: str) -> StateValue | None:
        """The value of a keyword, or of ``$FILENAME``, ``$FOLDER``, ``$LEVEL``; None where there is none."""
        if key.startswith("$"):
            return self._special(key.upper())
        return usable(self._values.get(key.upper()))

    def has(self, key: str) -> bool:
        """Whether the keyword stands in the header at all, with a usable value or without."""
        return key.startswith("$") or key.upper() in self._values

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return Path(self.file).name

    @property
    def stem(self) -> str:
        """The file's name without the endings of FITS files and of compression."""
        name = self.name
        while (ending := Path(name).suffix.lower()) in ENDINGS and len(name) > len(ending):
            name = name[: -len(ending)]
        return name

    @cached_property
    def _measured_level(self) -> float | None:
        level = self._level() if self._level is not None else None
        return None if level is None or not math.isfinite(level) else float(level)

    def _special(self, key: str) -> StateValue | None:
        match key:
            case "$FILENAME":
                return self.name
            case "$FOLDER":
                return Path(self.file).absolute().parent.name
            case "$LEVEL":
                return self._measured_level
        return None


def usable(value: Any) -> StateValue | None:
    """A header's value as text, number or truth value; None for what says nothing."""
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        text = value.strip()
        return text if text and text.lower() not in ("nan", "inf", "-inf") else None
    if value is None or type(value).__name__ == "Undefined":  # astropy's, without importing astropy
        return None
    try:  # numbers of numpy
        return usable(value.item())
    except AttributeError:
        return None


def as_text(value: StateValue) -> str:
    """A header's value as text; whole numbers without a decimal point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
