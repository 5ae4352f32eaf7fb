"""Photon transfer of one amplifier: its curve, what is left of each pair, and the matrix of area changes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fiducial.figures.style import BAD, INK, MUTED, RULE, SERIES, axes_at, diverging, new_figure, styled
from fiducial.products.ptc import AmplifierTransfer, PhotonTransferCurve

_MILLIONTHS = 1e6


@styled
def draw_transfer(product: PhotonTransferCurve, amplifier: str) -> Figure:
    """Draw variance against mean above what the fit leaves, beside the matrix a.

    Parameters
    ----------
    product
        Of the amplifier's detector.
    amplifier
        Its name. One whose fit is not determined has its reason in place of a curve.

    Raises
    ------
    KeyError
        The product has no such amplifier.
    """
    one = product.amplifier(amplifier)
    if one is None:
        raise KeyError(amplifier)
    with_matrix = bool(np.isfinite(one.fit.a).sum() > 1)
    figure = new_figure(10.8 if with_matrix else 7.6, 4.8)
    above, below = axes_at(figure, 0.9, 2.5, 6.5, 2.0), axes_at(figure, 0.9, 0.5, 6.5, 1.7)
    _curve(above, one)
    _residuals(below, one)
    known = one.mean[np.isfinite(one.mean)]
    for axes in (above, below):
        axes.set_xlim(0, 1.04 * float(known.max(initial=0.0)) or 1.0)
        axes.grid(axis="y", color=RULE)
        if one.turnoff_found:
            axes.axvline(one.turnoff, color=MUTED, lw=0.7, ls=":", label="turn-off")
    if above.get_legend_handles_labels()[1]:
        above.legend(loc="upper left")
    if with_matrix:
        _matrix(axes_at(figure, 8.1, 1.3, 2.4, 2.4), figure, one)
    return figure


def marks_of(one: AmplifierTransfer) -> tuple[tuple[NDArray[np.bool_], dict[str, Any]], ...]:
    """Pairs that the fit used as dots, outliers as crosses, others hollow."""
    known = np.isfinite(one.mean)
    return (
        (one.kept & known, {"color": SERIES[1], "marker": "o", "label": "used"}),
        (one.outlier & known, {"color": BAD, "marker": "x", "label": "rejected"}),
        (
            known & ~one.kept & ~one.outlier,
            {"color": MUTED, "marker": "o", "markerfacecolor": "none", "label": "not used"},
        ),
    )


def _curve(axes: Axes, one: AmplifierTransfer) -> None:
    for chosen, look in marks_of(one):
        if chosen.any():
            axes.plot(one.mean[chosen], one.covariances[chosen, 0, 0], ls="", ms=4.0, **look)
    fit = one.fit
    if fit.determined:
        order = np.argsort(one.mean)
        axes.plot(one.mean[order], fit.curve[order, 0, 0], color=SERIES[0], lw=1.2, label=fit.model)
        axes.set_title(
            f"Photon transfer of {one.name}: gain {fit.gain:.4g} ± {fit.gain_error:.2g} electron/adu"
        )
    else:
        axes.text(0.5, 0.5, fit.reason, transform=axes.transAxes, ha="center", color=BAD, wrap=True)
        axes.set_title(f"Photon transfer of {one.name}")
    axes.set_ylabel("variance (adu²)")


def residuals_of(one: AmplifierTransfer) -> NDArray[np.float64]:
    """What the fit leaves of the variance of each pair, in units of the error that Gaussian noise gives."""
    expected = one.fit.curve[:, 0, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        left = (one.covariances[:, 0, 0] / expected - 1.0) * np.sqrt(0.5 * one.counts[:, 0, 0])
    return np.asarray(left)


def _residuals(axes: Axes, one: AmplifierTransfer) -> None:
    """What is too large stands on the edge."""
    left = residuals_of(one)
    good = left[one.kept & np.isfinite(left)]
    half = max(4.0, 1.3 * float(np.abs(good).max())) if len(good) else 4.0
    axes.set_ylim(-half, half)
    for chosen, look in marks_of(one):
        if (chosen & np.isfinite(left)).any():
            axes.plot(one.mean[chosen], np.clip(left[chosen], -half, half), ls="", ms=4.0, **look)
    axes.axhspan(-1.0, 1.0, color=RULE, alpha=0.5, lw=0)
    axes.axhline(0.0, color=INK, lw=0.7)
    axes.set_ylabel("residual (σ)")
    axes.set_xlabel("mean (adu)")


def _matrix(axes: Axes, figure: Figure, one: AmplifierTransfer) -> None:
    """Changes of areas at all lags but the pixel itself, which would leave nothing to be seen of them."""
    a = _MILLIONTHS * one.fit.a
    others = np.abs(np.delete(a.ravel(), 0))
    limit = float(np.nanmax(others)) or 1.0
    shown = axes.imshow(a, cmap=diverging(), vmin=-limit, vmax=limit)
    axes.locator_params(nbins=6, integer=True)
    axes.set_xlabel("columns apart")
    axes.set_ylabel("rows apart")
    axes.set_title(f"a (10⁻⁶ / electron), a₀₀ = {a[0, 0]:.3g}")
    figure.colorbar(shown, ax=axes, shrink=0.8)
