"""Some values of every amplifier side by side: which amplifier stands out, and which has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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

_FAR = 10.0  # robust standard deviations beyond which a value stands on the edge of its panel
_ROW, _LEFT, _GAP, _BOTTOM, _TOP = 0.24, 1.0, 0.34, 0.55, 0.1  # inches


@dataclass(frozen=True, eq=False)
class AmplifierValues:
    """One quantity of all amplifiers.

    Parameters
    ----------
    quantity, unit
        For the axis.
    value, error
        Shape (n,), in the order of the names; NaN where there is none.
    """

    quantity: str
    unit: str
    value: NDArray[Any]
    error: NDArray[Any]


@styled
def draw_amplifier_values(
    names: Sequence[str],
    panels: Sequence[AmplifierValues],
    *,
    missing: frozenset[str] = frozenset(),
    failed: frozenset[str] = frozenset(),
    width: float = 9.6,
) -> Figure:
    """Draw a row for each amplifier, a panel for each quantity, values with their errors.

    Parameters
    ----------
    names
        Of the amplifiers, from top to bottom; one at least.
    panels
        One at least; those without a value are left out. The dashed line is the median. A value far from
        all others stands on the edge, with its number.
    missing
        Amplifiers of which nothing is known: their rows say so.
    failed
        Amplifiers that fail: their names have an exclamation mark.
    width
        Of the figure, inches.
    """
    panels = [panel for panel in panels if np.isfinite(panel.value).any()] or panels[:1]
    height = max(_ROW * len(names), 0.6)
    figure = new_figure(width, _BOTTOM + height + _TOP)
    step = (width - _LEFT - 0.15 + _GAP) / len(panels)
    for index, panel in enumerate(panels):
        axes = axes_at(figure, _LEFT + index * step, _BOTTOM, step - _GAP, height)
        _draw(axes, panel, [name in failed for name in names])
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_yticks(range(len(names)))
        axes.tick_params(axis="y", length=0, labelleft=index == 0)
        if index == 0:
            axes.set_yticklabels([_name(name, missing, failed) for name in names])
            for label, name in zip(axes.get_yticklabels(), names, strict=True):
                label.set_color(BAD if name in missing | failed else INK)
            for row, name in enumerate(names):
                if name in missing:
                    axes.text(
                        0.03,
                        row,
                        "not determined",
                        transform=axes.get_yaxis_transform(),
                        color=BAD,
                        va="center",
                        fontsize=8.0,
                        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.5},
                    )
    return figure


def _name(name: str, missing: frozenset[str], failed: frozenset[str]) -> str:
    return f"✕ {name}" if name in missing else f"! {name}" if name in failed else name


def _draw(axes: Axes, panel: AmplifierValues, failed: Sequence[bool]) -> None:
    value, error = np.asarray(panel.value, float), np.nan_to_num(np.asarray(panel.error, float))
    rows, known = np.arange(len(value)), np.isfinite(value)
    low, high = _range(value[known], error[known])
    axes.set_xlim(low, high)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=RULE)
    axes.locator_params(axis="x", nbins=4)
    axes.set_xlabel(with_unit(panel.quantity, panel.unit))
    if known.any():
        axes.axvline(float(np.median(value[known])), color=MUTED, lw=0.8, ls=(0, (5, 3)), zorder=0)
    colours = np.where(failed, BAD, SERIES[0])
    for row in rows[known]:
        colour = str(colours[row])
        if low <= value[row] <= high:
            axes.errorbar(
                value[row], row, xerr=error[row], fmt="o", ms=4.5, color=colour, elinewidth=1.0, zorder=3
            )
            continue
        beyond = value[row] > high
        edge = high - 0.03 * (high - low) if beyond else low + 0.03 * (high - low)
        axes.plot(edge, row, marker=">" if beyond else "<", ms=5, color=colour)
        axes.annotate(
            f"{value[row]:.4g}",
            (edge, row),
            xytext=(-6 if beyond else 6, 0),
            textcoords="offset points",
            ha="right" if beyond else "left",
            va="center",
            fontsize=7.5,
            color=colour,
        )


def _range(value: NDArray[Any], error: NDArray[Any]) -> tuple[float, float]:
    """Of the axis: all that is not far from the median."""
    if not len(value):
        return 0.0, 1.0
    middle = float(np.median(value))
    away = np.abs(value - middle)
    scale = max(1.4826 * float(np.median(away)), float(np.median(error)), 1e-3 * abs(middle))
    near = away <= _FAR * scale if scale > 0 else np.ones(len(value), dtype=bool)
    error = np.minimum(error, _FAR * scale)
    low, high = float((value - error)[near].min()), float((value + error)[near].max())
    pad = 0.12 * (high - low) or 0.05 * abs(middle) or 1.0
    return low - pad, high + pad
