"""The residuals of a section: first exposure beside the second, every one at full size on demand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fiducial.figures.display import block_for, block_mean
from fiducial.figures.encode import data_uri, palette_png
from fiducial.figures.residuals import draw_residuals
from fiducial.figures.style import diverging, symmetric_stretch
from fiducial.reports.headline import detector_name
from fiducial.reports.model import ReportData, Residuals
from fiducial.reports.numbers import number
from fiducial.reports.pictures import Album, Picture
from fiducial.reports.room import Room
from fiducial.reports.words import ROLES


@dataclass(frozen=True)
class Frame:
    """The residual image of one exposure."""

    exposure: int
    role: str
    failed: bool
    address: str  # data URI
    description: str
    width: int
    height: int


@dataclass(frozen=True)
class ContactSheet:
    """The residual images of all exposures, small side by side, each at full size on demand."""

    frames: tuple[Frame, ...]
    half_width: str  # where the colour scale ends
    binning: str
    coarser: int  # frames whose image is not as fine as it is stored
    left_out: int  # frames whose image is not in the page


@dataclass(frozen=True)
class ResidualView:
    """One detector's residuals in the page."""

    pair: Picture | None
    mean: Picture | None
    models: Picture | None
    no_models: str  # why there is no comparison of overscan models


def residual_view(data: ReportData, detector: int, room: Room, album: Album) -> ResidualView:
    """Show one detector's residuals in figures."""
    residuals = data.residuals[detector]
    order = np.argsort(residuals.mjd, kind="stable")
    painter = _Painter(data, detector, residuals, album, room.residual)
    return ResidualView(
        pair=_pair(painter, order),
        mean=_mean(painter),
        models=_models(painter, order),
        no_models="" if _has_second(residuals) else "No second overscan model was fitted.",
    )


def contact_sheet(residuals: Residuals, failed: frozenset[int], room: int) -> ContactSheet:
    """The residual images of all exposures in the order of time.

    Parameters
    ----------
    residuals
        Residuals of one detector.
    failed
        Exposures with a failing test on it; these, the first exposure and the one after it keep
        their full size before others do.
    room
        Characters that the images may take. Where there is not enough they become coarser, and in
        the end fewer.
    """
    order = np.argsort(residuals.mjd, kind="stable")
    half = symmetric_stretch(residuals.images[:, ::2, ::2])
    pair = _neighbours(residuals, order) or ()
    urgent = [i for i in order.tolist() if i in pair or int(residuals.exposures[i]) in failed]
    others = [i for i in order.tolist() if i not in urgent]
    shown: dict[int, Frame] = {}
    for indices in (urgent, others):
        left = room - sum(len(frame.address) for frame in shown.values())
        shown |= _fitting(residuals, indices, half, left, failed)
    frames = tuple(shown[index] for index in order.tolist() if index in shown)
    rows, columns = residuals.block
    return ContactSheet(
        frames=frames,
        half_width=f"{number(half, 3)} {residuals.unit}",
        binning="every pixel of the detector"
        if rows * columns == 1
        else f"each pixel shown is the mean of {columns} × {rows} pixels",
        coarser=sum(frame.width < residuals.images.shape[2] for frame in frames),
        left_out=len(order) - len(frames),
    )


def _fitting(
    residuals: Residuals, indices: list[int], half: float, room: int, failed: frozenset[int]
) -> dict[int, Frame]:
    """Images of exposures, all as fine as fits into the room; those beyond it are left out."""
    pixels = int(np.prod(residuals.images.shape[1:]))
    coarse = next((c for c in (1, 2, 4) if len(indices) * pixels / c**2 <= 0.9 * room), 4)
    chosen: dict[int, Frame] = {}
    for index in indices:
        image = block_mean(residuals.images[index], coarse)
        address = data_uri(palette_png(image, diverging(), -half, half))
        room -= len(address)
        if room < 0:
            break
        chosen[index] = _frame(residuals, index, address, image.shape, failed)
    return chosen


def _neighbours(residuals: Residuals, order: NDArray[np.intp]) -> tuple[int, int] | None:
    """The first exposure of the first set that has one marked so, and the one taken after it."""
    if len(order) < 2:
        return None
    firsts = [position for position, index in enumerate(order) if residuals.roles[index] == "first"]
    position = next((p for p in firsts if p + 1 < len(order)), 0)
    return int(order[position]), int(order[position + 1])


