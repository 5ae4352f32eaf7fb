"""All detectors of a camera at their places on the focal plane."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from fiducial.cameras.model import Camera
from fiducial.figures.style import (
    BAD,
    INK,
    MUTED,
    axes_at,
    diverging,
    new_figure,
    sequential,
    stretch,
    styled,
    symmetric_stretch,
    with_unit,
)

type Box = tuple[float, float, float, float]
"""Left, bottom, width and height on the focal plane."""


def on_focal_plane(image: NDArray[Any], quarter_turns: int) -> NDArray[Any]:
    """Turn the image of a detector counter-clockwise into the focal plane's orientation.

    Rows count upwards on the sky's side of this page, so numpy's sense of rotation, which has row 0
    on top, is the opposite one.
    """
    return np.rot90(image, -quarter_turns)


def places(camera: Camera) -> tuple[dict[int, Box], bool]:
    """Where each detector is (mm), and whether the camera's file says so.

    Detectors whose places the file does not tell apart are set side by side in rows.
    """
    sizes = {}
    for detector in camera.detectors:
        layout = camera.layout(detector.id)
        height, width = (n * layout.pixel_size / 1000.0 for n in layout.shape)
        sizes[detector.id] = (width, height) if detector.quarter_turns % 2 == 0 else (height, width)
    known = len({detector.position for detector in camera.detectors}) == len(camera.detectors)
    if known:
        return {
            d.id: (d.position[0] - sizes[d.id][0] / 2, d.position[1] - sizes[d.id][1] / 2, *sizes[d.id])
            for d in camera.detectors
        }, True
    across = int(np.ceil(np.sqrt(len(sizes))))
    step_x = 1.06 * max(width for width, _ in sizes.values())
    step_y = 1.06 * max(height for _, height in sizes.values())
    return {
        detector: ((i % across) * step_x, -(i // across) * step_y, *size)
        for i, (detector, size) in enumerate(sizes.items())
    }, False


@styled
def draw_focal_plane(
    camera: Camera,
    images: Mapping[int, NDArray[Any]],
    *,
    quantity: str,
    unit: str,
    about_zero: bool = False,
    marked: frozenset[int] = frozenset(),
) -> Figure:
    """Draw the images of all detectors where they are on the focal plane.

    Parameters
    ----------
    camera
        Says where each detector is, how it is turned, and how large it is.
    images
        Detector id -> image of the assembled detector, shape (by, bx), binned as wished.
        Detectors without one are drawn empty.
    quantity, unit
        What the colours are.
    about_zero
        Colours symmetric about zero, for differences.
    marked
        Detectors to be marked, with a heavy outline and an exclamation mark.
    """
    boxes, known = places(camera)
    left, right = min(b[0] for b in boxes.values()), max(b[0] + b[2] for b in boxes.values())
    low, high = min(b[1] for b in boxes.values()), max(b[1] + b[3] for b in boxes.values())
    pad = 0.02 * max(right - left, high - low)
    ratio = (high - low + 2 * pad) / (right - left + 2 * pad)
    width = min(6.6, 7.0 / ratio)
    figure = new_figure(width + 1.75, width * ratio + 0.6)
    axes = axes_at(figure, 0.7, 0.5, width, width * ratio)
    finite = [image[np.isfinite(image)] for image in images.values()]
    pixels = np.concatenate(finite) if finite else np.zeros(0)
    half = symmetric_stretch(pixels)
    limits, colours = ((-half, half), diverging()) if about_zero else (stretch(pixels), sequential())
    for detector in camera.detectors:
        box = boxes[detector.id]
        if (image := images.get(detector.id)) is not None:
            extent = (box[0], box[0] + box[2], box[1], box[1] + box[3])
            axes.imshow(
                on_focal_plane(image, detector.quarter_turns),
                cmap=colours,
                norm=Normalize(*limits),
                extent=extent,
                aspect="equal",
            )
        _outline(figure, camera, box, detector.name, detector.id in marked, width / (right - left))
    axes.set_xlim(left - pad, right + pad)
    axes.set_ylim(low - pad, high + pad)
    axes.set_aspect("equal")
    axes.set_xlabel("focal plane x (mm)" if known else "side by side, not to place (mm)")
    axes.set_ylabel("focal plane y (mm)" if known else "(mm)")
    bar = axes_at(figure, 0.7 + width + 0.12, 0.5, 0.13, width * ratio)
    figure.colorbar(
        ScalarMappable(norm=Normalize(*limits), cmap=colours), cax=bar, label=with_unit(quantity, unit)
    )
    return figure


def _outline(figure: Figure, camera: Camera, box: Box, name: str, marked: bool, inches_per_mm: float) -> None:
    axes = figure.axes[0]
    axes.add_patch(
        Rectangle(
            box[:2],
            box[2],
            box[3],
            fill=False,
            edgecolor=BAD if marked else MUTED,
            linewidth=1.8 if marked else 0.5,
            zorder=3 if marked else 2,
        )
    )
    inches = box[2] * inches_per_mm
    if inches < 0.3 and not marked:  # a name would not fit
        return
    axes.text(
        box[0] + 0.04 * box[2],
        box[1] + 0.96 * box[3],
        f"! {name}" if marked else name,
        ha="left",
        va="top",
        fontsize=min(8.5, max(5.0, 9.0 * inches)),
        fontweight="bold" if marked else "normal",
        color=BAD if marked else INK,
        zorder=4,
        bbox={"facecolor": "#fefefe", "edgecolor": "none", "alpha": 0.75, "pad": 1.0},
    )
