"""The one style of all figures: restrained, legible, safe for colour-blind readers.

Text, axes and series have fixed colours here that stand for colours of the page: where a figure
goes into a page as SVG, `fiducial.figures.encode` puts the page's own colours in their place, so
that it follows the reader's light or dark setting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

INK = "#1b2330"
MUTED = "#5d6778"
RULE = "#d3d8e0"
PAPER = "#fefefe"
GOOD = "#0b6e8a"
BAD = "#b3261e"
DOUBT = "#8a5a00"
SERIES = ("#2066a8", "#c2571a", "#3a7d44", "#8b4f9f")

PAGE_COLOURS: dict[str, str] = {
    INK: "--ink",
    MUTED: "--muted",
    RULE: "--rule",
    PAPER: "--paper",
    GOOD: "--good",
    BAD: "--bad",
    DOUBT: "--doubt",
    SERIES[0]: "--series-1",
    SERIES[1]: "--series-2",
    SERIES[2]: "--series-3",
    SERIES[3]: "--series-4",
}
"""Colour of a figure -> CSS variable of the page."""

LEVELS = 96  # of a colour map: as fine as the eye sees, and a third smaller to store than 256

_PARAMETERS: Any = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9.0,
    "text.color": INK,
    "text.parse_math": False,  # names of filters and amplifiers may hold a dollar sign
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.0,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "axes.formatter.use_mathtext": False,
    "axes.formatter.useoffset": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "savefig.edgecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "fiducial",
    "image.interpolation": "none",
    "image.origin": "lower",
    "image.composite_image": False,
}


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib's settings for as long as a figure is drawn; they are put back afterwards."""
    with mpl.rc_context(_PARAMETERS):
        yield


def styled[**P](draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw a figure in `style`."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with style():
            return draw(*args, **kwargs)

    return drawn


def new_figure(width: float, height: float) -> Figure:
    """An empty figure (inches) on a canvas of its own; no window system, no global state."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def axes_at(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a place given in inches from the lower left corner of the figure."""
    full_width, full_height = figure.get_size_inches()
    return figure.add_axes(
        (left / full_width, bottom / full_height, width / full_width, height / full_height)
    )


def sequential() -> Colormap:
    """The colour map of values; not-a-number is transparent."""
    return mpl.colormaps["cividis"].resampled(LEVELS)


def diverging() -> Colormap:
    """The colour map of differences: blue below zero, red above, white at zero."""
    return mpl.colormaps["RdBu_r"].resampled(LEVELS + 1)


def grey_levels() -> Colormap:
    """The colour map of fractions: white none, black all."""
    return mpl.colormaps["Greys"].resampled(LEVELS)


def stretch(image: NDArray[Any]) -> tuple[float, float]:
    """Limits of a colour scale that shows what most pixels do, whatever a few hot ones do.

    Percentiles 0.5 and 99.5 of what is finite, or the median and six robust standard deviations
    (1.4826 times the median absolute deviation) to either side where that is nearer. The limits are
    never equal to one another.
    """
    finite = image[np.isfinite(image)]
    if finite.size == 0:
        return 0.0, 1.0
    lower, middle, upper = (float(v) for v in np.percentile(finite, (0.5, 50.0, 99.5)))
    sigma = 1.4826 * float(np.median(np.abs(finite - middle)))
    if sigma > 0:
        lower, upper = max(lower, middle - 6.0 * sigma), min(upper, middle + 6.0 * sigma)
    if upper - lower <= 1e-5 * abs(middle) or upper == lower:  # a constant, but for rounding
        half = 0.01 * abs(middle) or 1.0
        return middle - half, middle + half
    return lower, upper


def symmetric_stretch(*images: NDArray[Any], percentile: float = 99.5) -> float:
    """Half width of a colour scale about zero that serves all the images together."""
    sizes = [np.abs(image[np.isfinite(image)]) for image in images]
    sizes = [size for size in sizes if size.size]
    if not sizes:
        return 1.0
    half = float(np.percentile(np.concatenate(sizes), percentile))
    return half if half > 0 else 1.0


_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def powers_of_ten() -> FuncFormatter:
    """Tick labels of a logarithmic axis in plain text (10³), since mathematics is switched off."""

    def label(value: float, _position: int | None) -> str:
        if value <= 0:
            return ""
        exponent = round(float(np.log10(value)))
        return f"10{str(exponent).translate(_SUPERSCRIPTS)}"

    return FuncFormatter(label)


def with_unit(quantity: str, unit: str) -> str:
    """``quantity (unit)``; a ratio has no unit and gets none."""
    return f"{quantity} ({unit})" if unit else quantity
