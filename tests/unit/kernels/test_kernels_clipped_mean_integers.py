"""The clipped mean of 16-bit integers against that of floats, whose reference is plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fiducial.kernels import clipped_mean, clipped_mean_integers, clipped_mean_into

CLIP = {"kappa": 3.0, "iterations": 3}


def stored(pixels: NDArray[np.uint16]) -> NDArray[np.int16]:
    """Unsigned pixels as a FITS file stores them: big-endian, 32768 taken off."""
    return (pixels ^ 0x8000).astype(">u2").view(">i2")


def compare(pixels: NDArray[np.uint16], limit: float = np.inf, **clip: float) -> None:
    """Bit by bit: float32 holds every 16-bit integer."""
    usable = None if np.isinf(limit) else (pixels < limit).astype(np.uint8)
    settings = CLIP | clip
    expected = clipped_mean(pixels.astype(np.float32), usable, None, **settings)  # type: ignore[arg-type]
    signed = (pixels.astype(np.int32) - 32768).astype(np.int16)
    for frames, zero in (
        (pixels, 0),
        (pixels.astype(">u2"), 0),
        (stored(pixels), 32768),
        (signed, 32768),
    ):
        found = clipped_mean_integers(frames, zero=zero, limit=limit, **settings)  # type: ignore[arg-type]
        for got, want in zip(found, expected, strict=True):
            np.testing.assert_array_equal(got, want)
        for dtype in (">f4", "<f4"):
            mean = np.empty(pixels.shape[1], dtype)
            clipped_mean_into(frames, mean, zero=zero, limit=limit, **settings)  # type: ignore[arg-type]
            np.testing.assert_array_equal(mean, expected[0])


def noise(n: int, pixels: int, seed: int) -> NDArray[np.uint16]:
    rng = np.random.default_rng(seed)
    return np.rint(rng.normal(1000.0, 4.0, (n, pixels))).astype(np.uint16)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 9, 20, 33, 64, 65, 200, 1000])
def test_any_number_of_frames(n: int) -> None:
    pixels = noise(n, 700, n)
    rng = np.random.default_rng(1)
    pixels[rng.integers(0, n, 90), rng.integers(0, 700, 90)] += rng.integers(20, 60000, 90).astype(np.uint16)
    compare(pixels)
    compare(pixels, kappa=1.0, iterations=10)
    compare(pixels, iterations=0)


@pytest.mark.parametrize("n", [2, 3, 20, 300])
def test_the_whole_range_of_values(n: int) -> None:
    """Squares of such deviations need more than 32 bits."""
    rng = np.random.default_rng(2)
    compare(rng.integers(0, 65536, (n, 500)).astype(np.uint16))
    extremes = np.where(rng.random((n, 500)) < 0.5, 0, 65535).astype(np.uint16)
    extremes[:, :3] = 0, 32768, 65535
    compare(extremes)
    compare(extremes, kappa=1.5)


@pytest.mark.parametrize("limit", [0.0, 1003.0, 1003.5, 32767.0, 32768.0, 60000.0, 65535.0, 65536.0])
def test_saturated_values_are_not_used(limit: float) -> None:
    pixels = noise(12, 900, 3)
    pixels[:, 10], pixels[:6, 11], pixels[:11, 12] = 65535, 65535, 65535
    pixels[3, :200:7] = 40000
    compare(pixels, limit)


@pytest.mark.parametrize("n", [2, 3, 5, 9, 10, 20, 21, 255, 256, 257])
@pytest.mark.parametrize("sigma", [0.3, 2.0, 30.0, 3000.0])
def test_noise_of_any_width(n: int, sigma: float) -> None:
    """Sums in 16 and in 32 bits, proofs and sorting: the same as in double precision."""
    rng = np.random.default_rng([n, int(10 * sigma)])
    pixels = np.clip(np.rint(rng.normal(20000.0, sigma, (n, 3000))), 0, 65535).astype(np.uint16)
    compare(pixels)
    compare(pixels, kappa=2.0, iterations=20)


def test_pixels_do_not_feel_their_neighbours() -> None:
    """A few wide pixels in a block, or many, change how the others are summed, and not a bit of them."""
    narrow = noise(20, 4096, 7)
    expected = clipped_mean_integers(narrow, **CLIP)  # type: ignore[arg-type]
    rng = np.random.default_rng(8)
    for share in (0.01, 0.5, 0.99):
        wide = rng.random(4096) < share
        mixed = np.where(wide, rng.integers(0, 65536, narrow.shape), narrow).astype(np.uint16)
        found = clipped_mean_integers(mixed, **CLIP)  # type: ignore[arg-type]
        for got, want in zip(found, expected, strict=True):
            np.testing.assert_array_equal(got[~wide], want[~wide])
        compare(mixed)


def test_more_frames_than_are_counted_in_16_bits() -> None:
    compare(noise(40000, 3, 9), kappa=4.0, iterations=1)


def test_ties() -> None:
    """Deviations of exactly three sigma are not rejected: nine equal values and one."""
    pixels = np.full((10, 4), 500, np.uint16)
    pixels[0] = [501, 503, 510, 65535]
    compare(pixels)
    compare(np.full((20, 70), 7, np.uint16))


def test_any_number_of_threads_gives_the_same_bits() -> None:
    pixels = noise(20, 5000, 4)
    one = clipped_mean_integers(pixels, kappa=3.0, iterations=3)
    three = clipped_mean_integers(pixels, kappa=3.0, iterations=3, threads=3)
    for a, b in zip(one, three, strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_it_does_not_take() -> None:
    pixels = noise(4, 10, 5)
    with pytest.raises(TypeError, match="float32"):
        clipped_mean_integers(pixels.astype(np.float32), kappa=3, iterations=3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="contiguous"):
        clipped_mean_integers(pixels[:, ::2], kappa=3, iterations=3)
    with pytest.raises(ValueError, match="at least 1"):
        clipped_mean_integers(pixels, kappa=0.5, iterations=3)
    read_only = np.empty(10, np.float32)
    read_only.flags.writeable = False
    for out in (np.empty(9, np.float32), np.empty(10), np.empty(20, np.float32)[::2], read_only):
        with pytest.raises(ValueError, match="the mean"):
            clipped_mean_into(pixels, out, **CLIP)  # type: ignore[arg-type]
