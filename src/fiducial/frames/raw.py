"""A raw frame: one FITS file, its images and headers, pixels read where and when they are needed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from fiducial.cameras.regions import Region
from fiducial.errors import LayoutMismatch
from fiducial.frames.pixels import PixelFormat, physical
from fiducial.frames.sources import Source, memory_source, open_source
from fiducial.frames.stored import CompressedRows, PlainRows, StoredRows
from fiducial.frames.structure import Hdu, read_structure

if TYPE_CHECKING:
    from astropy.io import fits

    from fiducial.frames.tiles import TileReader


@dataclass(frozen=True, slots=True)
class ImageHdu:
    """One image of a file: its HDU's index and name, its shape (rows, columns) and type of values."""

    index: int
    name: str
    shape: tuple[int, int]
    dtype: np.dtype[np.generic]  # uint16, int32 or float32: of what `RawFrame.read` gives
    compressed: bool

    def __str__(self) -> str:
        return f"{self.name or self.index} ({self.shape[1]} x {self.shape[0]})"


class RawFrame:
    """A raw FITS file, opened by its headers; pixels are read on demand.

    Reading is safe from several threads at once. A frame can be pickled: the copy opens the file
    again by its path. Files gzipped as a whole are unpacked in memory; tile-compressed images are
    decoded tile by tile.

    Use `RawFrame.open`, or `RawFrame.of_bytes` for a file that is in memory already.
    """

    def __init__(self, path: str, source: Source) -> None:
        self.path = path
        self._source = source
        self._hdus = read_structure(source, path)
        images = [(hdu, _two_axes(hdu)) for hdu in self._hdus]
        self.images: tuple[ImageHdu, ...] = tuple(
            _describe(hdu, shape) for hdu, shape in images if shape is not None
        )
        self._tiles: dict[int, TileReader] = {}

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> RawFrame:
        """Open a file; `UnreadableFrame` says why it is none, or cut short."""
        name = os.fspath(path)
        source = open_source(name)
        try:
            return cls(name, source)
        except BaseException:
            source.close()
            raise

    @classmethod
    def of_bytes(cls, path: str | os.PathLike[str], data: bytes | np.ndarray) -> RawFrame:
        """The frame of a file whose bytes were read before; ``path`` is where from."""
        name = os.fspath(path)
        return cls(name, memory_source(name, data))

    def header(self, hdu: int | str | None = None) -> fits.Header:
        """The primary header and that of one HDU (None: the first image's) as one.

        A keyword that stands twice has its first value; NaN, infinity and what is not written as
        FITS demands is None. Comments and history are left out.
        """
        from fiducial.frames.headers import merged_header  # astropy's cards take long to import

        if hdu is None:
            chosen = self._hdus[self.images[0].index] if self.images else self._hdus[0]
        else:
            chosen = self._find_hdu(hdu)
        parts = (self._hdus[0],) if chosen.index == 0 else (self._hdus[0], chosen)
        return merged_header(parts, self.path)

    def hdu_headers(self) -> tuple[fits.Header, ...]:
        """The header of every HDU by itself, in the order of the file, cleaned as by `header`."""
        from fiducial.frames.headers import clean_header

        return tuple(clean_header(hdu, self.path) for hdu in self._hdus)

    def find(self, hdu: int | str | None = None) -> ImageHdu:
        """The image of an HDU by index or EXTNAME (case does not matter); None: the only one there is.

        ``0`` is also the first extension of a file whose primary image was compressed.

        Raises
        ------
        LayoutMismatch
            There is no such image; the message names those that there are.
        """
        if hdu is None:
            found = list(self.images) if len(self.images) == 1 else []
        elif isinstance(hdu, str):
            found = [i for i in self.images if i.name.lower() == hdu.lower()]
        else:
            found = [i for i in self.images if i.index == hdu or (hdu == 0 and self._was_primary(i))]
        if found:
            return found[0]
        there = ", ".join(map(str, self.images)) or "no image at all"
        wanted = "one image" if hdu is None else f"an image in HDU {hdu}"
        raise LayoutMismatch(
            f"{Path(self.path).name}: {wanted} is expected, there is {there}",
            hint="Is this the right camera? Its file names the HDU of each amplifier or detector.",
            file=self.path,
            hdu=hdu,
        )

    def read(
        self, hdu: int | str | None = None, region: Region | None = None, *, threads: int = 1
    ) -> np.ndarray:
        """Physical pixel values, native byte order, in the orientation of the file.

        Parameters
        ----------
        hdu
            As in `find`.
        region
            Which pixels (its flips are ignored); None: all. Of an uncompressed image the rows of
            the region are read at once, from its first pixel to its last; of a compressed one the
            tiles that it touches.
        threads
            Threads that decode compressed tiles.

        Returns
        -------
        ndarray
            (rows, columns), of the image's `ImageHdu.dtype`; BLANK pixels are NaN.

        Raises
        ------
        LayoutMismatch
            No such image, or the region reaches beyond it.
        UnreadableFrame
            The bytes are not there, or a compressed tile is corrupt; the message has its number.
        """
        image = self.find(hdu)
        ny, nx = image.shape
        if region is None:
            region = Region(0, nx, 0, ny)
        if not Region(0, nx, 0, ny).contains(region):
            raise LayoutMismatch(
                f"{Path(self.path).name}: {region} is outside HDU {image}",
                hint="The frame is binned or windowed, or the camera file describes another layout.",
                file=self.path,
                hdu=image.name or image.index,
            )
        structure = self._hdus[image.index]
        form = PixelFormat.of(structure.cards, compressed=image.compressed)
        if 0 in region.shape:
            return np.empty(region.shape, form.dtype)
        if image.compressed:
            return self._tile_reader(structure).read(region, threads)
        return physical(self._plain(structure, form, region, nx), form)

    def stored_rows(self, hdu: int | str | None = None) -> StoredRows | None:
        """The rows of an HDU as integers of 16 bits that nobody converts; None where they are none.

        Those of a plain image are what the file has, big-endian and without BZERO; those of a
        compressed one the unsigned pixels that the decoder gives. ``hdu`` as in `find`.
        """
        image = self.find(hdu)
        structure = self._hdus[image.index]
        form = PixelFormat.of(structure.cards, compressed=image.compressed)
        if image.compressed:
            if form.dtype != np.uint16:
                return None
            return CompressedRows(form.dtype, 0, image.shape, self._tile_reader(structure))
        zero = form.integer_zero
        if zero is None:
            return None
        return PlainRows(form.stored, zero, image.shape, self._source, structure.data_offset)

    def close(self) -> None:
        """Close the file. A later read opens it again."""
        self._source.close()

    def __enter__(self) -> RawFrame:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[object, ...]:
        return RawFrame.open, (self.path,)

    def __repr__(self) -> str:
        return f"RawFrame({self.path!r}, {', '.join(map(str, self.images)) or 'no image'})"

    def _plain(self, hdu: Hdu, form: PixelFormat, region: Region, nx: int) -> np.ndarray:
        """Stored values of an uncompressed image: one read from the region's first to last pixel."""
        rows, columns = region.shape
        size = form.stored.itemsize
        first = region.y0 * nx + region.x0
        count = (rows - 1) * nx + columns
        data = self._source.read(hdu.data_offset + first * size, count * size).view(form.stored)
        if columns == nx:
            return data.reshape(rows, nx)
        strides = (nx * size, size)
        return np.ascontiguousarray(np.lib.stride_tricks.as_strided(data, (rows, columns), strides))

    def _tile_reader(self, hdu: Hdu) -> TileReader:
        reader = self._tiles.get(hdu.index)
        if reader is None:
            from fiducial.frames.tiles import TileReader  # its decoders, for those who need one

            reader = self._tiles[hdu.index] = TileReader(self._source, self.path, hdu)
        return reader

    def _was_primary(self, image: ImageHdu) -> bool:
        return image.index == 1 and "ZSIMPLE" in self._hdus[1].cards

    def _find_hdu(self, which: int | str) -> Hdu:
        for hdu in self._hdus:
            if which == hdu.index or (isinstance(which, str) and which.lower() == hdu.name.lower()):
                return hdu
        there = ", ".join(str(hdu.label) for hdu in self._hdus)
        raise LayoutMismatch(
            f"{Path(self.path).name} has no HDU {which!r}, only {there}",
            hint="Is this the right camera? Its file names the HDU whose header counts.",
            file=self.path,
            hdu=which,
        )


def _two_axes(hdu: Hdu) -> tuple[int, int] | None:
    """Rows and columns of an image; None where there is none. Further axes of length 1 are dropped."""
    shape = hdu.image_shape
    if len(shape) < 2 or 0 in shape or any(size != 1 for size in shape[:-2]):
        return None
    return shape[-2], shape[-1]


def _describe(hdu: Hdu, shape: tuple[int, int]) -> ImageHdu:
    form = PixelFormat.of(hdu.cards, compressed=hdu.compressed)
    return ImageHdu(hdu.index, hdu.name, shape, form.dtype, hdu.compressed)
