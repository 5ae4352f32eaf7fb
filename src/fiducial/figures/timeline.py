"""One measurement of every amplifier against time, with its uncertainty and its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.time import Time
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
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

GAP = 6.0 / 24.0  # days without an exposure after which the time axis is cut

_MARKS: dict[str, tuple[str, str, bool, str]] = {  # role -> marker, colour, filled, in words
    "input": ("o", SERIES[0], True, "in the master"),
    "held_out": ("s", SERIES[1], False, "same day, not in the master"),
    "other_day": ("D", SERIES[3], False, "other day"),
    "first": ("^", MUTED, False, "first exposure (does not count)"),
}


@dataclass(frozen=True)
class Track:
    """One amplifier's measurements of one test; all arrays have shape (n,), in any order.

    ``limit`` and ``limit_low`` bound the value; NaN where there is no such bound. ``role`` and
    ``outcome`` are those of the measurement rows.
    """

    name: str
    mjd: NDArray[Any]
    value: NDArray[Any]
    uncertainty: NDArray[Any]
    limit: NDArray[Any]
    limit_low: NDArray[Any]
    role: NDArray[Any]
    outcome: NDArray[Any]


@dataclass(frozen=True)
class TimeAxis:
    """Time with the long gaps taken out: hours within a session, sessions side by side."""

    begin: NDArray[np.float64]  # MJD of the first exposure of each session
    offset: NDArray[np.float64]  # where each session starts on the axis, hours
    length: NDArray[np.float64]  # of each session on the axis, hours

    @classmethod
    def of(cls, mjd: NDArray[Any]) -> TimeAxis:
        """Cut the axis wherever no exposure was taken for `GAP`."""
        times = np.unique(mjd)
        cuts = np.flatnonzero(np.diff(times) > GAP)
        first, last = np.concatenate(([0], cuts + 1)), np.concatenate((cuts, [len(times) - 1]))
        begin, length = times[first], 24.0 * (times[last] - times[first])
        whole = max(float(length.sum()), 1e-3)
        length = np.maximum(length, 0.04 * whole)
        space = 0.06 * float(length.sum())
        offset = np.concatenate(([0.0], np.cumsum(length[:-1] + space)))
        return cls(begin, offset, length)

    def place(self, mjd: NDArray[Any]) -> NDArray[np.float64]:
        """Where times are on the axis."""
        session = np.clip(np.searchsorted(self.begin, mjd + 1e-9, side="right") - 1, 0, None)
        return np.asarray(self.offset[session] + 24.0 * (mjd - self.begin[session]))

    def label(self, axes: Axes, *, apart: float) -> str:
        """Set ticks, hours of one session or dates of several, and return the axis' title.

        Dates that would stand nearer to one another than this fraction of the axis are left out.
        """
        end = float(self.offset[-1] + self.length[-1])
        axes.set_xlim(-0.05 * end, 1.05 * end)
        if len(self.begin) == 1:
            start = 24.0 * (float(self.begin[0]) % 1.0)
            step = next((s for s in (1 / 60, 1 / 12, 0.25, 0.5, 1.0, 2.0) if end / s <= 4.5), 4.0)
            ticks = np.arange(np.ceil(start / step), np.floor((start + end) / step) + 1) * step
            axes.set_xticks(ticks - start, [_clock(tick) for tick in ticks])
            return f"time (TAI, {Time(self.begin[0], format='mjd').isot[:10]})"
        places: list[float] = []
        dates: list[str] = []
        for begin, middle in zip(self.begin, self.offset + 0.5 * self.length, strict=True):
            if not places or middle - places[-1] >= apart * end:
                places.append(float(middle))
                dates.append(str(Time(begin, format="mjd").isot)[5:10])
        axes.set_xticks(places, dates)
        for left in self.offset[1:]:
            axes.axvline(left - 0.03 * float(self.length.sum()), color=RULE, lw=0.8, zorder=0)
        return "month-day (TAI); the gaps between sessions are cut out"


def _clock(hours: float) -> str:
    minutes = round(60.0 * hours) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@styled
def draw_timeline(
    tracks: Sequence[Track], *, quantity: str, unit: str, columns: int = 4, width: float = 9.6
) -> Figure:
    """Draw a panel for each amplifier; all have the same axes.

    Parameters
    ----------
    tracks
        One for each amplifier; one at least.
    quantity, unit
        Of the values, for the vertical axis.
    columns
        Panels in a row at most.
    width
        Of the figure, inches.

    Returns
    -------
    Values with error bars; lines at the limits, on both sides where there are two. Failures have a
    ring around them. Values far outside of all others are drawn as arrows at the edge.
    """
    columns = min(columns, len(tracks))
    rows = -(-len(tracks) // columns)
    panel = 2.5 if len(tracks) <= 2 else 1.55
    left, right, bottom, top, gap_x, gap_y = 0.85, 0.1, 0.55, 0.55, 0.14, 0.3
    panel_width = (width - left - right - gap_x * (columns - 1)) / columns
    figure = new_figure(width, bottom + top + rows * panel + (rows - 1) * gap_y)
    time = TimeAxis.of(np.concatenate([track.mjd for track in tracks]))
    low, high = _range(tracks)
    for index, track in enumerate(tracks):
        row, column = divmod(index, columns)
        lowest = index + columns >= len(tracks)
        axes = axes_at(
            figure,
            left + column * (panel_width + gap_x),
            bottom + (rows - 1 - row) * (panel + gap_y),
            panel_width,
            panel,
        )
        _draw_track(axes, track, time, low, high)
        title = time.label(axes, apart=0.45 / panel_width)
        axes.set_ylim(low, high)
        axes.tick_params(labelbottom=lowest, labelleft=column == 0)
        axes.set_title(track.name)
    figure.supxlabel(title, y=0.06 / figure.get_size_inches()[1], va="bottom", fontsize=9.0)
    figure.supylabel(with_unit(quantity, unit), x=0.06 / width, ha="left", fontsize=9.0)
    _legend(figure, tracks)
    return figure


def _range(tracks: Sequence[Track]) -> tuple[float, float]:
    """Limits of the vertical axis: all that counts and the bounds; others if not much farther out."""
    inner: list[NDArray[Any]] = []
    outer: list[NDArray[Any]] = []
    for track in tracks:
        error = np.nan_to_num(track.uncertainty)
        ends = np.concatenate((track.value - error, track.value + error))
        counts = np.concatenate((track.role, track.role)) != "first"
        inner += [ends[counts], track.limit, track.limit_low]
        outer.append(ends[~counts])
    within, beyond = np.concatenate(inner), np.concatenate(outer)
    within, beyond = within[np.isfinite(within)], beyond[np.isfinite(beyond)]
    if within.size == 0:
        within = beyond if beyond.size else np.array([-1.0, 1.0])
    low, high = float(within.min()), float(within.max())
    span = max(high - low, 1e-12)
    near = beyond[(beyond > low - 1.5 * span) & (beyond < high + 1.5 * span)]
    low, high = float(min([low, *near])), float(max([high, *near]))
    pad = 0.08 * max(high - low, 1e-12)
    return low - pad, high + pad


def _draw_track(axes: Axes, track: Track, time: TimeAxis, low: float, high: float) -> None:
    axes.axhline(0.0, color=RULE, lw=0.8, zorder=0)
    x = time.place(track.mjd)
    order = np.argsort(x)
    for bound in (track.limit, track.limit_low):
        known = bound[order][np.isfinite(bound[order])]
        if known.size and np.ptp(known) <= 1e-6 * np.abs(known).max():
            axes.axhline(float(known[0]), color=BAD, lw=1.0, ls=(0, (5, 3)), zorder=1)
        elif known.size:
            axes.plot(x[order], bound[order], color=BAD, lw=1.0, ls=(0, (5, 3)), zorder=1)
    for role, (marker, colour, filled, _) in _MARKS.items():
        chosen = (track.role == role) & np.isfinite(track.value)
        inside = chosen & (track.value >= low) & (track.value <= high)
        axes.errorbar(
            x[inside],
            track.value[inside],
            yerr=np.nan_to_num(track.uncertainty[inside]),
            fmt=marker,
            ms=4.0,
            mfc=colour if filled else PAPER,
            mec=colour,
            mew=1.0,
            ecolor=colour,
            elinewidth=0.8,
            zorder=3,
        )
        for upward in (True, False):
            far = chosen & ((track.value > high) if upward else (track.value < low))
            edge = high - 0.04 * (high - low) if upward else low + 0.04 * (high - low)
            for place, value in zip(x[far], track.value[far], strict=True):
                axes.annotate(
                    f"{value:.3g}",
                    (place, edge),
                    xytext=(3, 0),
                    textcoords="offset points",
                    fontsize=7.0,
                    color=colour,
                    va="center",
                )
                axes.plot(place, edge, marker="^" if upward else "v", ms=5, color=colour)
    failed = (track.outcome == "fail") & (track.value >= low) & (track.value <= high)
    axes.plot(x[failed], track.value[failed], "o", ms=9.5, mfc="none", mec=BAD, mew=1.4, zorder=4)


def _legend(figure: Figure, tracks: Sequence[Track]) -> None:
    roles = {str(role) for track in tracks for role in track.role}
    entries = [
        Line2D([], [], ls="", marker=marker, ms=5, mfc=colour if filled else PAPER, mec=colour, label=words)
        for role, (marker, colour, filled, words) in _MARKS.items()
        if role in roles
    ]
    entries.append(Line2D([], [], color=BAD, lw=1.0, ls=(0, (5, 3)), label="limit"))
    if any(np.any(track.outcome == "fail") for track in tracks):
        entries.append(Line2D([], [], ls="", marker="o", ms=9, mfc="none", mec=BAD, label="fails"))
    figure.legend(
        handles=entries,
        loc="upper left",
        ncols=len(entries),
        bbox_to_anchor=(0.03, 1.0),
        borderaxespad=0.1,
        handletextpad=0.3,
        columnspacing=1.4,
        labelcolor=INK,
    )
