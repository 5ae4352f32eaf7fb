"""What a master's noise shares with a frame: its own, and that of the masters used before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from fiducial.corrections.masters import Master
    from fiducial.products.metadata import InputNote


@dataclass(frozen=True)
class InputWeights:
    """How the inputs of a master added up, as far as verification needs it.

    Parameters
    ----------
    kind
        ``bias``, ``dark`` or ``flat``.
    scales
        E of each input: 1, its dark time (s), or its level.
    times
        Dark time of each input, s.
    """

    kind: str
    scales: NDArray[np.float64]
    times: NDArray[np.float64]

    @classmethod
    def of(cls, kind: str, inputs: Sequence[InputNote]) -> InputWeights | None:
        """From what the master says of its inputs; None where it says nothing (a master from elsewhere)."""
        if not inputs:
            return None
        times = np.array([note.time for note in inputs], dtype=np.float64)
        scales = np.array([note.scale for note in inputs], dtype=np.float64)
        if kind == "dark":
            scales = times
        if kind == "bias":
            scales = np.ones(len(inputs))
        return cls(kind, scales, times) if np.all(scales > 0) else None

    def fraction(self, scale: float, read_variance: float, signal: float) -> float:
        """E^2 V_M / V of a frame of this scale: the master's variance by the noise of the frames themselves.

        The variance plane estimates the same; for darks and for short stacks it rests on the certified
        read noise, and a wrong value of that must not pass into the test of a frame's noise.

        Parameters
        ----------
        scale
            E of the frame.
        read_variance
            Of a pixel without signal, with what the overscan model adds.
        signal
            Typical variance that a unit of scale adds (dark rate, or response, over electrons per unit).
        """
        own = read_variance + scale * max(signal, 0.0)
        variances = read_variance + self.scales * max(signal, 0.0)
        return float((scale**2 / own) / np.sum(np.square(self.scales) / variances))

    @property
    def total(self) -> float:
        """Sum of the coefficients of the frames: what an error common to all of them is multiplied by."""
        if self.kind == "dark":
            return float(np.sum(self.times) / np.sum(np.square(self.times)))
        return float(np.mean(1.0 / self.scales))

    @property
    def time(self) -> float:
        """Sum of coefficients times dark times: what an error of the dark rate is multiplied by."""
        if self.kind == "dark":
            return 1.0
        return float(np.mean(self.times / self.scales))


def left_over(
    kind: str,
    weights: InputWeights | None,
    used: dict[str, Master],
    *,
    under_test: Master,
    scale: float,
    time: float,
) -> list[tuple[Master, float]]:
    """The masters used before, each with the factor of its variance in the residual F - E M.

    Frame and master have the same bias subtracted: of its error c remains the part 1 - E sum(c), none
    for frames like the inputs. If it was another bias, both errors stand.

    Parameters
    ----------
    kind
        Of the master under test.
    weights
        Of its inputs; None: it is from elsewhere, and all of the error remains.
    used
        The masters in the chain, by kind.
    under_test
        The master.
    scale, time
        E and dark time of the frame.
    """
    out = []
    for name, master in used.items():
        if name == kind or name not in ("bias", "dark"):  # others have no variance
            continue
        alone = 1.0 if name == "bias" else time
        shared = 0.0
        if weights is not None:
            shared = scale * (weights.total if name == "bias" else weights.time)
        same = under_test.metadata.get(f"FID CHAIN {name.upper()} HASH") == master.content_hash
        out.append((master, (alone - shared) ** 2 if same else alone**2 + shared**2))
    return out
