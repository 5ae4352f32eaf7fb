"""A master calibration as the chain uses it, and whether it belongs to a frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import astropy.units as u
import numpy as np

from fiducial.errors import CalibrationMismatch
from fiducial.products import metadata as meta
from fiducial.products.masks import Plane

if TYPE_CHECKING:
    from lsst.images import MaskedImage

    from fiducial.cameras.regions import Region
    from fiducial.corrections.base import Context
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Float32, Int32

INHERITED = int(Plane.BAD | Plane.NO_DATA | Plane.SUSPECT | Plane.UNMASKED_NAN)
"""Mask planes that a frame takes over from its masters."""

_UNITS = {
    "bias": {"adu": u.adu, "electron": u.electron},
    "dark": {"adu": u.adu / u.s, "electron": u.electron / u.s},
    "flat": {"adu": u.dimensionless_unscaled, "electron": u.dimensionless_unscaled},
}


@dataclass(frozen=True, eq=False)
class Master:
    """A master calibration of one detector.

    Parameters
    ----------
    kind
        ``bias``, ``dark``, ``flat``.
    product
        Its image, variance, mask and metadata.
    dataset
        Its id in the repository; empty where it is in none.
    """

    kind: str
    product: MaskedImage
    dataset: str = ""

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of its content: the product's own, or that of images."""
        from fiducial.products.images import content_hash

        own: Any = getattr(self.product, "content_hash", None)
        return str(own()) if own is not None else content_hash(self.product)

    @cached_property
    def image(self) -> Float32:
        """(ny, nx)."""
        return np.asarray(self.product.image.array)

    @cached_property
    def variance(self) -> Float32:
        """(ny, nx); where it is not known (NaN) it counts as none."""
        variance = np.asarray(self.product.variance.array)
        return np.nan_to_num(variance, nan=0.0, posinf=0.0) if np.isnan(variance).any() else variance

    @cached_property
    def mask(self) -> Int32:
        """(ny, nx): the planes that frames inherit."""
        return np.asarray(self.product.mask.array[:, :, 0]) & np.int32(INHERITED)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What its header says."""
        return self.product.metadata

    def require_fit(self, context: Context) -> None:
        """Refuse a master of another detector, shape or unit.

        Raises
        ------
        CalibrationMismatch
            Naming what differs.
        """
        layout = context.camera.layout(context.detector)
        self.require_detector(context)
        if self.image.shape != layout.shape:
            (ny, nx), (rows, columns) = self.image.shape, layout.shape
            raise self._mismatch(
                f"has {nx} x {ny} pixels, the detector {columns} x {rows}",
                "It was made with another layout or binning.",
            )
        world = self.metadata.get(meta.WORLD, context.world)
        expected = _UNITS.get(self.kind, {}).get(context.world)
        if world != context.world or (expected is not None and self.product.unit not in (None, expected)):
            raise self._mismatch(
                f"is in {self.product.unit or world} ({world}), the chain works in {context.world}",
                "Bootstrap masters go with chains without gain, final masters with chains that have it.",
            )

    def require_detector(self, context: Context) -> None:
        """Refuse a master of another detector.

        Raises
        ------
        CalibrationMismatch
            Naming both.
        """
        instrument = self.metadata.get(meta.INSTRUMENT, context.camera.name)
        detector = self.metadata.get(meta.DETECTOR, context.detector)
        if str(instrument) != context.camera.name or int(detector) != context.detector:
            raise self._mismatch(
                f"is of {instrument} detector {detector}, "
                f"not {context.camera.name} detector {context.detector}",
                "Give the collection that holds the calibrations of this detector.",
            )

    def require_state(self, frame: DetectorFrame, correction: str = "") -> None:
        """Refuse a master made in another state of the camera than the frame's; unknown never differs.

        Parameters
        ----------
        frame
            What it is for.
        correction
            Whose setting switches this off; empty: none does.

        Raises
        ------
        CalibrationMismatch
            Naming the keys that differ and both values.
        """
        from fiducial.cameras import state_differences

        own = frame.facts.model_copy(update={"state": meta.read_state(self.metadata)})
        differences = state_differences(frame.camera, frame.facts, own)
        if differences:
            text = ", ".join(f"{key} is {a} and {b}" for key, (a, b) in sorted(differences.items()))
            raise self._mismatch(
                f"is of another camera state than exposure {frame.exposure} (frame and master: {text})",
                "Use a master made in the frame's state"
                + (
                    f", or switch the check off: corrections.{correction}.matchState=False."
                    if correction
                    else "."
                ),
            )

    def _mismatch(self, what: str, hint: str) -> CalibrationMismatch:
        name = f"{self.kind} {self.dataset}" if self.dataset else self.kind
        return CalibrationMismatch(f"master {name} {what}", hint=hint)


@dataclass(frozen=True, slots=True)
class MasterCut:
    """A master's planes within a window."""

    image: Float32
    variance: Float32
    mask: Int32


def cut(master: Master, window: Region) -> MasterCut:
    """The planes of a master within a window of the detector (views)."""
    where = window.slices
    return MasterCut(master.image[where], master.variance[where], master.mask[where])
