"""Masks as rectangles, and rectangles as masks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

type Boxes = NDArray[np.int32]
"""(n, 4): x0, y0, width and height of each box, pixels from 0."""


def boxes_of(mask: NDArray[np.bool_]) -> Boxes:
    """Cut a mask into few rectangles that do not overlap.

    Runs of pixels along columns that have the same rows in columns side by side become one box; the same
    is tried with rows, and what gives fewer boxes is used, columns where both give as many. The fewest
    boxes there could be are not looked for.

    Parameters
    ----------
    mask : (ny, nx) bool

    Returns
    -------
    (n, 4) int32
        In order of x0, then y0; together they cover exactly the mask (`paint_boxes`).
    """
    along_columns = _merged_runs(mask.T)
    along_rows = _merged_runs(mask)
    if len(along_rows) < len(along_columns):
        x0, y0, x1, y1 = along_rows[:, 1], along_rows[:, 0], along_rows[:, 3], along_rows[:, 2]
    else:
        x0, y0, x1, y1 = along_columns.T
    boxes = np.stack([x0, y0, x1 - x0, y1 - y0], axis=1).astype(np.int32)
    return boxes[np.lexsort((boxes[:, 1], boxes[:, 0]))]


def _merged_runs(lines: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(n, 4): first line, first pixel, end of lines, end of pixels of each box."""
    empty = np.zeros((0, 4), dtype=np.int64)
    if not lines.any():
        return empty
    line, start, end = _runs(lines)
    # The same span in line after line: sorted by span, a box goes on while the line number steps by one.
    order = np.lexsort((line, end, start))
    line, start, end = line[order], start[order], end[order]
    goes_on = (np.diff(line) == 1) & (np.diff(start) == 0) & (np.diff(end) == 0)
    first = np.flatnonzero(np.r_[True, ~goes_on])
    last = np.r_[first[1:] - 1, len(line) - 1]
    return np.stack([line[first], start[first], line[last] + 1, end[first]], axis=1)


def _runs(lines: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Line, start and end of every run of true pixels; only lines with any are looked at."""
    hit = np.flatnonzero(lines.any(axis=1))
    steps = np.diff(np.pad(lines[hit].astype(np.int8), ((0, 0), (1, 1))), axis=1)
    row, start = np.nonzero(steps == 1)
    _, end = np.nonzero(steps == -1)
    return hit[row], start, end


def paint_boxes(boxes: Boxes, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Make the mask that boxes cover; what lies outside of the shape is left out.

    Parameters
    ----------
    boxes : (n, 4)
        They may overlap.
    shape : (ny, nx)
    """
    mask = np.zeros(shape, dtype=bool)
    for x0, y0, width, height in boxes.tolist():
        mask[max(y0, 0) : max(y0 + height, 0), max(x0, 0) : max(x0 + width, 0)] = True
    return mask
