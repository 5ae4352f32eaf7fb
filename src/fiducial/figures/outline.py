"""What is drawn over the image of a detector: amplifiers, their names, and where readout starts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Polygon

from fiducial.cameras.model import Amplifier
from fiducial.figures.style import INK, PAPER


def detector_axes(axes: Axes, shape: tuple[int, int], *, labels: bool = True) -> None:
    """Axes in pixels of the assembled detector: x to the right, y up, equal scales."""
    axes.set_xlim(0, shape[1])
    axes.set_ylim(0, shape[0])
    axes.set_aspect("equal")
    for side in ("top", "right"):
        axes.spines[side].set_visible(True)
    if labels:
        axes.set_xlabel("x (pixel)")
        axes.set_ylabel("y (pixel)")
    axes.tick_params(length=2.5)
    axes.locator_params(nbins=5)


def draw_amplifiers(
    axes: Axes,
    amplifiers: Sequence[Amplifier],
    *,
    names: bool = True,
    corners: bool = False,
    colour: str = INK,
) -> None:
    """Boundaries between amplifiers, their names, and a triangle in the corner that is read first."""
    if len(amplifiers) > 1:
        edges = [
            [(r.x0, r.y0), (r.x1, r.y0), (r.x1, r.y1), (r.x0, r.y1), (r.x0, r.y0)]
            for r in (amplifier.detector for amplifier in amplifiers)
        ]
        axes.add_collection(LineCollection(edges, colors=PAPER, linewidths=1.1, alpha=0.55))
        axes.add_collection(LineCollection(edges, colors=colour, linewidths=0.5, alpha=0.8))
    for amplifier in amplifiers:
        region = amplifier.detector
        if names:
            narrow = (region.x1 - region.x0) < 0.4 * (region.y1 - region.y0)
            axes.text(
                0.5 * (region.x0 + region.x1),
                0.5 * (region.y0 + region.y1),
                amplifier.name,
                ha="center",
                va="center",
                rotation=90 if narrow else 0,
                fontsize=8.5,
                fontweight="bold",
                color=INK,
                bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 1.5},
            )
        if corners:
            axes.add_patch(_corner(amplifier))


def read_corner(amplifier: Amplifier) -> tuple[bool, bool]:
    """Whether readout starts at the right, and at the top, of the amplifier on the detector."""
    right = amplifier.read_corner in ("LR", "UR")
    top = amplifier.read_corner in ("UL", "UR")
    return right != amplifier.detector.flip_x, top != amplifier.detector.flip_y


def _corner(amplifier: Amplifier) -> Polygon:
    region = amplifier.detector
    size = 0.06 * min(region.x1 - region.x0, region.y1 - region.y0)
    right, top = read_corner(amplifier)
    x, step_x = (region.x1, -size) if right else (region.x0, size)
    y, step_y = (region.y1, -size) if top else (region.y0, size)
    points = np.array([(x, y), (x + step_x, y), (x, y + step_y)])
    return Polygon(points, closed=True, facecolor=INK, edgecolor=PAPER, linewidth=0.6, zorder=4)
