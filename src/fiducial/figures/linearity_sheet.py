"""Linearity of all amplifiers of a detector: corrections, each above what is left of its levels."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fiducial.corrections.linearity_product import models_of
from fiducial.figures.amplifier_sheet import curve_sheet, label_sheet, say_why
from fiducial.figures.linearity import PARTS, marks_of
from fiducial.figures.style import BAD, INK, RULE, SERIES, styled, with_unit
from fiducial.products.linearizer import AmplifierLinearity, Linearizer


@styled
def draw_linearity_sheet(
    linearizer: Linearizer, *, failed: frozenset[str] = frozenset(), columns: int = 4
) -> Figure:
    """Draw the correction of every amplifier above the residuals of its levels.

    Parameters
    ----------
    linearizer
        Of one amplifier at least.
    failed
        Amplifiers that fail: their names have an exclamation mark.
    columns
        Amplifiers in a row.

    Returns
    -------
    All amplifiers have the same axes; residuals beyond them stand on their edge. An amplifier whose
    correction is not determined has its reason in place of a curve.
    """
    every = linearizer.amplifiers
    models = models_of(linearizer)
    curves = {
        one.name: model.correction(one.error_signal)
        for one in every
        if (model := models[one.name]) is not None
    }
    sheet = curve_sheet(len(every), columns=columns)
    heights = np.concatenate([np.zeros(1), *curves.values()])
    pad = 0.12 * float(np.ptp(heights)) or 1.0
    half = min(max([1e-2, *(1.3 * _most(PARTS * one.residual[one.used]) for one in every)]), 200.0)
    widest = max(max(_most(one.signal), one.maximum if one.determined else 0.0) for one in every) or 1.0
    for one, upper, lower in zip(every, sheet.upper, sheet.lower, strict=True):
        if one.name in curves:
            at, curve, sigma = one.error_signal, curves[one.name], one.error_correction
            upper.fill_between(
                at, curve - sigma, curve + sigma, color=SERIES[0], alpha=0.3, lw=0, label="±1σ"
            )
            upper.plot(at, curve, color=SERIES[0], lw=1.2, label="correction")
        else:
            say_why(upper, one.reason, sheet.panel_width)
        bad = one.name in failed
        title = f"! {one.name}" if bad else one.name
        upper.set_title(title, fontsize=8.5, color=BAD if bad or not one.determined else INK)
        upper.axhline(0.0, color=INK, lw=0.6)
        upper.set_ylim(float(heights.min()) - pad, float(heights.max()) + pad)
        lower.set_ylim(-half, half)
        _levels(lower, one, half)
        for axes in (upper, lower):
            axes.set_xlim(0, 1.02 * (widest if np.isfinite(widest) else 1.0))
    label_sheet(
        sheet,
        below=with_unit("signal", linearizer.unit),
        upper=with_unit("correction", linearizer.unit),
        lower="residual (10⁻⁴)",
    )
    return sheet.figure


def _levels(axes: Any, one: AmplifierLinearity, half: float) -> None:
    left = np.clip(PARTS * one.residual, -half, half)
    for chosen, look in marks_of(one):
        if chosen.any():
            axes.plot(
                one.signal[chosen],
                left[chosen],
                clip_on=False,
                **{**look, "ls": "", "ms": 4.0 if look["marker"] == "x" else 2.6},
            )
    if np.isfinite(one.stability):
        axes.axhspan(-PARTS * one.stability, PARTS * one.stability, color=RULE, alpha=0.5, lw=0)


def _most(values: NDArray[Any]) -> float:
    known = np.abs(values[np.isfinite(values)])
    return float(known.max()) if len(known) else 0.0
