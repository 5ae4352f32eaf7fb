"""The master of one detector, whole, with its amplifiers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fiducial.cameras.model import Amplifier
from fiducial.figures.display import block_for, block_mean
from fiducial.figures.outline import draw_amplifiers
from fiducial.figures.panels import FLAT, panel_sheet, show_bar, show_image
from fiducial.figures.style import sequential, stretch, styled, with_unit


@styled
def draw_master(
    image: NDArray[Any],
    amplifiers: Sequence[Amplifier],
    *,
    quantity: str,
    unit: str,
    usable: NDArray[np.bool_] | None = None,
    largest: int = 768,
) -> Figure:
    """Draw the image of a master.

    Parameters
    ----------
    image
        Shape (ny, nx) of the assembled detector.
    amplifiers
        Their ``detector`` regions are outlined and named; a triangle marks the corner read first.
    quantity, unit
        What the colours are, for the label of the colour bar.
    usable
        Shape (ny, nx); pixels that are False are left out of the block means.
    largest
        The image is shown in blocks so that its longer side has at most this many.

    Returns
    -------
    The colour scale is that of `fiducial.figures.style.stretch`, of the block means; blocks without a
    usable pixel are left clear.
    """
    shape = (image.shape[0], image.shape[1])
    block = block_for(shape, largest)
    shown = block_mean(image, block, usable)
    limits, colours = stretch(shown), sequential()
    sheet = panel_sheet(shape, 1, columns=1, width=9.6 if shape[0] < FLAT * shape[1] else 7.6)
    show_image(sheet.panels[0], shown, block=(block, block), shape=shape, limits=limits, colours=colours)
    draw_amplifiers(sheet.panels[0], amplifiers, corners=True)
    show_bar(sheet.figure, sheet.bars[0], limits=limits, colours=colours, label=with_unit(quantity, unit))
    return sheet.figure
