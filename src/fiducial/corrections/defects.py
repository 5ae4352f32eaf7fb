"""Defects: pixels that are known to be of no use are marked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from fiducial.corrections.base import Context, Correction
from fiducial.corrections.masters import Master
from fiducial.corrections.with_master import MasterConfig
from fiducial.errors import CalibrationMismatch, ConfigurationError
from fiducial.products.defects import DefectSet
from fiducial.products.masks import Plane

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Segment


@dataclass(frozen=True, eq=False)
class DefectMaster(Master):
    """Defects as the chain uses them: ``product`` is a `DefectSet`."""

    product: DefectSet  # type: ignore[assignment]

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of detector, boxes and reasons."""
        digest = hashlib.sha256(repr((self.product.instrument, self.product.detector)).encode())
        digest.update(np.ascontiguousarray(self.product.boxes, dtype="<i4").tobytes())
        digest.update("\n".join(self.product.reasons).encode())
        return digest.hexdigest()

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What its header says."""
        return self.product.metadata


def as_master(kind: str, product: Any, dataset: str = "") -> Master:
    """A product as the chain uses it, whatever its kind."""
    return DefectMaster(kind, product, dataset) if kind == "defects" else Master(kind, product, dataset)


class DefectsCorrection(Correction):
    """Mark the pixels of the defects that are certified as BAD; their values stay.

    Raises
    ------
    ConfigurationError
        The chain names the correction, and there are no defects.
    CalibrationMismatch
        They are of another detector or shape.
    """

    name = "defects"
    master = "defects"
    ConfigClass = MasterConfig

    def __init__(self, config: Any, context: Context) -> None:
        super().__init__(config, context)
        found = context.masters.get("defects")
        if not isinstance(found, DefectMaster):
            raise ConfigurationError(
                "the chain has the correction 'defects', but there are no defects",
                hint="Certify defects, give the collection that holds them, "
                "or leave defects out of the chain.",
            )
        defects, shape = found.product, context.camera.layout(context.detector).shape
        mine = (context.camera.name, context.detector, shape)
        if (defects.instrument, defects.detector, defects.shape) != mine:
            raise CalibrationMismatch(
                f"defects {found.dataset} are of {defects.instrument} detector {defects.detector} "
                f"({defects.shape[1]} x {defects.shape[0]} pixels), not of {mine[0]} detector {mine[1]} "
                f"({shape[1]} x {shape[0]})",
                hint="Give the collection that holds the defects of this detector.",
            )
        self._found = found
        self.mask = defects.mask().astype(np.int32) * np.int32(Plane.BAD)

    def check(self, frame: DetectorFrame) -> None:
        """Refuse a frame of another camera state than that of the masters that defects were found in."""
        if self.config.matchState:
            self._found.require_state(frame, self.name)

    def correct(self, segment: Segment, frame: DetectorFrame) -> None:
        """Mark them."""
        segment.mask |= self.mask[segment.place.slices]

    def notes(self) -> dict[str, str | int | float | bool]:
        """The content hash, and how many pixels are masked."""
        return {"HASH": self._found.content_hash, "PIXELS": int(np.count_nonzero(self.mask))}
