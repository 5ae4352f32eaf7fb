"""The masters of a section: each detector whole, its uncertainty and mask, and the focal plane."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fiducial.cameras.model import Amplifier
from fiducial.figures.display import block_for, block_mean
from fiducial.figures.focal_plane import draw_focal_plane
from fiducial.figures.master import draw_master
from fiducial.figures.style import stretch
from fiducial.figures.uncertainty import draw_uncertainty
from fiducial.products.masks import DESCRIPTIONS, UNUSABLE, Plane
from fiducial.reports.headline import detector_name
from fiducial.reports.model import Master, ReportData
from fiducial.reports.numbers import count, number, percent
from fiducial.reports.pictures import Album, Picture
from fiducial.reports.room import Room, failed_detectors
from fiducial.reports.words import quantity_of


@dataclass(frozen=True)
class MaskLine:
    """How many pixels of a master have one mask plane set."""

    plane: str
    meaning: str
    pixels: str
    fraction: str
    unusable: bool


@dataclass(frozen=True)
class MasterView:
    """One detector's master in the page."""

    image: Picture
    uncertainty: Picture
    mask: tuple[MaskLine, ...]
    empty_planes: str  # those that no pixel has


def usable_pixels(master: Master) -> NDArray[np.bool_]:
    """Where a master may be used."""
    return np.asarray((master.planes.mask & int(UNUSABLE)) == 0)


def master_view(data: ReportData, detector: int, room: Room, album: Album) -> MasterView:
    """Show one detector's master."""
    master = data.masters[detector]
    amplifiers = data.camera.amplifiers(detector)
    usable = usable_pixels(master)
    what = f"Master {data.label} of detector {detector_name(data, detector)}"
    image = album.picture(
        draw_master(
            master.planes.image,
            amplifiers,
            quantity=quantity_of(data.kind),
            unit=master.unit,
            usable=usable,
            largest=room.master,
        ),
        title=what,
        description=_describe(master, amplifiers, usable),
        caption=f"{what}. {_blocks(master, room.master)} Values beyond the scale have "
        "the colours of its ends. Triangles: the corner that is read first.",
    )
    uncertainty = album.picture(
        draw_uncertainty(
            master.planes.variance, ~usable, amplifiers, unit=master.unit, largest=room.master // 2
        ),
        title=f"{what}: uncertainty and mask",
        description=_describe_uncertainty(master, usable),
        caption="Left or above: the uncertainty of a pixel (root of the mean variance of a block). "
        "Right or below: pixels that may not be used.",
    )
    lines = tuple(_mask_lines(master.planes.mask))
    absent = ", ".join(line.plane for line in lines if line.pixels == "0")
    return MasterView(image, uncertainty, tuple(line for line in lines if line.pixels != "0"), absent)


def focal_plane_picture(data: ReportData, room: Room, album: Album) -> Picture | None:
    """Show all masters on the focal plane; None for a camera of one detector."""
    if len(data.camera.detectors) < 2 or not data.masters:
        return None
    side = max(16, int(np.sqrt(room.focal_plane / len(data.masters))))
    images = {
        detector: block_mean(master.planes.image, block_for(_shape(master), side), usable_pixels(master))
        for detector, master in data.masters.items()
    }
    unit = next(iter(data.masters.values())).unit
    marked = failed_detectors(data.verdict)
    figure = draw_focal_plane(data.camera, images, quantity=quantity_of(data.kind), unit=unit, marked=marked)
    failing = ", ".join(detector_name(data, detector) for detector in sorted(marked)) or "none"
    return album.picture(
        figure,
        title=f"Master {data.label} on the focal plane",
        description=f"{len(images)} of {len(data.camera.detectors)} detectors at their places. "
        f"{_medians(images, unit)} Detectors that fail: {failing}.",
        caption="All detectors at their places, turned as the camera's file says. "
        "A heavy outline and an exclamation mark: the detector fails.",
    )


def _shape(master: Master) -> tuple[int, int]:
    ny, nx = master.planes.image.shape
    return int(ny), int(nx)


def _blocks(master: Master, largest: int) -> str:
    block = block_for(_shape(master), largest)
    return "Every pixel is shown." if block == 1 else f"Shown are means of {block} × {block} pixels."


def _describe(master: Master, amplifiers: tuple[Amplifier, ...], usable: NDArray[np.bool_]) -> str:
    image = np.where(usable, master.planes.image, np.nan)
    low, high = stretch(image[:: max(1, image.shape[0] // 512), :: max(1, image.shape[1] // 512)])
    medians = [
        f"{amplifier.name} {number(_median(image[amplifier.detector.slices]))}" for amplifier in amplifiers
    ]
    ny, nx = image.shape
    return (
        f"{nx} columns by {ny} rows; 99 percent of the pixels lie between {number(low)} and "
        f"{number(high)} {master.unit}. Medians of the amplifiers: {', '.join(medians)} {master.unit}."
    )


def _describe_uncertainty(master: Master, usable: NDArray[np.bool_]) -> str:
    sigma = np.sqrt(_median(np.where(usable, master.planes.variance, np.nan)))
    return (
        f"Median uncertainty of a pixel {number(float(sigma))} {master.unit}; "
        f"{percent(1.0 - float(usable.mean()))} of the pixels may not be used."
    )


def _median(values: NDArray[np.floating]) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else float("nan")


def _medians(images: Mapping[int, NDArray[np.float32]], unit: str) -> str:
    middle = np.array([_median(image) for image in images.values()])
    if not np.isfinite(middle).any():
        return "No detector has a usable pixel."
    return f"Their medians run from {number(np.nanmin(middle))} to {number(np.nanmax(middle))} {unit}."


def _mask_lines(mask: NDArray[np.int32]) -> list[MaskLine]:
    lines = []
    for plane in Plane:
        pixels = int(np.count_nonzero(mask & int(plane)))
        lines.append(
            MaskLine(
                plane=plane.name or "",
                meaning=DESCRIPTIONS[plane],
                pixels=count(pixels),
                fraction=percent(pixels / mask.size),
                unusable=bool(plane & UNUSABLE),
            )
        )
    return lines
