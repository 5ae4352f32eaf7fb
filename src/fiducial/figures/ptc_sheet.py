"""Photon transfer of all amplifiers of a detector: curves with what is left of them, and their matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fiducial.figures.amplifier_sheet import curve_sheet, label_sheet, say_why
from fiducial.figures.ptc import marks_of, residuals_of
from fiducial.figures.style import BAD, INK, MUTED, RULE, SERIES, axes_at, diverging, new_figure, styled
from fiducial.products.ptc import AmplifierTransfer, PhotonTransferCurve

_MILLIONTHS = 1e6


@styled
def draw_transfer_sheet(
    product: PhotonTransferCurve, *, failed: frozenset[str] = frozenset(), columns: int = 4
) -> Figure:
    """Draw variance against mean of every amplifier, each above what its fit leaves.

    Parameters
    ----------
    product
        Of one amplifier at least.
    failed
        Amplifiers that fail: their names have an exclamation mark.
    columns
        Amplifiers in a row.

    Returns
    -------
    All amplifiers have the same axes; what is beyond them stands on their edge. An amplifier whose fit
    is not determined has its reason in place of a curve.
    """
    sheet = curve_sheet(len(product.amplifiers), columns=columns)
    most_mean = max(_most(one.mean) for one in product.amplifiers) or 1.0
    highest = max(_most(_heights(one)) for one in product.amplifiers) or 1.0
    half = max(4.0, *(1.3 * _most(np.abs(residuals_of(one)[one.kept])) for one in product.amplifiers))
    half = min(half, 20.0)
    for one, upper, lower in zip(product.amplifiers, sheet.upper, sheet.lower, strict=True):
        left = residuals_of(one)
        for chosen, look in marks_of(one):
            small = {**look, "ls": "", "ms": 4.0 if look["marker"] == "x" else 2.6}
            if chosen.any():
                heights = np.minimum(one.covariances[chosen, 0, 0], 1.12 * highest)
                upper.plot(one.mean[chosen], heights, **small)
            if (chosen & np.isfinite(left)).any():
                lower.plot(one.mean[chosen], np.clip(left[chosen], -half, half), clip_on=False, **small)
        title = f"! {one.name}" if one.name in failed else one.name
        if one.fit.determined:
            order = np.argsort(one.mean)
            upper.plot(one.mean[order], one.fit.curve[order, 0, 0], color=SERIES[0], lw=1.0, label="fit")
            title += f"   {one.fit.gain:.4g} ± {one.fit.gain_error:.1g}"
        else:
            say_why(upper, one.fit.reason, sheet.panel_width)
        bad = one.name in failed or not one.fit.determined
        upper.set_title(title, fontsize=8.5, color=BAD if bad else INK)
        upper.set_ylim(0, 1.15 * highest)
        lower.set_ylim(-half, half)
        lower.axhspan(-1.0, 1.0, color=RULE, alpha=0.5, lw=0)
        for axes in (upper, lower):
            axes.set_xlim(0, 1.04 * most_mean)
            if one.turnoff_found:
                axes.axvline(one.turnoff, color=MUTED, lw=0.7, ls=":", label="turn-off")
    label_sheet(sheet, below="mean (adu)", upper="variance (adu²)", lower="residual (σ)")
    return sheet.figure


@styled
def draw_area_changes(product: PhotonTransferCurve, *, columns: int = 8) -> Figure:
    """Draw the matrices a of all amplifiers on one scale, that of all lags but the pixel itself.

    Parameters
    ----------
    product
        With one matrix at least.
    columns
        Matrices in a row.
    """
    amplifiers = [one for one in product.amplifiers if has_matrix(one)]
    columns = min(columns, len(amplifiers))
    rows = -(-len(amplifiers) // columns)
    side, step, left, bottom = 0.92, 1.06, 0.55, 0.5
    row_step = side + 0.28
    height = bottom + rows * row_step + 0.05
    figure = new_figure(max(left + columns * step + 0.8, 3.2), height)
    shown = [_MILLIONTHS * one.fit.a for one in amplifiers]
    limit = max(_most(np.abs(np.delete(a.ravel(), 0))) for a in shown) or 1.0
    for index, (one, a) in enumerate(zip(amplifiers, shown, strict=True)):
        row, column = divmod(index, columns)
        axes = axes_at(figure, left + column * step, bottom + (rows - 1 - row) * row_step, side, side)
        axes.imshow(a, cmap=diverging(), vmin=-limit, vmax=limit)
        axes.set_title(one.name, fontsize=8.5)
        axes.tick_params(labelleft=column == 0, labelbottom=index + columns >= len(amplifiers), length=2.0)
        axes.locator_params(nbins=4, integer=True)
    bar = axes_at(figure, left + columns * step + 0.02, bottom, 0.12, height - bottom - 0.3)
    figure.colorbar(
        ScalarMappable(norm=Normalize(-limit, limit), cmap=diverging()), cax=bar, label="a (10⁻⁶ / electron)"
    )
    figure.supxlabel("columns apart", y=0.06 / height, va="bottom", fontsize=9.0)
    figure.supylabel("rows apart", x=0.01, ha="left", fontsize=9.0)
    return figure


def has_matrix(one: AmplifierTransfer) -> bool:
    """Whether more than the pixel's own change of area was fitted."""
    return bool(one.fit.determined and np.isfinite(one.fit.a).sum() > 1)


def _heights(one: AmplifierTransfer) -> NDArray[Any]:
    """Variances that the axes have to hold: those that count, and the curve."""
    return np.concatenate((one.covariances[one.kept, 0, 0], one.fit.curve[one.kept, 0, 0]))


def _most(values: NDArray[Any]) -> float:
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) else 0.0
