"""What measuring frames costs in memory. Numbers only; nothing is opened."""

from __future__ import annotations

from fiducial.products.residuals import bin_factor, images_bytes

_MASTER = 20  # bytes a pixel of a master that is in use: its planes, and a mask and a variance of our own
_MEASURING = 145  # bytes a pixel: two frames, their residuals, sigmas and flags, and what checks work with


def measuring_bytes(kind: str, shape: tuple[int, int], n_frames: int) -> int:
    """Most memory of measuring frames against a master, on top of the libraries.

    Frames are measured one after the other, so only what is kept of their residuals grows with their number,
    up to a limit.

    Parameters
    ----------
    kind
        ``bias``, ``dark`` or ``flat``: the masters in use are its own and those before it.
    shape
        Rows and columns of the detector.
    n_frames
        Frames that are verified.
    """
    masters = {"bias": 1, "dark": 2, "flat": 3}.get(kind, 1)
    images = n_frames * (2 if kind == "bias" else 1)
    kept = images_bytes(shape, images, bin_factor(shape, images))
    # What is kept is put together once, and written.
    return shape[0] * shape[1] * (_MEASURING + _MASTER * masters) + 3 * kept
