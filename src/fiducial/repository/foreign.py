"""A master of something else as a calibration image: unit, level, variance and mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import astropy.units as u
import numpy as np
from numpy.typing import NDArray

from fiducial.algorithms.statistics import robust_sigma
from fiducial.cameras.model import Camera
from fiducial.errors import LayoutMismatch
from fiducial.frames.checksum import sha256_of
from fiducial.frames.masters import PlainMaster
from fiducial.products import metadata as keys
from fiducial.products.masks import Plane

if TYPE_CHECKING:
    from lsst.images import MaskedImage

    from fiducial.cameras.facts import StateValue

UNITS = {"bias": u.electron, "dark": u.electron / u.s, "flat": u.dimensionless_unscaled}
UNITS_ADU = {"bias": u.adu, "dark": u.adu / u.s, "flat": u.dimensionless_unscaled}


@dataclass(frozen=True)
class ForeignMaster:
    """A master as it was read, and what it is of."""

    file: str
    detector: int
    physical_filter: str  # empty for kinds without one
    master: PlainMaster
    unit: u.UnitBase
    state: Mapping[str, StateValue] = field(default_factory=dict)  # of the camera, as far as it is known


def to_calibration_images(camera: Camera, kind: str, masters: Sequence[ForeignMaster]) -> list[MaskedImage]:
    """Calibration images in the unit of their kind: electrons, or adu for bootstrap kinds.

    Pixels are multiplied (or divided) by the nominal gain of their amplifier where the unit asks for
    it. Flats in counts are divided by the median over all masters of their filter, so that the ratios
    of detectors stay. NaN pixels stay NaN and are masked NO_DATA, pixels that the file's mask names are
    BAD. Without a variance in the file it is estimated from neighbouring pixels.

    Raises
    ------
    LayoutMismatch
        If a flat has no level that it could be divided by.
    """
    factors = [_factors(camera, kind, one) for one in masters]
    levels = [float(np.nanmedian(one.master.image * f)) for one, f in zip(masters, factors, strict=True)]
    images = []
    for one, factor in zip(masters, factors, strict=True):
        scale = 1.0
        if kind.startswith("flat") and one.unit != u.dimensionless_unscaled:
            scale = _flat_level(one, masters, levels)
        images.append(_to_image(camera, kind, one, factor / np.float32(scale), scale))
    return images


def _factors(camera: Camera, kind: str, one: ForeignMaster) -> NDArray[np.float32]:
    """What each pixel is multiplied by to be in electrons or adu: gains, their inverse, or 1."""
    factor = np.ones(one.master.image.shape, np.float32)
    bootstrap = kind.endswith("Bootstrap")
    in_adu, in_electrons = "adu" in str(one.unit), "electron" in str(one.unit)
    if (in_adu and not bootstrap) or (in_electrons and bootstrap):
        for amplifier in camera.amplifiers(one.detector):
            factor[amplifier.detector.slices] = amplifier.gain if in_adu else 1.0 / amplifier.gain
    return factor


def _flat_level(one: ForeignMaster, masters: Sequence[ForeignMaster], levels: Sequence[float]) -> float:
    same = [
        level
        for other, level in zip(masters, levels, strict=True)
        if other.physical_filter == one.physical_filter
    ]
    level = float(np.median(same))
    if not level > 0:
        raise LayoutMismatch(
            f"{one.file}: a flat with a median of {level:g} cannot be normalised",
            hint="Is it a flat? Its pixels are to be above zero.",
            file=one.file,
        )
    return level


def _to_image(
    camera: Camera, kind: str, one: ForeignMaster, factor: NDArray[np.float32], scale: float
) -> MaskedImage:
    from fiducial.products.images import to_masked_image

    base = kind.removesuffix("Bootstrap")
    world = "electron" if base == kind else "adu"
    image = (one.master.image * factor).astype(np.float32)
    if one.master.variance is None:
        variance, origin = _estimate(camera, one.detector, image), "estimated from neighbouring pixels"
    else:
        variance, origin = one.master.variance * factor**2, "of the file"
    mask = np.zeros(image.shape, np.int32)
    if one.master.mask is not None:
        mask[one.master.mask != 0] |= int(Plane.BAD)
    mask[~np.isfinite(image)] |= int(Plane.NO_DATA)
    metadata = keys.identity(kind, camera, one.detector, world, physical_filter=one.physical_filter)
    metadata |= {
        keys.NUMBER_OF_INPUTS: 0,
        "FID ADOPTED FILE": Path(one.file).name,
        "FID ADOPTED SHA256": sha256_of(one.file),
        "FID ADOPTED UNIT": str(one.unit) or "none",
        "FID ADOPTED SCALE": scale,
        "FID ADOPTED VARIANCE": origin,
    }
    metadata |= {keys.STATE + key: value for key, value in one.state.items()}
    metadata |= keys.amplifiers(image, mask, camera, one.detector)
    unit = (UNITS if world == "electron" else UNITS_ADU)[base]
    return to_masked_image(image, variance.astype(np.float32), mask, unit=unit, metadata=metadata)


def _estimate(camera: Camera, detector: int, image: NDArray[np.float32]) -> NDArray[np.float32]:
    """The variance of each amplifier from differences of neighbours in a row, outliers passed over.

    It contains the pattern from pixel to pixel, so it is an upper limit of the noise of a mean.
    """
    variance = np.full(image.shape, np.nan, np.float32)
    for amplifier in camera.amplifiers(detector):
        differences = np.diff(image[amplifier.detector.slices], axis=1)
        variance[amplifier.detector.slices] = robust_sigma(differences) ** 2 / 2
    return variance
