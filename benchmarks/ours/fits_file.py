"""FITS images written by rows, from several threads, without a copy of the whole."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

_BLOCK = 2880
_STORED = {-32: ">f4", 8: "u1"}


@dataclass(frozen=True)
class Plane:
    """An image of a file: name (empty: the primary image), BITPIX (-32 or 8), rows and columns."""

    name: str
    bitpix: int
    shape: tuple[int, int]


class ImageFile:
    """A new file of images, as large as it will be; rows can be written in any order."""

    def __init__(self, path: str | Path, planes: list[Plane]) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        self._planes = {plane.name: plane for plane in planes}
        self._offsets: dict[str, int] = {}
        offset = 0
        if planes[0].name:
            offset = self._header(offset, [_card("SIMPLE", "T"), _card("BITPIX", 8), _card("NAXIS", 0)])
        for plane in planes:
            rows, columns = plane.shape
            first = f"XTENSION= '{'IMAGE':<8}'" if plane.name else _card("SIMPLE", "T")
            cards = [first, _card("BITPIX", plane.bitpix), _card("NAXIS", 2)]
            cards += [_card("NAXIS1", columns), _card("NAXIS2", rows)]
            if plane.name:
                cards += [_card("PCOUNT", 0), _card("GCOUNT", 1), f"EXTNAME = '{plane.name:<8}'"]
            self._offsets[plane.name] = offset = self._header(offset, cards)
            size = rows * columns * abs(plane.bitpix) // 8
            offset += size + -size % _BLOCK
        os.ftruncate(self._descriptor, offset)

    def write(self, name: str, first: int, rows: NDArray[np.generic]) -> None:
        """Write rows of a plane from the given one on."""
        plane = self._planes[name]
        stored = np.ascontiguousarray(rows, dtype=_STORED[plane.bitpix])
        row_bytes = plane.shape[1] * stored.itemsize
        os.pwrite(self._descriptor, stored, self._offsets[name] + first * row_bytes)

    def __enter__(self) -> ImageFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def _header(self, offset: int, cards: list[str]) -> int:
        text = "".join(card.ljust(80) for card in [*cards, "END"])
        text += " " * (-len(text) % _BLOCK)
        os.pwrite(self._descriptor, text.encode("ascii"), offset)
        return offset + len(text)


def _card(keyword: str, value: str | int) -> str:
    return f"{keyword:<8}= {value:>20}"
