"""The defects of a detector as boxes with reasons."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from fiducial.products.base import KIND, SCHEMA
from fiducial.products.boxes import Boxes, boxes_of, paint_boxes

type Scalar = str | int | float | bool

MANUAL = "manual"
"""The reason of boxes that somebody wrote down without one."""

REPORTED = frozenset({"dust", "unlit"})
"""Reasons that are told only: no property of the detector, and no pixel is masked for them."""

_LONGEST = 66  # characters of keyword and value in a card of free keywords


@dataclass(frozen=True, eq=False)
class DefectSet:
    """Defects of one detector.

    Parameters
    ----------
    instrument
        Name of the camera.
    detector
        Id of the detector.
    shape
        Rows and columns of the detector.
    boxes
        Shape (n, 4): x0, y0, width, height, in pixels from 0 of the assembled detector. Boxes of one
        reason do not overlap, those of different reasons may.
    reasons
        Of each box: ``hot``, ``cold``, ``column``, ``manual``, ... Those in `REPORTED` mask nothing.
    metadata
        Scalars: the header.

    Raises
    ------
    ValueError
        Boxes and reasons differ in number, or a box lies outside of the detector.
    """

    instrument: str
    detector: int
    shape: tuple[int, int]
    boxes: Boxes
    reasons: tuple[str, ...]
    metadata: Mapping[str, Scalar] = field(default_factory=dict)

    kind: ClassVar[str] = "defects"
    schema: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.boxes.shape != (len(self.reasons), 4):
            raise ValueError(f"boxes of shape {self.boxes.shape} for {len(self.reasons)} reasons")
        (ny, nx), (x0, y0, width, height) = self.shape, self.boxes.T
        off = (x0 < 0) | (y0 < 0) | (width < 1) | (height < 1) | (x0 + width > nx) | (y0 + height > ny)
        if off.any():
            first = self.boxes[off][0].tolist()
            raise ValueError(f"the box x0, y0, width, height = {first} is not on the detector of {nx} x {ny}")

    @classmethod
    def from_masks(
        cls,
        masks: Mapping[str, NDArray[np.bool_]],
        *,
        instrument: str,
        detector: int,
        shape: tuple[int, int],
        metadata: Mapping[str, Scalar] | None = None,
    ) -> Self:
        """Make a set from a mask for each reason."""
        found = {reason: boxes_of(mask) for reason, mask in masks.items()}
        boxes = np.concatenate([np.zeros((0, 4), np.int32), *found.values()])
        reasons = tuple(reason for reason, own in found.items() for _ in range(len(own)))
        return cls(instrument, detector, shape, boxes, reasons, dict(metadata or {}))

    def names(self) -> tuple[str, ...]:
        """The reasons that there are, in the order in which they come."""
        return tuple(dict.fromkeys(self.reasons))

    def mask_of(self, *reasons: str) -> NDArray[np.bool_]:
        """(ny, nx): the pixels of some reasons."""
        wanted = np.array([reason in reasons for reason in self.reasons], dtype=bool)
        return paint_boxes(self.boxes[wanted], self.shape)

    def mask(self) -> NDArray[np.bool_]:
        """(ny, nx): the pixels that are not to be used."""
        return self.mask_of(*(name for name in self.names() if name not in REPORTED))

    def counts(self, window: tuple[slice, slice] | None = None) -> dict[str, int]:
        """Count the pixels of each reason within a window, and under ``any`` those that are masked."""
        where = window or (slice(None), slice(None))
        counts = {name: int(np.count_nonzero(self.mask_of(name)[where])) for name in self.names()}
        return counts | {"any": int(np.count_nonzero(self.mask()[where]))}

    def joined(self, others: Iterable[DefectSet]) -> DefectSet:
        """Make the union with other sets of the same detector, reason by reason.

        Raises
        ------
        ValueError
            One is of another detector or shape.
        """
        sets = [self, *others]
        for other in sets[1:]:
            self.require_same_detector(other)
        names = dict.fromkeys(name for one in sets for name in one.names())
        masks = {
            name: np.logical_or.reduce([one.mask_of(name) for one in sets if name in one.names()])
            for name in names
        }
        return DefectSet.from_masks(
            masks,
            instrument=self.instrument,
            detector=self.detector,
            shape=self.shape,
            metadata=self.metadata,
        )

    def require_same_detector(self, other: DefectSet) -> None:
        """Refuse a set of another detector or shape by a ValueError."""
        mine = (self.instrument, self.detector, self.shape)
        its = (other.instrument, other.detector, other.shape)
        if mine != its:
            raise ValueError(
                f"defects of {its[0]} detector {its[1]} ({its[2][1]} x {its[2][0]} pixels) do not go with "
                f"those of {mine[0]} detector {mine[1]} ({mine[2][1]} x {mine[2][0]})"
            )

    def with_metadata(self, more: Mapping[str, Scalar]) -> DefectSet:
        """The same with more in its header."""
        return replace(self, metadata={**self.metadata, **more})

    def to_hdus(self) -> fits.HDUList:
        """The FITS HDUs: a header of scalars, the table of boxes, and all metadata, long texts included."""
        primary = fits.PrimaryHDU()
        header = primary.header
        header[KIND] = (self.kind, "kind of product")
        header[SCHEMA] = (self.schema, "version of its layout")
        header["INSTRUME"] = self.instrument
        header["DETECTOR"] = self.detector
        header["DETNY"], header["DETNX"] = self.shape
        for key, value in self.metadata.items():
            if key not in header and len(key) + len(str(value)) <= _LONGEST:
                header[f"HIERARCH {key}"] = value
        width = max([len(reason) for reason in self.reasons], default=1)
        x0, y0, columns, rows = self.boxes.T
        table = fits.BinTableHDU.from_columns(
            [
                fits.Column("x0", "J", unit="pixel", array=x0),
                fits.Column("y0", "J", unit="pixel", array=y0),
                fits.Column("width", "J", unit="pixel", array=columns),
                fits.Column("height", "J", unit="pixel", array=rows),
                fits.Column("reason", f"{width}A", array=np.array(self.reasons, dtype=f"S{width}")),
            ],
            name="DEFECTS",
        )
        return fits.HDUList([primary, table, _metadata_table(self.metadata)])

    @classmethod
    def from_hdus(cls, hdus: fits.HDUList) -> Self:
        """Read back what `to_hdus` wrote.

        Raises
        ------
        ValueError
            If the HDUs are of another product, or of a later layout.
        """
        header = hdus[0].header
        if header.get(KIND) != cls.kind or header.get(SCHEMA, 0) > cls.schema:
            raise ValueError(
                f"{header.get(KIND)!r} of layout {header.get(SCHEMA)}, not {cls.kind!r} of {cls.schema}"
            )
        table: Any = hdus["DEFECTS"].data
        names = ("x0", "y0", "width", "height")
        return cls(
            instrument=header["INSTRUME"],
            detector=int(header["DETECTOR"]),
            shape=(int(header["DETNY"]), int(header["DETNX"])),
            boxes=np.stack([np.asarray(table[name], dtype=np.int32) for name in names], axis=1),
            reasons=tuple(str(reason) for reason in table["reason"]),
            metadata={str(row["key"]): json.loads(row["value"]) for row in hdus["METADATA"].data},
        )


def _metadata_table(metadata: Mapping[str, Scalar]) -> fits.BinTableHDU:
    """Key and value, as JSON: a card has no room for long texts."""
    columns = []
    for name, texts in (("key", list(metadata)), ("value", [json.dumps(v) for v in metadata.values()])):
        width = max([len(text) for text in texts], default=1)
        columns.append(fits.Column(name, f"{width}A", array=np.array(texts, dtype=f"S{width}")))
    return fits.BinTableHDU.from_columns(columns, name="METADATA")
