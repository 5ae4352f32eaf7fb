"""Where the defects of a detector are, and why: boxes painted by reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from fiducial.cameras.model import Amplifier
from fiducial.figures.display import block_for
from fiducial.figures.outline import detector_axes, draw_amplifiers
from fiducial.figures.style import INK, MUTED, PAPER, axes_at, new_figure, styled

_WIDEST, _TALLEST = 6.4, 6.4  # inches of the map
_LEFT, _BOTTOM, _LEGEND = 0.66, 0.46, 2.5
_SMALLEST = 2  # blocks of a box at least, so that a single pixel is seen
_MANY = 1500  # boxes, of which each has one block at least: they would fill the map


@dataclass(frozen=True, eq=False)
class Layer:
    """Boxes of one colour.

    Parameters
    ----------
    label
        For the legend.
    colour
        ``#rrggbb``
    boxes
        Shape (n, 4): x0, y0, width, height in pixels of the assembled detector.
    """

    label: str
    colour: str
    boxes: NDArray[np.int32]


@styled
def draw_defect_map(
    layers: Sequence[Layer], shape: tuple[int, int], amplifiers: Sequence[Amplifier], *, largest: int = 384
) -> Figure:
    """Draw the boxes on the detector, later layers above earlier ones.

    Parameters
    ----------
    layers
        Any number; those without a box stand in no legend.
    shape
        Rows and columns of the detector.
    amplifiers
        Outlined and named.
    largest
        The longer side is shown in at most this many blocks. Small boxes take two blocks a side where they
        are not too many: a map to see where defects are, not how many.
    """
    scale = min(_WIDEST / shape[1], _TALLEST / shape[0])
    width, height = scale * shape[1], max(scale * shape[0], 1.2)
    figure = new_figure(_LEFT + width + _LEGEND, _BOTTOM + height + 0.12)
    axes = axes_at(figure, _LEFT, _BOTTOM, width, height)
    block = block_for(shape, largest)
    image = paint_layers(layers, shape, block)
    extent = (0.0, float(image.shape[1] * block), 0.0, float(image.shape[0] * block))
    axes.imshow(image, extent=extent, aspect="equal")
    detector_axes(axes, shape)
    draw_amplifiers(axes, amplifiers, names=False, colour=MUTED)
    for amplifier in amplifiers if len(amplifiers) > 1 else ():
        region = amplifier.detector
        axes.text(
            region.x0 + 0.01 * shape[1],
            region.y1 - 0.01 * shape[0],
            amplifier.name,
            ha="left",
            va="top",
            fontsize=6.5,
            color=INK,
            bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 1.0},
        )
    entries = [Patch(facecolor=layer.colour, label=layer.label) for layer in layers if len(layer.boxes)]
    if entries:
        figure.legend(
            handles=entries,
            loc="upper left",
            bbox_to_anchor=((_LEFT + width + 0.1) / figure.get_size_inches()[0], 1.0),
            handlelength=1.0,
            handleheight=1.0,
            labelcolor=INK,
        )
    return figure


def paint_layers(layers: Sequence[Layer], shape: tuple[int, int], block: int) -> NDArray[np.uint8]:
    """The map as RGBA in blocks of pixels, row 0 at the bottom; clear where no box is."""
    rows, columns = -(-shape[0] // block), -(-shape[1] // block)
    image = np.zeros((rows, columns, 4), dtype=np.uint8)
    least = _SMALLEST if block > 1 and sum(len(layer.boxes) for layer in layers) < _MANY else 1
    for layer in layers:
        colour = np.array([*(round(255 * part) for part in to_rgb(layer.colour)), 255], np.uint8)
        x0, y0 = layer.boxes[:, 0] // block, layer.boxes[:, 1] // block
        x1 = -(-(layer.boxes[:, 0] + layer.boxes[:, 2]) // block)
        y1 = -(-(layer.boxes[:, 1] + layer.boxes[:, 3]) // block)
        spans = np.stack([x0, np.maximum(x1, x0 + least), y0, np.maximum(y1, y0 + least)], axis=1)
        for left, right, low, high in np.unique(spans, axis=0).tolist():
            image[low:high, left:right] = colour
    return image
