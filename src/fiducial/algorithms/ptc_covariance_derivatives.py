"""Derivatives of the covariances of flats by their parameters, by what they are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fiducial.algorithms.arrays import Float64


@dataclass(frozen=True, slots=True, eq=False)
class CovarianceDerivatives:
    r"""Derivatives of `CovarianceModel`, 30 times as quick to work with as the matrix of all of them.

    At mean i and lag k they are :math:`\sum_m q_{im} B_{mk}`, where q are the powers 1 to 4 of the mean and
    the weight of the noise, and B depends on the parameters only. So sums over means are of numbers, q's
    moments for each lag, and matrices have as many rows as there are lags, however many means there are.

    Attributes
    ----------
    factors : (n, 5) float64
        q.
    by_gain : (4, size) float64
        B of the gain, for the powers; size is the number of lags in rows times that in columns.
    third, fourth : (size, size) float64
        B of a for the powers 3 and 4; for the power 2 it is the identity.
    fourth_by_c : (size, size) float64 or None
        B of c for the power 4; for the power 3 it is 2/3 of the identity. None: c is no parameter.
    """

    factors: Float64
    by_gain: Float64
    third: Float64
    fourth: Float64
    fourth_by_c: Float64 | None

    @property
    def size(self) -> int:
        """Lags in rows times lags in columns."""
        return int(self.by_gain.shape[1])

    def curvature(self, weights: Float64) -> Float64:
        """D^T diag(weights) D, for weights (n * size,)."""
        size = self.size
        # Moments of q at each lag: (size, 5, 5).
        pairs = (self.factors[:, :, None] * self.factors[:, None, :]).reshape(len(self.factors), -1)
        moments = (weights.reshape(-1, size).T @ pairs).reshape(size, 5, 5)
        three, four = self._high()
        width = three.shape[1]
        lower = moments[:, 2, 3, None]
        both = np.concatenate(
            [
                moments[:, 2, 2, None] * three + lower * four,
                lower * three + moments[:, 3, 3, None] * four,
            ]
        )
        high = np.concatenate([three, four]).T @ both  # of gain, a and c
        a, noise = slice(1, 1 + size), slice(width, width + size)
        out = np.zeros((width + size, width + size))
        out[:width, :width] = high
        # What the other factors have in common with those two: powers 1 and 2, and the noise.
        first, second, last = (
            moments[:, m, 2, None] * three + moments[:, m, 3, None] * four for m in (0, 1, 4)
        )
        gain = self.by_gain[0]
        of_gain = gain @ first
        out[0, :width] += of_gain
        out[:width, 0] += of_gain
        out[0, 0] += np.sum(gain**2 * moments[:, 0, 0])
        both_low = gain * moments[:, 0, 1]
        out[0, a] += both_low
        out[a, 0] += both_low
        out[a, :width] += second
        out[:width, a] += second.T
        out[noise, :width] = last
        out[noise, 0] += gain * moments[:, 0, 4]
        at = np.arange(size)
        out[1 + at, 1 + at] += moments[:, 1, 1]
        out[width + at, 1 + at] += moments[:, 1, 4]
        out[:width, noise] = out[noise, :width].T
        out[width + at, width + at] = moments[:, 4, 4]
        return self._in_order(self._in_order(out).T)

    def slope(self, residual: Float64) -> Float64:
        """D^T residual, for a weighted residual (n * size,)."""
        sums = self.factors.T @ residual.reshape(-1, self.size)
        three, four = self._high()
        high = sums[2] @ three + sums[3] @ four
        high[0] += self.by_gain[0] @ sums[0]
        high[1 : 1 + self.size] += sums[1]
        return self._in_order(np.concatenate([high, sums[4]]))

    def _high(self) -> tuple[Float64, Float64]:
        """B of the powers 3 and 4 for gain, a and c: (size, 1 + 2 size), without c (size, 1 + size)."""
        three, four = [self.by_gain[2, :, None], self.third], [self.by_gain[3, :, None], self.fourth]
        if self.fourth_by_c is not None:
            three.append(2.0 / 3.0 * np.eye(self.size))
            four.append(self.fourth_by_c)
        return np.concatenate(three, axis=1), np.concatenate(four, axis=1)

    def _in_order(self, rows: Float64) -> Float64:
        """Rows of gain, a, c, noise as gain, a, noise, c: the order of the parameters."""
        if self.fourth_by_c is None:
            return rows
        end = 1 + self.size
        return np.concatenate([rows[:end], rows[end + self.size :], rows[end : end + self.size]])
