"""Linearity of one amplifier: its correction with its error, and what is left of each level after it."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fiducial.corrections.linearity_product import models_of
from fiducial.figures.style import BAD, INK, MUTED, RULE, SERIES, axes_at, new_figure, styled, with_unit
from fiducial.products.linearizer import AmplifierLinearity, Linearizer

PARTS = 1e4
"""Residuals are shown in units of 1e-4."""


@styled
def draw_linearity(linearizer: Linearizer, amplifier: str) -> Figure:
    """Draw the correction of an amplifier above the residuals of its levels.

    Parameters
    ----------
    linearizer
        Of the amplifier's detector.
    amplifier
        Its name. One whose correction is not determined has its reason in place of a curve.

    Raises
    ------
    KeyError
        The linearizer has no such amplifier.
    """
    one = linearizer.amplifier(amplifier)
    if one is None:
        raise KeyError(amplifier)
    figure = new_figure(7.6, 4.8)
    above, below = axes_at(figure, 0.8, 2.5, 6.6, 2.0), axes_at(figure, 0.8, 0.5, 6.6, 1.7)
    model = models_of(linearizer)[amplifier]
    if model is not None:
        at, sigma = one.error_signal, one.error_correction
        correction = model.correction(at)
        above.fill_between(
            at, correction - sigma, correction + sigma, color=SERIES[0], alpha=0.3, lw=0, label="±1σ"
        )
        above.plot(at, correction, color=SERIES[0], lw=1.5, label=model.kind.replace("_", " "))
        above.axvline(one.reference, color=MUTED, lw=0.7, ls=":", label="0 by convention")
        above.legend(loc="best")
    else:
        above.text(0.5, 0.5, one.reason, transform=above.transAxes, ha="center", color=BAD, wrap=True)
    above.set_ylabel(with_unit("correction", linearizer.unit))
    above.set_title(f"Linearity of {amplifier}")
    _residuals(below, one)
    below.set_xlabel(with_unit("signal", linearizer.unit))
    for axes in (above, below):
        axes.set_xlim(0, _widest(one))
        axes.grid(axis="y", color=RULE)
        axes.axhline(0.0, color=INK, lw=0.7)
    return figure


def marks_of(one: AmplifierLinearity) -> tuple[tuple[NDArray[np.bool_], dict[str, Any]], ...]:
    """Levels used as dots, rejected ones as crosses, others hollow."""
    return (
        (one.used, {"color": SERIES[1], "marker": "o", "label": "used"}),
        (one.outlier, {"color": BAD, "marker": "x", "label": "rejected"}),
        (
            ~one.used & ~one.outlier & np.isfinite(one.residual),
            {"color": MUTED, "marker": "o", "markerfacecolor": "none", "label": "not used"},
        ),
    )


def _residuals(axes: Axes, one: AmplifierLinearity) -> None:
    """Levels, and the light's scatter as a band.

    What is too large for the axes stands on their edge.
    """
    left = PARTS * one.residual
    good = left[one.used & np.isfinite(left)]
    half = max(4.0 * float(np.std(good)), 1.3 * float(np.abs(good).max()), 1e-3) if len(good) else 1.0
    axes.set_ylim(-half, half)
    left = np.clip(left, -half, half)  # levels beyond the turn-off would leave nothing to be seen of these
    marks = marks_of(one)
    for chosen, look in marks:
        if chosen.any():
            axes.plot(one.signal[chosen], left[chosen], ls="", ms=4.0, clip_on=False, **look)
    if np.isfinite(one.stability):
        band = PARTS * one.stability
        axes.axhspan(-band, band, color=RULE, alpha=0.5, lw=0)
    axes.set_ylabel("residual (10⁻⁴)")
    if any(chosen.any() for chosen, _ in marks):
        axes.legend(loc="upper right", ncols=3)


def _widest(one: AmplifierLinearity) -> float:
    known = one.signal[np.isfinite(one.signal)]
    largest = max([float(known.max(initial=0.0)), one.maximum if np.isfinite(one.maximum) else 0.0])
    return 1.02 * largest or 1.0
