"""Residual images beside one another, on one scale about zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from fiducial.cameras.model import Amplifier
from fiducial.figures.outline import draw_amplifiers
from fiducial.figures.panels import panel_sheet, show_bar, show_image
from fiducial.figures.style import diverging, styled, symmetric_stretch, with_unit


@styled
def draw_residuals(
    images: Sequence[NDArray[Any]],
    titles: Sequence[str],
    amplifiers: Sequence[Amplifier],
    *,
    shape: tuple[int, int],
    block: tuple[int, int],
    unit: str,
    quantity: str = "residual",
    own_scales: Sequence[int] = (),
    columns: int = 2,
    width: float = 9.6,
) -> Figure:
    """Draw residual images on colour scales about zero: blue below, red above.

    Parameters
    ----------
    images
        Shape (by, bx) each; NaN is left clear.
    titles
        One for each.
    amplifiers
        Outlined in each.
    shape
        Of the assembled detector, in pixels.
    block
        Pixels (rows, columns) that went into one pixel of the images.
    unit, quantity
        For the label of the colour bar.
    own_scales
        Indices of images that get a scale of their own; all others share one.
    columns, width
        Panels in a row, and inches of the whole figure.

    Returns
    -------
    A scale ends at percentile 99.5 of the sizes of what it serves.
    """
    colours = diverging()
    shared = symmetric_stretch(*(image for i, image in enumerate(images) if i not in own_scales))
    one_bar = not own_scales
    sheet = panel_sheet(shape, len(images), columns=columns, width=width, shared_bar=one_bar)
    for index, (axes, image, title) in enumerate(zip(sheet.panels, images, titles, strict=True)):
        half = symmetric_stretch(image) if index in own_scales else shared
        limits = (-half, half)
        show_image(axes, image, block=block, shape=shape, limits=limits, colours=colours)
        draw_amplifiers(axes, amplifiers, names=False)
        axes.set_title(title)
        if index < len(sheet.bars):
            label = with_unit(quantity, unit)
            show_bar(sheet.figure, sheet.bars[index], limits=limits, colours=colours, label=label)
    return sheet.figure
