"""Image products: arrays to `lsst.images.MaskedImage` and back, and the hash of their content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import astropy.units as u
import numpy as np
from lsst.images import Image, Mask, MaskedImage, MaskPlane, MaskSchema
from numpy.typing import NDArray

from fiducial.products.masks import DESCRIPTIONS, Plane

type Scalar = str | int | float | bool
type Metadata = Mapping[str, Scalar]

NUMBER_OF_PLANES = 31
"""As many as one int32 holds in `lsst.images`, which leaves the sign alone."""


class Planes(NamedTuple):
    """The arrays of an image product, all of one shape."""

    image: NDArray[np.float32]
    variance: NDArray[np.float32]
    mask: NDArray[np.int32]


def mask_schema() -> MaskSchema:
    """The schema of every mask: one int32 with the planes of `fiducial.products.masks`."""
    planes: list[MaskPlane | None] = [MaskPlane(plane.name or "", DESCRIPTIONS[plane]) for plane in Plane]
    return MaskSchema(planes + [None] * (NUMBER_OF_PLANES - len(planes)), dtype=np.int32)


def to_masked_image(
    image: NDArray[np.float32],
    variance: NDArray[np.float32],
    mask: NDArray[np.int32],
    *,
    unit: u.UnitBase,
    metadata: Metadata,
) -> MaskedImage:
    """Make an image product; the arrays are used as they are, not copied.

    Parameters
    ----------
    image, variance
        Shape (ny, nx), in ``unit`` and its square.
    mask
        Shape (ny, nx), bits of `~fiducial.products.masks.Plane`.
    unit
        Unit of ``image``.
    metadata
        Scalars only; they become FITS cards.
    """
    return MaskedImage(
        Image(image, unit=unit),
        mask=Mask(mask[:, :, np.newaxis], schema=mask_schema()),
        variance=Image(variance, unit=unit**2),
        metadata=dict(metadata),
    )


def planes_of(masked_image: MaskedImage) -> Planes:
    """The arrays of an image product, without a copy where that is possible."""
    return Planes(
        masked_image.image.array,
        masked_image.variance.array,
        masked_image.mask.array[:, :, 0],
    )


def content_hash(masked_image: MaskedImage, *, ignore: tuple[str, ...] = ("FID RUN ",)) -> str:
    """SHA-256 over pixels and science cards: equal for equal content, whenever it was written.

    Parameters
    ----------
    masked_image
        The product.
    ignore
        Prefixes of metadata keys that tell of the run (its time, its host), not of the content.
    """
    digest = hashlib.sha256()
    for array, dtype in zip(planes_of(masked_image), ("<f4", "<f4", "<i4"), strict=True):
        digest.update(repr(array.shape).encode())
        digest.update(np.ascontiguousarray(array, dtype=dtype).tobytes())
    for key in sorted(masked_image.metadata):
        if not key.startswith(ignore):
            digest.update(f"{key}={masked_image.metadata[key]!r}\n".encode())
    digest.update(str(masked_image.unit).encode())
    return digest.hexdigest()
