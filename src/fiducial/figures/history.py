"""A camera's history: a panel for each quantity, what every amplifier is beside its certified value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fiducial.figures.style import (
    BAD,
    INK,
    MUTED,
    PAPER,
    RULE,
    SERIES,
    axes_at,
    new_figure,
    styled,
    with_unit,
)

_MOST_NAMED = 8  # series with a colour and a name of their own
_MOST_DATES = 12


@dataclass(frozen=True, eq=False)
class HistorySeries:
    """One amplifier; arrays have shape (n,), in the order of the nights.

    ``night`` is YYYYMMDD, ``change`` and ``error`` are in the panel's unit, ``certified`` is true where the
    value is certified, ``changed`` says that the last one is not what was certified.
    """

    name: str
    night: NDArray[np.int64]
    change: NDArray[np.float64]
    error: NDArray[np.float64]
    certified: NDArray[np.bool_]
    changed: bool = False


@dataclass(frozen=True, eq=False)
class HistoryPanel:
    """One quantity; ``limit`` is what matters, NaN where nothing does."""

    quantity: str
    unit: str
    limit: float
    series: tuple[HistorySeries, ...]


@styled
def draw_history(panels: Sequence[HistoryPanel], *, title: str = "", width: float = 8.6) -> Figure:
    """Draw the panels one above the other, over one axis of nights that leaves nothing out but gaps.

    Parameters
    ----------
    panels
        One at least, each with one series at least.
    title
        Above all.
    width
        Inches.

    Returns
    -------
    Values with error bars, certified ones hollow; dashed lines at the limits. Few amplifiers have colours of
    their own; of many only those that changed.
    """
    height, gap, left, right, top = 1.55, 0.38, 0.95, 1.25, 0.55
    figure = new_figure(width, top + len(panels) * (height + gap))
    nights = np.unique(np.concatenate([one.night for panel in panels for one in panel.series]))
    whole = figure.get_size_inches()[1]
    for index, panel in enumerate(panels):
        bottom = whole - top - height - index * (height + gap)
        axes = axes_at(figure, left, bottom, width - left - right, height)
        _draw_panel(axes, panel, nights)
        axes.tick_params(labelbottom=index == len(panels) - 1)
    figure.suptitle(title, x=left / width, y=1.0 - 0.12 / whole, ha="left", va="top", fontsize=11.0)
    return figure


def _draw_panel(axes: Axes, panel: HistoryPanel, nights: NDArray[np.int64]) -> None:
    named = len(panel.series) <= _MOST_NAMED
    shift = np.linspace(-0.18, 0.18, len(panel.series)) if len(panel.series) > 1 else np.zeros(1)
    axes.axhline(0.0, color=INK, lw=0.7)
    if isfinite(panel.limit):
        for bound in (-panel.limit, panel.limit):
            axes.axhline(bound, color=BAD, lw=0.9, ls=(0, (5, 3)))
    for number, one in enumerate(panel.series):
        colour = SERIES[number % len(SERIES)] if named else BAD if one.changed else MUTED
        x = np.searchsorted(nights, one.night) + shift[number]
        marker = "os^D"[number // len(SERIES) % 4]
        axes.errorbar(
            x,
            one.change,
            yerr=one.error,
            color=colour,
            lw=0.8,
            elinewidth=0.8,
            marker=marker,
            ms=3.5,
            label=one.name if named or one.changed else None,
        )
        axes.plot(
            x[one.certified],
            one.change[one.certified],
            ls="",
            marker=marker,
            ms=3.5,
            zorder=4,
            mfc=PAPER,
            mec=colour,
        )
        if one.changed:
            axes.plot(x[-1:], one.change[-1:], ls="", marker="o", ms=9.0, mfc="none", mec=BAD, mew=1.2)
    _dates(axes, nights)
    axes.set_title(with_unit(panel.quantity.replace("_", " "), panel.unit))
    axes.set_ylabel("change")
    axes.grid(axis="y", color=RULE)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.05), borderaxespad=0.0)


def _dates(axes: Axes, nights: NDArray[np.int64]) -> None:
    step = -(-len(nights) // _MOST_DATES)
    places = np.arange(len(nights))[::-1][::step][::-1]  # the last night has its date always
    dates = [f"{night // 100 % 100:02d}-{night % 100:02d}" for night in nights[places].tolist()]
    axes.set_xticks(places, dates)
    axes.set_xlim(-0.5, len(nights) - 0.5)
