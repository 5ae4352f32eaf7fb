"""Rectangles of pixels, written as FITS sections (``[x1:x2,y1:y2]``, from 1, both ends included)."""

from __future__ import annotations

import re
from dataclasses import dataclass

SECTION = re.compile(r"^\s*\[\s*(\d+)\s*:\s*(\d+)\s*,\s*(\d+)\s*:\s*(\d+)\s*\]\s*$")


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of pixels: columns ``x0 <= x < x1``, rows ``y0 <= y < y1``, both from 0.

    ``flip_x`` and ``flip_y`` say that the section was written backwards (``[512:1,...]``), which
    in FITS means that the axis runs the other way round.
    """

    x0: int
    x1: int
    y0: int
    y1: int
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def parse(cls, section: str) -> Region:
        """Make a region from a FITS section such as ``[512:1,1:2000]``."""
        match = SECTION.match(section)
        if match is None:
            raise ValueError(f"{section!r} is not a FITS section like [1:1024,1:350]")
        xa, xb, ya, yb = (int(group) for group in match.groups())
        if min(xa, xb, ya, yb) < 1:
            raise ValueError(f"{section!r}: FITS sections count from 1")
        return cls(min(xa, xb) - 1, max(xa, xb), min(ya, yb) - 1, max(ya, yb), xa > xb, ya > yb)

    def __str__(self) -> str:
        x = (self.x1, self.x0 + 1) if self.flip_x else (self.x0 + 1, self.x1)
        y = (self.y1, self.y0 + 1) if self.flip_y else (self.y0 + 1, self.y1)
        return f"[{x[0]}:{x[1]},{y[0]}:{y[1]}]"

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns: the shape of an array of these pixels."""
        return self.y1 - self.y0, self.x1 - self.x0

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of these pixels in an array (rows first); flips are not applied."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def contains(self, other: Region) -> bool:
        """Whether the other rectangle lies inside this one."""
        return self.x0 <= other.x0 and other.x1 <= self.x1 and self.y0 <= other.y0 and other.y1 <= self.y1

    def overlaps(self, other: Region) -> bool:
        """Whether the two rectangles share a pixel."""
        return self.x0 < other.x1 and other.x0 < self.x1 and self.y0 < other.y1 and other.y0 < self.y1
