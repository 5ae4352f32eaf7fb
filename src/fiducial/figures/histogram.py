"""Residuals in units of their expected noise, against the unit Gaussian."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fiducial.figures.style import INK, RULE, SERIES, axes_at, new_figure, powers_of_ten, styled


@styled
def draw_histogram(edges: NDArray[Any], counts: Mapping[str, NDArray[Any]], *, title: str = "") -> Figure:
    """Draw histograms of z = residual / expected sigma on a logarithmic scale.

    Parameters
    ----------
    edges
        Shape (n_bins + 1,), of z. The outermost bins may hold what lies beyond them.
    counts
        Name -> pixels in each bin, shape (n_bins,); four at most are drawn, as steps. Each is
        divided by its sum and the bin widths, so all compare with the density of a unit Gaussian.
    title
        Above the axes.
    """
    figure = new_figure(7.6, 3.4)
    axes = axes_at(figure, 0.7, 0.5, 6.7, 2.6)
    z = np.linspace(edges[0], edges[-1], 401)
    axes.plot(z, np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi), color=INK, lw=1.2, label="unit Gaussian")
    smallest = 1.0
    widths = np.diff(edges)
    styles = ("-", "--", "-.", ":")
    for (name, number), colour, dashes in zip(list(counts.items())[:4], SERIES, styles, strict=False):
        total = float(np.sum(number))
        if total <= 0:
            continue
        density = np.asarray(number, dtype=float) / (total * widths)
        axes.stairs(density, edges, color=colour, lw=1.5, ls=dashes, label=name)
        smallest = min(smallest, 1.0 / (total * float(widths.max())))
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(powers_of_ten())
    axes.minorticks_off()
    axes.set_ylim(0.5 * smallest, 1.5)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_xlabel("z = residual / expected noise (σ)")
    axes.set_ylabel("density (1/σ)")
    axes.grid(axis="y", color=RULE)
    axes.legend(loc="upper right")
    if title:
        axes.set_title(title)
    return figure
