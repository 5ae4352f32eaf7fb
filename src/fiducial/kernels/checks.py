"""Checks that several kernels share."""

from __future__ import annotations


def require_clipping(kappa: float, iterations: int) -> None:
    """Refuse a clipping that could reject everything, or that has no number of rounds."""
    if not kappa >= 1:
        raise ValueError(f"clipping at kappa = {kappa} could reject every frame; at least 1 is needed")
    if iterations < 0:
        raise ValueError(f"{iterations} rounds of clipping are none: 0 or more")
