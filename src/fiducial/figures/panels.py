"""Sheets of image panels: all of one detector, at one size, with colour bars that fit them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fiducial.figures.outline import detector_axes
from fiducial.figures.style import axes_at, new_figure

LEFT, BOTTOM, TITLE = 0.66, 0.46, 0.28  # inches around a panel
BESIDE, BELOW = 0.95, 0.62  # inches that a colour bar takes beside, or below
FLAT, TALLEST = 0.35, 1.05  # height / width below which bars go below; and the greatest


@dataclass(frozen=True)
class Sheet:
    """A figure with panels in reading order and a colour bar for each, or one for all."""

    figure: Figure
    panels: tuple[Axes, ...]
    bars: tuple[Axes, ...]


def panel_sheet(
    shape: tuple[int, int], number: int, *, columns: int, width: float, shared_bar: bool = False
) -> Sheet:
    """Make a sheet of empty panels.

    Parameters
    ----------
    shape
        Rows and columns of what each panel shows; panels keep its proportions.
    number
        Number of panels.
    columns
        Panels in a row; detectors much wider than high stand below one another instead.
    width
        Of the whole figure, inches.
    shared_bar
        One colour bar for all panels.
    """
    ratio = shape[0] / shape[1]
    flat = ratio < FLAT
    columns = 1 if flat else min(columns, number)
    rows = -(-number // columns)
    beside = 0.0 if flat else BESIDE
    room = width - (beside if shared_bar else beside * columns) - LEFT * columns - 0.1
    panel_width = room / columns
    panel_height = panel_width * ratio
    if panel_height > TALLEST * panel_width:
        panel_height = TALLEST * panel_width
        panel_width = panel_height / ratio
    below_each = BELOW if flat and not shared_bar else 0.0
    below_all = BELOW if flat and shared_bar else 0.0
    step_x = LEFT + panel_width + (0.0 if shared_bar else beside)
    step_y = BOTTOM + below_each + panel_height + TITLE
    height = rows * step_y + below_all
    figure = new_figure(columns * step_x + (beside if shared_bar else 0.0) + 0.1, height)
    panels, bars = [], []
    for index in range(number):
        row, column = divmod(index, columns)
        left = column * step_x + LEFT
        bottom = height - (row + 1) * step_y + BOTTOM + below_each
        panels.append(axes_at(figure, left, bottom, panel_width, panel_height))
        if shared_bar and index:
            continue
        if flat:
            low = bottom - BOTTOM - 0.14 if not shared_bar else BELOW - 0.18
            bars.append(axes_at(figure, left, low, min(panel_width, 4.0), 0.11))
        else:
            at = left + panel_width + 0.12 if not shared_bar else columns * step_x + 0.12
            bars.append(axes_at(figure, at, bottom, 0.13, panel_height))
    return Sheet(figure, tuple(panels), tuple(bars))


def show_image(
    axes: Axes,
    image: NDArray[Any],
    *,
    block: tuple[int, int],
    shape: tuple[int, int],
    limits: tuple[float, float],
    colours: Colormap,
) -> None:
    """Show an image of blocks (rows, columns of a block) on axes in pixels of the detector."""
    extent = (0.0, float(image.shape[1] * block[1]), 0.0, float(image.shape[0] * block[0]))
    axes.imshow(image, cmap=colours, norm=Normalize(*limits), extent=extent, aspect="equal")
    detector_axes(axes, shape)


def show_bar(
    figure: Figure, axes: Axes, *, limits: tuple[float, float], colours: Colormap, label: str
) -> None:
    """Draw a colour bar; it lies or stands as its axes do."""
    place = axes.get_position()
    width, height = figure.get_size_inches()
    lies = place.width * width > place.height * height
    bar = figure.colorbar(
        ScalarMappable(norm=Normalize(*limits), cmap=colours),
        cax=axes,
        orientation="horizontal" if lies else "vertical",
        label=label,
    )
    bar.outline.set_linewidth(0.5)
    bar.ax.tick_params(length=2.5)
    bar.ax.locator_params(nbins=5)
