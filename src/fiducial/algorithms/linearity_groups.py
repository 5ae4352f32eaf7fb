"""Groups of illumination: levels that share a lamp setting or a photodiode's range."""

from __future__ import annotations

import numpy as np

from fiducial.algorithms.arrays import Int64, Numbers


def illumination_groups(signal: Numbers, abscissa: Numbers, *, jump: float = 0.1) -> Int64:
    """Tell groups by gaps in the ratio of signal to abscissa.

    Parameters
    ----------
    signal, abscissa : (n,)
        Mean level and what stands for its light.
    jump
        Neighbours in the sorted ratios that differ by more, relatively, are of different groups. A
        non-linearity that is steeper than this between two levels would be taken for a change of lamp.

    Returns
    -------
    (n,) int64
        Groups from 0, that of the lowest ratio first; -1 where there is no positive ratio.
    """
    m, t = np.asarray(signal, np.float64), np.asarray(abscissa, np.float64)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        ratio = m / t
    known = np.isfinite(ratio) & (ratio > 0) & (t > 0)
    groups = np.full(m.shape, -1, np.int64)
    order = np.flatnonzero(known)[np.argsort(ratio[known], kind="stable")]
    steps = np.diff(np.log(ratio[order])) > np.log1p(jump)
    groups[order] = np.append(0, np.cumsum(steps))[: len(order)]
    return groups
