"""Sheets of small figures, one an amplifier: a curve above what is left of it, all on the same axes."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fiducial.figures.style import BAD, INK, RULE, axes_at, new_figure

_LEFT, _RIGHT, _BOTTOM, _TOP, _GAP_X, _GAP_Y, _BETWEEN = 0.85, 0.2, 0.55, 0.55, 0.3, 0.34, 0.06
_UPPER, _LOWER = 1.15, 0.6  # inches
_LETTERS = 15.0  # of a reason in an inch


@dataclass(frozen=True)
class CurveSheet:
    """A figure with two axes for each amplifier, in reading order."""

    figure: Figure
    upper: tuple[Axes, ...]
    lower: tuple[Axes, ...]
    panel_width: float  # inches


def curve_sheet(number: int, *, columns: int = 4, width: float = 9.6) -> CurveSheet:
    """Make a sheet of empty axes.

    Parameters
    ----------
    number
        Of amplifiers, one at least.
    columns
        Amplifiers in a row at most.
    width
        Of the figure, inches.
    """
    columns = min(columns, number)
    rows = -(-number // columns)
    panel = (width - _LEFT - _RIGHT - _GAP_X * (columns - 1)) / columns
    step = _UPPER + _BETWEEN + _LOWER + _GAP_Y
    figure = new_figure(width, _BOTTOM + _TOP + rows * step - _GAP_Y)
    upper, lower = [], []
    for index in range(number):
        row, column = divmod(index, columns)
        left = _LEFT + column * (panel + _GAP_X)
        bottom = _BOTTOM + (rows - 1 - row) * step
        lower.append(axes_at(figure, left, bottom, panel, _LOWER))
        upper.append(axes_at(figure, left, bottom + _LOWER + _BETWEEN, panel, _UPPER))
        for axes in (upper[-1], lower[-1]):
            axes.tick_params(labelleft=column == 0, length=2.5)
            axes.grid(axis="y", color=RULE)
            axes.locator_params(axis="x", nbins=4, prune="upper")
        upper[-1].tick_params(labelbottom=False)
        lower[-1].tick_params(labelbottom=index + columns >= number)
        upper[-1].locator_params(axis="y", nbins=4)
        lower[-1].locator_params(axis="y", nbins=3)
        lower[-1].axhline(0.0, color=INK, lw=0.6)
    return CurveSheet(figure, tuple(upper), tuple(lower), panel)


def label_sheet(sheet: CurveSheet, *, below: str, upper: str, lower: str) -> None:
    """Write titles of the axes, once for all, and gather one legend of what any of them shows."""
    width, height = sheet.figure.get_size_inches()
    sheet.figure.supxlabel(below, y=0.08 / height, va="bottom", fontsize=9.0)
    sheet.figure.supylabel(f"{upper}   |   below: {lower}", x=0.06 / width, ha="left", fontsize=9.0)
    entries: dict[str, Artist] = {}
    for axes in (*sheet.upper, *sheet.lower):
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    if entries:
        sheet.figure.legend(
            list(entries.values()),
            list(entries),
            loc="upper left",
            ncols=len(entries),
            bbox_to_anchor=(0.03, 1.0),
            borderaxespad=0.1,
            handletextpad=0.4,
            columnspacing=1.4,
            labelcolor=INK,
        )


def say_why(axes: Axes, reason: str, panel_width: float) -> None:
    """Write why there is no curve."""
    wrapped = textwrap.fill(reason, max(8, int(_LETTERS * panel_width)), max_lines=5, placeholder=" …")
    axes.text(0.04, 0.92, wrapped, transform=axes.transAxes, ha="left", va="top", fontsize=7.5, color=BAD)
