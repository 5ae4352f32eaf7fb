"""One detector of one exposure, opened: what the chain reads its pixels from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fiducial.cameras.regions import Region
from fiducial.corrections.strips import RowSpan, Strip, columns_needed
from fiducial.frames.content import check_shape

if TYPE_CHECKING:
    from fiducial.algorithms.overscan import OverscanModel
    from fiducial.cameras.facts import FrameFacts
    from fiducial.cameras.model import Amplifier, Camera
    from fiducial.corrections.memory import FramePlanes
    from fiducial.frames.raw import RawFrame
    from fiducial.frames.records import FrameRecord


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """What a strip holds of one amplifier: data and serial overscan of the same rows, as in the file."""

    amplifier: Amplifier
    rows: tuple[int, int]  # first and end, of the raw HDU
    raw: NDArray[Any]
    overscan: NDArray[Any] | None


class Pixels(Protocol):
    """Where pixels come from: a `~fiducial.frames.raw.RawFrame`, or an array in memory."""

    def read(self, hdu: int | str | None = None, region: Region | None = None) -> NDArray[Any]:
        """Raw pixels of a region, in the orientation of the file."""
        ...


class DetectorFrame:
    """One detector of one exposure.

    Parameters
    ----------
    raw
        The opened file.
    camera, detector
        What it is of.
    facts
        What its header says.
    record
        What ingest noted of it (checksum, content), where that is known.

    Raises
    ------
    LayoutMismatch
        An amplifier's HDU is missing, or has another shape than the camera's.
    """

    def __init__(
        self,
        raw: RawFrame,
        camera: Camera,
        detector: int,
        facts: FrameFacts,
        record: FrameRecord | None = None,
    ) -> None:
        self.raw = raw
        self.camera = camera
        self.detector = detector
        self.facts = facts
        self.record = record
        self.amplifiers: tuple[Amplifier, ...] = camera.amplifiers(detector)
        self.models: dict[tuple[str, str], OverscanModel] = {}  # fitted to whole amplifiers
        self.notes: dict[str, str | int | float | bool] = {}  # what corrections measured, by header key
        self.bad_amplifiers: dict[str, str] = {}  # name to reason
        self.pixels: Pixels = raw
        self.planes: FramePlanes | None = None  # that hold the segments' pixels while it is corrected
        self.threads = 1  # that corrections may use on it
        expected = camera.layout(detector).raw_shape
        images = [raw.find(hdu) for hdu in {repr(amp.hdu): amp.hdu for amp in self.amplifiers}.values()]
        for image in images:
            check_shape(raw, image, expected)
        self.compressed = any(image.compressed for image in images)
        self._width = expected[1]

    @property
    def exposure(self) -> int:
        """The exposure's id."""
        return self.facts.exposure

    @property
    def kept_bytes(self) -> int:
        """Memory that the frame's pixels take between two strips."""
        return self.pixels.kept_bytes if isinstance(self.pixels, WholeImages) else 0

    def cuts(self, strip: Strip, out: Sequence[NDArray[Any]] | None = None) -> list[Cut]:
        """Read a strip: the raw pixels of all amplifiers, as in the file, in the layout's order.

        ``out``, for each span of the strip, is memory to read into: of its rows and `columns`, of the pixels'
        type.
        """
        found: dict[int, Cut] = {}
        for index, span in enumerate(strip.spans):
            found |= self._cut(span, self._rows(span) if out is None else self._fill(span, out[index]))
        return [found[index] for index in sorted(found)]

    def columns(self, span: RowSpan) -> tuple[int, int]:
        """First column and end of what is read of a span."""
        return columns_needed([self.amplifiers[index] for index in span.amplifiers], self._width)

    def read(self, amp: Amplifier, region: Region) -> NDArray[Any]:
        """Raw pixels of a region of an amplifier's HDU."""
        return self.pixels.read(amp.hdu, region)

    def _rows(self, span: RowSpan) -> NDArray[Any]:
        x0, x1 = self.columns(span)
        return self.pixels.read(span.hdu, Region(x0, x1, span.y0, span.y1))

    def _fill(self, span: RowSpan, out: NDArray[Any]) -> NDArray[Any]:
        """Read a span into memory that is there: whole rows of 16 bits at once, others by way of a copy."""
        whole = self.columns(span) == (0, self._width) and out.dtype == np.uint16
        stored = self.raw.stored_rows(span.hdu) if whole and self.pixels is self.raw else None
        if stored is None:
            np.copyto(out, self._rows(span))
        else:
            stored.read_pixels(span.y0, out)
        return out

    def _cut(self, span: RowSpan, rows: NDArray[Any]) -> dict[int, Cut]:
        x0, _ = self.columns(span)
        amplifiers = [self.amplifiers[index] for index in span.amplifiers]
        out = {}
        for index, amp in zip(span.amplifiers, amplifiers, strict=True):
            overscan = amp.serial_overscan
            beside = None
            if overscan is not None and overscan.y0 <= span.y0 and span.y1 <= overscan.y1:
                beside = rows[:, overscan.x0 - x0 : overscan.x1 - x0]
            data = rows[:, amp.data.x0 - x0 : amp.data.x1 - x0]
            out[index] = Cut(amp, (span.y0, span.y1), data, beside)
        return out


class WholeImages:
    """Pixels of a file kept in memory: each HDU is read, and decoded, once.

    For frames that are small enough to be kept, or whose compression makes reading them in strips
    wasteful.
    """

    def __init__(self, raw: RawFrame) -> None:
        self._raw = raw
        self._images: dict[str, NDArray[Any]] = {}

    def read(self, hdu: int | str | None = None, region: Region | None = None) -> NDArray[Any]:
        """Raw pixels of a region: a view of what is kept, not to be changed."""
        key = repr(hdu)
        if key not in self._images:
            image = self._raw.read(hdu)
            image.flags.writeable = False
            self._images[key] = image
        image = self._images[key]
        return image if region is None else image[region.slices]

    @property
    def kept_bytes(self) -> int:
        """Memory that the images read so far take."""
        return sum(image.nbytes for image in self._images.values())


def as_float(pixels: NDArray[Any], saturation: float) -> NDArray[np.float64]:
    """Overscan pixels with NaN where they are saturated: a bleeding trail is no level."""
    values = pixels.astype(np.float64)
    values[values >= saturation] = np.nan
    return values
