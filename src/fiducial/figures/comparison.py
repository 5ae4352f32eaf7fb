"""A master beside the one certified before it: their difference and their ratio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fiducial.cameras.model import Amplifier
from fiducial.figures.display import block_for, block_mean
from fiducial.figures.outline import draw_amplifiers
from fiducial.figures.panels import panel_sheet, show_bar, show_image
from fiducial.figures.style import diverging, styled, symmetric_stretch, with_unit


@styled
def draw_comparison(
    image: NDArray[Any],
    previous: NDArray[Any],
    amplifiers: Sequence[Amplifier],
    *,
    unit: str,
    usable: NDArray[np.bool_] | None = None,
    with_ratio: bool = True,
    largest: int = 384,
) -> Figure:
    """Draw the difference to the master before, and the ratio to it.

    Parameters
    ----------
    image, previous
        Shape (ny, nx) each, in ``unit``.
    amplifiers
        Outlined in both.
    unit
        Of both masters.
    usable
        Shape (ny, nx); pixels that are False are left out.
    with_ratio
        Whether to draw the ratio too; it says nothing where the masters are near zero.
    largest
        The longer side is shown in at most this many blocks.

    Returns
    -------
    Differences are of block means, ratios of the same block means, in percent from one.
    """
    shape = (image.shape[0], image.shape[1])
    block = block_for(shape, largest)
    both = np.isfinite(image) & np.isfinite(previous)
    if usable is not None:
        both &= usable
    new, old = block_mean(image, block, both), block_mean(previous, block, both)
    parts = [("Difference: new − before", new - old, with_unit("difference", unit))]
    if with_ratio:
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = 100.0 * (new / np.where(old == 0, np.nan, old) - 1.0)
        parts.append(("Ratio: new / before", ratio, "ratio − 1 (%)"))
    sheet = panel_sheet(shape, len(parts), columns=2, width=9.6 if with_ratio else 6.0)
    for axes, bar, (title, shown, label) in zip(sheet.panels, sheet.bars, parts, strict=True):
        half = symmetric_stretch(shown)
        show_image(axes, shown, block=(block, block), shape=shape, limits=(-half, half), colours=diverging())
        draw_amplifiers(axes, amplifiers, names=False)
        show_bar(sheet.figure, bar, limits=(-half, half), colours=diverging(), label=label)
        axes.set_title(title)
    return sheet.figure
