"""What the chain works on: the pixels of one amplifier within a strip."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from fiducial.algorithms.overscan import OverscanModel
    from fiducial.cameras.model import Amplifier
    from fiducial.cameras.regions import Region
    from fiducial.corrections.frame import Cut

type Float32 = NDArray[np.float32]
type Float64 = NDArray[np.float64]
type Int32 = NDArray[np.int32]
type Planes = tuple[Float32, Int32]
"""Image and mask."""
type World = Literal["adu", "electron"]


@dataclass(slots=True, eq=False)
class Segment:
    """The pixels of one amplifier within a strip; corrections change it, that is what it is for.

    Attributes
    ----------
    amplifier : Amplifier
        Whose pixels they are.
    rows : (int, int)
        First row and end, of the raw HDU.
    raw : (ny, nx)
        The data pixels as in the file (adu, its orientation); never changed.
    overscan : (ny, n) or None
        Serial overscan of the same rows, as in the file.
    image : (ny, nx) float32
        What the corrections made of them, in ``world``'s unit.
    mask : (ny, nx) int32
        Bits of `~fiducial.products.masks.Plane`.
    row_variance, column_variance : (ny,) and (nx,) float64
        Variance that the models of the serial and the parallel overscan add, in that unit squared.
    variance : (ny, nx) float32 or None
        Variance of the pixels' own noise; None before the correction ``variance``.
    shared_variance : (ny, nx) float32 or None
        Variance of the masters subtracted and divided, the same error in every frame; None: none.
    window : Region or None
        Where the pixels are on the detector; None before the correction ``assembly``.
    models : dict
        The overscan models used, "serial" and "parallel".
    """

    amplifier: Amplifier
    rows: tuple[int, int]
    raw: NDArray[Any]
    overscan: NDArray[Any] | None
    image: Float32
    mask: Int32
    row_variance: Float64
    column_variance: Float64
    world: World = "adu"
    variance: Float32 | None = None
    shared_variance: Float32 | None = None
    window: Region | None = None
    models: dict[str, OverscanModel] = field(default_factory=dict)

    @classmethod
    def of_raw(cls, cut: Cut, out: Planes | None = None) -> Segment:
        """A segment that nothing was done to yet; pixels that are not finite are NaN in the image.

        ``out`` is memory for image and mask, in the orientation of the file.
        """
        if out is None:
            image, mask = cut.raw.astype(np.float32), np.zeros(cut.raw.shape, np.int32)
        else:
            image, mask = out
            np.copyto(image, cut.raw, casting="unsafe")
            mask.fill(0)
        return cls(
            cut.amplifier,
            cut.rows,
            cut.raw,
            cut.overscan,
            image,
            mask,
            np.zeros(image.shape[0]),
            np.zeros(image.shape[1]),
        )

    @property
    def place(self) -> Region:
        """Where the pixels are on the detector, of an assembled segment."""
        if self.window is None:
            raise ValueError(f"amplifier {self.amplifier.name} is not assembled yet")
        return self.window

    def added_variance(self) -> Float64:
        """(ny, nx) variance that the overscan models add, in the image's unit squared."""
        return self.row_variance[:, np.newaxis] + self.column_variance[np.newaxis, :]

    def total_variance(self) -> Float32:
        """The pixels' own variance and that of the masters."""
        if self.variance is None:
            return np.full(self.image.shape, np.nan, np.float32)
        return self.variance if self.shared_variance is None else self.variance + self.shared_variance
