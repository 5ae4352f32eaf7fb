"""The residuals of a section: first exposure beside the second, every one at full size on demand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fiducial.figures.display import block_mean
from fiducial.figures.encode import data_uri, palette_png
from fiducial.figures.residuals import draw_residuals
from fiducial.figures.style import diverging, symmetric_stretch
from fiducial.products.residuals import ResidualStack
from fiducial.reports.headline import detector_name
from fiducial.reports.model import ReportData
from fiducial.reports.numbers import number
from fiducial.reports.pictures import Album, Picture
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
class ResidualView:
    """One detector's residuals in the page."""

    pair: Picture | None
    mean: Picture | None
    models: Picture | None
    no_models: str  # why there is no comparison of overscan models
    frames: tuple[Frame, ...]
    half_width: str  # the colour scale of the frames
    binning: str
    left_out: int  # frames whose image is not in the page


def residual_view(
    data: ReportData, detector: int, album: Album, room: int, failed: frozenset[int]
) -> ResidualView:
    """Show one detector's residuals.

    Parameters
    ----------
    data
        The section's data.
    detector
        One with residuals.
    album
        Makes the figures.
    room
        Characters that the images of single exposures may take in the page.
    failed
        Exposures with a failing test on this detector.
    """
    stack = data.residuals[detector]
    order = np.argsort(stack.mjd, kind="stable")
    what = f"detector {detector_name(data, detector)}"
    half = symmetric_stretch(stack.images[::, ::2, ::2])
    frames = _frames(stack, order, room, half, failed)
    side = f"{stack.binning} × {stack.binning}"
    return ResidualView(
        pair=_pair(data, stack, order, what, album),
        mean=_mean(data, stack, what, album),
        models=_models(data, stack, order, what, album),
        no_models="" if len(stack.second_images) else "No second overscan model was fitted.",
        frames=frames,
        half_width=f"{number(half, 3)} {stack.unit}",
        binning="every pixel of the detector"
        if stack.binning == 1
        else f"each pixel shown is the mean of {side} pixels",
        left_out=len(order) - len(frames),
    )


def _neighbours(stack: ResidualStack, order: NDArray[np.intp]) -> tuple[int, int] | None:
    """The first exposure of the first set that has one marked so, and the one taken after it."""
    if len(order) < 2:
        return None
    firsts = [position for position, index in enumerate(order) if stack.roles[index] == "first"]
    position = next((p for p in firsts if p + 1 < len(order)), 0)
    return int(order[position]), int(order[position + 1])


def _role(stack: ResidualStack, index: int) -> str:
    return ROLES.get(stack.roles[index], stack.roles[index])


def _title(stack: ResidualStack, index: int) -> str:
    return f"{stack.exposures[index]}, {_role(stack, index)}"


def _scatter(image: NDArray[np.float32], unit: str) -> str:
    finite = image[np.isfinite(image)]
    if not finite.size:
        return "no usable pixel"
    return (
        f"mean {number(float(finite.mean()), 3)}, rms of the blocks {number(float(finite.std()), 3)} {unit}"
    )


def _picture(
    data: ReportData,
    stack: ResidualStack,
    parts: Mapping[str, NDArray[np.float32]],
    album: Album,
    *,
    title: str,
    caption: str,
    columns: int = 2,
    own_scales: tuple[int, ...] = (),
    width: float = 9.6,
) -> Picture:
    seen = "; ".join(f"{name}: {_scatter(image, stack.unit)}" for name, image in parts.items())
    return album.picture(
        draw_residuals(
            list(parts.values()),
            list(parts),
            data.camera.amplifiers(stack.detector),
            shape=(int(stack.shape[0]), int(stack.shape[1])),
            block=(stack.binning, stack.binning),
            unit=stack.unit,
            columns=columns,
            own_scales=own_scales,
            width=width,
        ),
        title=title,
        description=f"{seen}.",
        caption=caption,
    )


def _pair(
    data: ReportData, stack: ResidualStack, order: NDArray[np.intp], what: str, album: Album
) -> Picture | None:
    pair = _neighbours(stack, order)
    if pair is None:
        return None
    parts = {_title(stack, index): stack.images[index] for index in pair}
    return _picture(
        data,
        stack,
        parts,
        album,
        title=f"Residual {data.label} of {what}: the first exposure beside the next",
        caption="What only the first exposure of a set shows (stripes, a bright corner) is gone in "
        "the next. Blue: below the master. Red: above.",
    )


def _mean(data: ReportData, stack: ResidualStack, what: str, album: Album) -> Picture | None:
    counting = np.array([role != "first" for role in stack.roles], dtype=bool)
    if counting.sum() < 2:
        return None
    images = stack.images[counting]
    known = np.isfinite(images)
    number_of = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, images, 0.0).sum(axis=0) / np.where(number_of > 0, number_of, np.nan)
    return _picture(
        data,
        stack,
        {f"mean of {int(counting.sum())} exposures": mean.astype(np.float32)},
        album,
        title=f"Residual {data.label} of {what}: mean over time",
        caption="The mean over all exposures but first ones: what stays here is in every frame, and "
        "not in the master.",
        width=6.6,
    )


def _models(
    data: ReportData, stack: ResidualStack, order: NDArray[np.intp], what: str, album: Album
) -> Picture | None:
    if not len(stack.second_images):
        return None
    pair = _neighbours(stack, order)
    index = pair[1] if pair else int(order[0])
    first, second = stack.images[index], stack.second_images[index]
    names = (data.overscan or "the run's model", stack.second_overscan or "second model")
    parts = {names[0]: first, names[1]: second, "difference": first - second}
    return _picture(
        data,
        stack,
        parts,
        album,
        title=f"Residual {data.label} of {what} under two overscan models",
        caption=f"Exposure {stack.exposures[index]} under two models of the overscan. A pattern that one "
        "has and the other has not was made by the overscan model, not by the detector. The difference has a scale of its own.",
        columns=3,
        own_scales=(2,),
    )


def _frames(
    stack: ResidualStack, order: NDArray[np.intp], room: int, half: float, failed: frozenset[int]
) -> tuple[Frame, ...]:
    """Images of all exposures, in time; coarser, and in the end fewer, where the page has no room."""
    pair = _neighbours(stack, order) or ()
    urgent = [i for i in order.tolist() if i in pair or int(stack.exposures[i]) in failed]
    others = [i for i in order.tolist() if i not in urgent]
    pixels = stack.images[0].size if len(order) else 0
    coarse = next((c for c in (1, 2, 4) if len(others) * pixels / c**2 <= 0.8 * room), 4)
    left, shown = room, {}
    for index in urgent + others:
        reduced = block_mean(stack.images[index], 1 if index in urgent else coarse)
        address = data_uri(palette_png(reduced, diverging(), -half, half))
        if len(address) <= left:
            left -= len(address)
            shown[index] = _frame(stack, index, address, reduced.shape, failed)
    return tuple(shown[index] for index in order.tolist() if index in shown)


def _frame(
    stack: ResidualStack,
    index: int,
    address: str,
    shape: tuple[int, ...],
    failed: frozenset[int],
) -> Frame:
    exposure = int(stack.exposures[index])
    return Frame(
        exposure=exposure,
        role=_role(stack, index),
        failed=exposure in failed,
        address=address,
        description=f"Residual of exposure {exposure}: {_scatter(stack.images[index], stack.unit)}",
        width=int(shape[1]),
        height=int(shape[0]),
    )
