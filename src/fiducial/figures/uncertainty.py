"""How well each pixel of a master is known, and where its pixels are masked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fiducial.cameras.model import Amplifier
from fiducial.figures.display import block_for, block_fraction, block_mean
from fiducial.figures.outline import draw_amplifiers
from fiducial.figures.panels import panel_sheet, show_bar, show_image
from fiducial.figures.style import SERIES, grey_levels, sequential, stretch, styled, with_unit


@styled
def draw_uncertainty(
    variance: NDArray[Any],
    masked: NDArray[np.bool_],
    amplifiers: Sequence[Amplifier],
    *,
    unit: str,
    largest: int = 384,
) -> Figure:
    """Draw the uncertainty and the mask of a master beside each other.

    Parameters
    ----------
    variance
        Shape (ny, nx), in ``unit`` squared; shown is the square root of its block means over the
        pixels that are not masked.
    masked
        Shape (ny, nx); shown is the percentage of masked pixels of each block.
    amplifiers
        Outlined in both.
    unit
        Of the master.
    largest
        The longer side is shown in at most this many blocks.
    """
    shape = (variance.shape[0], variance.shape[1])
    block = block_for(shape, largest)
    sigma = np.sqrt(block_mean(variance, block, ~masked))
    fraction = 100.0 * block_fraction(masked, block)
    most = float(np.nanmax(fraction)) or 1.0
    sheet = panel_sheet(shape, 2, columns=2, width=9.6)
    parts = (
        ("Uncertainty", sigma, stretch(sigma), sequential(), with_unit("1σ of a pixel", unit)),
        ("Masked pixels", fraction, (0.0, most), grey_levels(), "masked (% of the pixels)"),
    )
    for axes, bar, (title, shown, limits, colours, label) in zip(
        sheet.panels, sheet.bars, parts, strict=True
    ):
        show_image(axes, shown, block=(block, block), shape=shape, limits=limits, colours=colours)
        draw_amplifiers(axes, amplifiers, names=False, colour=SERIES[0])
        show_bar(sheet.figure, bar, limits=limits, colours=colours, label=label)
        axes.set_title(title)
    return sheet.figure