def _role(residuals: Residuals, index: int) -> str:
    return ROLES.get(residuals.roles[index], residuals.roles[index])


def _has_second(residuals: Residuals) -> bool:
    return residuals.second_images is not None and len(residuals.second_images) > 0


def _scatter(image: NDArray[np.float32], unit: str) -> str:
    finite = image[np.isfinite(image)]
    if not finite.size:
        return "no usable pixel"
    return (
        f"mean {number(float(finite.mean()), 3)}, rms of the blocks {number(float(finite.std()), 3)} {unit}"
    )


@dataclass(frozen=True)
class _Painter:
    """Draws residual images of one detector."""

    data: ReportData
    detector: int
    residuals: Residuals
    album: Album
    largest: int

    @property
    def what(self) -> str:
        """Whose residuals, in words."""
        return f"Residual {self.data.label} of detector {detector_name(self.data, self.detector)}"

    def picture(
        self,
        parts: Mapping[str, NDArray[np.float32]],
        *,
        title: str,
        caption: str,
        columns: int = 2,
        own_scales: tuple[int, ...] = (),
        width: float = 9.6,
    ) -> Picture:
        """A figure of some images, each with its title."""
        residuals = self.residuals
        block = block_for((residuals.images.shape[1], residuals.images.shape[2]), self.largest)
        rows, columns_of_block = residuals.block
        figure = draw_residuals(
            [block_mean(image, block) for image in parts.values()],
            list(parts),
            self.data.camera.amplifiers(self.detector),
            shape=self.data.camera.layout(self.detector).shape,
            block=(rows * block, columns_of_block * block),
            unit=residuals.unit,
            columns=columns,
            own_scales=own_scales,
            width=width,
        )
        seen = "; ".join(f"{name}: {_scatter(image, residuals.unit)}" for name, image in parts.items())
        return self.album.picture(figure, title=title, description=f"{seen}.", caption=caption)


def _pair(painter: _Painter, order: NDArray[np.intp]) -> Picture | None:
    residuals = painter.residuals
    pair = _neighbours(residuals, order)
    if pair is None:
        return None
    return painter.picture(
        {
            f"{residuals.exposures[index]}, {_role(residuals, index)}": residuals.images[index]
            for index in pair
        },
        title=f"{painter.what}: the first exposure beside the next",
        caption="Compare: what the first exposure of a set shows and the next does not (stripes, a bright "
        "corner) is of first exposures only. Blue: below the master. Red: above.",
    )


def _mean(painter: _Painter) -> Picture | None:
    residuals = painter.residuals
    counting = np.array([role != "first" for role in residuals.roles], dtype=bool)
    if counting.sum() < 2:
        return None
    images = residuals.images[counting]
    known = np.isfinite(images)
    number_of = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, images, 0.0).sum(axis=0) / np.where(number_of > 0, number_of, np.nan)
    return painter.picture(
        {f"mean of {int(counting.sum())} exposures": mean.astype(np.float32)},
        title=f"{painter.what}: mean over time",
        caption="The mean over all exposures but first ones: what stays here is in every frame, and "
        "not in the master.",
        width=6.6,
    )


def _models(painter: _Painter, order: NDArray[np.intp]) -> Picture | None:
    residuals = painter.residuals
    if residuals.second_images is None or not _has_second(residuals):
        return None
    pair = _neighbours(residuals, order)
    index = pair[1] if pair else int(order[0])
    first, second = residuals.images[index], residuals.second_images[index]
    name, other = residuals.models
    return painter.picture(
        {name: first, f"{other} ": second, "difference": first - second},
        title=f"{painter.what} under two overscan models",
        caption=f"Exposure {residuals.exposures[index]} under two models of the overscan. A pattern that one "
        "has and the other has not was made by the overscan model, not by the detector. "
        "The difference has a scale of its own.",
        own_scales=(2,),
    )


def _frame(
    residuals: Residuals, index: int, address: str, shape: tuple[int, ...], failed: frozenset[int]
) -> Frame:
    exposure = int(residuals.exposures[index])
    return Frame(
        exposure=exposure,
        role=_role(residuals, index),
        failed=exposure in failed,
        address=address,
        description=f"Residual of exposure {exposure}: {_scatter(residuals.images[index], residuals.unit)}",
        width=int(shape[1]),
        height=int(shape[0]),
    )
