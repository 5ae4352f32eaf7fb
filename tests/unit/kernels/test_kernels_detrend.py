"""Detrending in one pass gives every bit that plain numpy gives, one operation after the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from reference_detrend import detrended

from fiducial.kernels import (
    Detrended,
    Detrending,
    Limits,
    Linearity,
    MasterPlanes,
    NanMark,
    Noise,
    detrend_rows,
    inverse_of,
    row_medians,
)

NY, NX = 21, 2100  # wider than what the kernel does at a time, and no multiple of anything
STORED = [
    ("uint16", "<u2", 0),
    ("uint16", ">i2", 32768),
    ("uint16", "<i2", 32768),
    ("int16", "<i2", 0),
    ("int16", ">i2", 0),
    ("int32", "<i4", 0),
    ("int32", ">i4", 0),
    ("float32", "<f4", 0),
    ("float32", ">f4", 0),
]


def raw_values(dtype: str) -> np.ndarray:
    rng = np.random.default_rng(5)
    values = rng.normal(12000.0, 5000.0, (NY, NX))
    values[rng.random((NY, NX)) < 0.02] = 29000.0  # suspect
    values[rng.random((NY, NX)) < 0.02] = 30000.0  # saturated
    if dtype == "float32":
        values[3, 5], values[4, 6], values[5, 7] = np.nan, np.inf, -np.inf
    return values.astype(dtype)


def stored(values: np.ndarray, dtype: str, zero: int) -> np.ndarray:
    if zero:
        return (values.astype(np.int32) - zero).astype(dtype)
    return values.astype(dtype)


def some_masters(mask_type: type = np.int32) -> MasterPlanes:
    rng = np.random.default_rng(6)

    def plane(centre: float, sigma: float) -> np.ndarray:
        return rng.normal(centre, sigma, (NY, NX)).astype(np.float32)

    flat = plane(1.0, 0.05)
    flat[0, 0], flat[7, 9], flat[8, 2000] = 0.0, np.nan, -1.0
    bias = plane(2.0, 3.0)
    bias[10, 11] = np.nan
    return MasterPlanes(
        bias,
        plane(0.02, 0.01),
        inverse_of(flat, 0.01),
        *(np.abs(plane(0.3, 0.1)) for _ in range(3)),
        mask=(rng.random((NY, NX)) < 0.03).astype(mask_type),
    )


def some_steps(**changes: object) -> Detrending:
    rng = np.random.default_rng(7)
    rows = rng.normal(1000.0, 3.0, NY).astype(np.float32)
    columns = rng.normal(0.0, 3.0, NX).astype(np.float32)
    noise = Noise(np.abs(rows) / 50, np.abs(columns) / 9, 0.7)
    limits = Limits(28999.5, 30000.0, 4, 2)
    steps = Detrending(rows, columns, None, 1.7, limits, noise, 61.3, NanMark(64, 3), False, False)
    return replace(steps, **changes)


def run(raw, steps, masters, *, zero=0, mask_type=np.int32, order="<", threads=1):
    """Image, variance and mask, native; written into the middle of larger planes, which stay as they are."""
    planes = [np.full((NY + 2, NX + 3), 9, f"{order}f4") for _ in range(2)]
    planes.append(np.full((NY + 2, NX + 3), 9, np.dtype(mask_type).newbyteorder(order)))
    image, variance, mask = (plane[1:-1, 2:-1] for plane in planes)
    out = Detrended(image, None if steps.noise is None else variance, mask)
    detrend_rows(raw, steps, masters, out, zero=zero, threads=threads)
    for plane in planes:
        assert (plane[[0, -1]] == 9).all()
        assert (plane[:, [0, 1, -1]] == 9).all()
    return [np.ascontiguousarray(p, p.dtype.newbyteorder("=")) for p in (image, variance, mask)]


def assert_same(got, values, steps, masters, mask_type=np.int32):
    image, variance, mask = detrended(values, steps, masters, mask_type)
    np.testing.assert_array_equal(got[0], image)
    if variance is not None:
        np.testing.assert_array_equal(got[1], variance)
    np.testing.assert_array_equal(got[2], mask)
    odd = ~np.isfinite(image)
    if steps.nan is not None:  # one and the same NaN, whose bytes a checksum can be of
        assert (got[0].view(np.uint32)[odd] == 0x7FC00000).all()


@pytest.mark.parametrize(("dtype", "kind", "zero"), STORED)
@pytest.mark.parametrize("mask_type", [np.int32, np.uint8])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_type_of_pixels_and_masks(dtype, kind, zero, mask_type, order):
    values, masters = raw_values(dtype), some_masters(mask_type)
    steps = some_steps()
    got = run(stored(values, kind, zero), steps, masters, zero=zero, mask_type=mask_type, order=order)
    assert_same(got, values, steps, masters, mask_type)
    assert (got[2] & 2).any()
    assert ((got[2] & 6) == 4).any()
    assert (got[2] == 64).any()


@pytest.mark.parametrize("flip_x", [False, True])
@pytest.mark.parametrize("flip_y", [False, True])
@pytest.mark.parametrize("threads", [1, 3])
def test_turned_about(flip_x, flip_y, threads):
    values, masters = raw_values("uint16"), some_masters()
    steps = some_steps(flip_x=flip_x, flip_y=flip_y)
    assert_same(run(values, steps, masters, threads=threads), values, steps, masters)


@pytest.mark.parametrize("kept", range(2**6))
def test_any_master_may_be_missing(kept):
    values, full = raw_values("float32"), some_masters()
    planes = [plane if kept >> k & 1 else None for k, plane in enumerate(full.planes[:6])]
    masters = MasterPlanes(*planes, mask=full.mask if kept % 3 else None)
    steps = some_steps()
    assert_same(run(values, steps, masters), values, steps, masters)


@pytest.mark.parametrize(
    "changes",
    [
        {"row_level": None},
        {"column_level": None},
        {"noise": None},
        {"noise": Noise(np.full(NY, 3, np.float32), None, None)},
        {"noise": Noise(np.full(NY, 3, np.float32))},
        {"nan": None},
        {"limits": Limits()},
        {"limits": Limits(-1.0, 40000.0, 4, 2)},
        {"limits": Limits(0.9 * 65535.3, 65535.3, 4, 2)},
        {"limits": Limits(30000.0, 12000.0, 4, 2)},
        {"limits": Limits(np.nan, np.nan, 4, 2)},
        {"linearity": Linearity(np.array([1e-6, -2e-11], np.float32))},
        {"linearity": Linearity(None, np.array([0, 5, -7, 30], np.float32), 2000.0, 7000.0)},
        {"linearity": Linearity(np.array([1e-6], np.float32), np.array([3], np.float32)), "flip_x": True},
    ],
)
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.filterwarnings("ignore:invalid value")  # of infinite pixels, in the reference
def test_any_step_may_be_missing(changes, dtype):
    values, masters = raw_values(dtype), some_masters()
    steps = some_steps(**changes)
    assert_same(run(values, steps, masters), values, steps, masters)


def test_rows_may_lie_anywhere_in_a_file():
    """One column out of many, a strip out of a frame, and nothing at all."""
    values = raw_values("uint16")
    for cut in (np.s_[4:9, 3:4], np.s_[:, 100:1124], np.s_[20:, :], np.s_[:0, :], np.s_[:, :0]):
        raw = stored(values, ">i2", 32768)[cut]
        steps = Detrending(row_level=np.full(raw.shape[0], 7, np.float32))
        out = Detrended(np.empty(raw.shape, np.float32), None, np.empty(raw.shape, np.int32))
        detrend_rows(raw, steps, MasterPlanes(), out, zero=32768)
        np.testing.assert_array_equal(out.image, values[cut].astype(np.float32) - 7)
        assert not out.mask.any()


def test_what_does_not_fit_is_refused():
    values, masters, steps = raw_values("uint16"), some_masters(), some_steps()
    with pytest.raises(TypeError, match="float64"):
        run(values.astype(float), steps, masters)
    with pytest.raises(ValueError, match="cannot be added"):
        run(values, steps, masters, zero=32768)
    with pytest.raises(ValueError, match="do not fit"):
        run(values, replace(steps, row_level=np.zeros(3, np.float32)), masters)
    with pytest.raises(ValueError, match="does not fit"):
        run(values, steps, masters.within(np.s_[1:, :]))
    with pytest.raises(TypeError, match="not of one type"):
        run(values, steps, some_masters(np.uint8))
    with pytest.raises(ValueError, match="beyond those"):
        run(values, replace(steps, nan=NanMark(1024, 0)), some_masters(np.uint8), mask_type=np.uint8)
    mask, wide = np.empty((NY, NX), np.int32), np.empty((NY, 2 * NX), np.float32)
    with pytest.raises(ValueError, match="if and only if"):
        detrend_rows(values, steps, masters, Detrended(wide[:, :NX], None, mask))
    with pytest.raises(ValueError, match="side by side"):
        detrend_rows(values, replace(steps, noise=None), masters, Detrended(wide[:, ::2], None, mask))


@pytest.mark.parametrize(("dtype", "kind", "zero"), STORED)
@pytest.mark.parametrize("columns", [1, 2, 31, 64])
def test_row_medians(dtype, kind, zero, columns):
    values = raw_values(dtype)[:, :columns]
    values[2] = 31000  # nothing is left of it
    usable = values.astype(float)
    usable[~np.isfinite(usable) | (usable >= 29000.5)] = np.nan
    expected = np.full(NY, np.nan)
    rows = np.isfinite(usable).any(axis=1)
    expected[rows] = np.nanmedian(usable[rows], axis=1)
    np.testing.assert_array_equal(row_medians(stored(values, kind, zero), zero=zero, limit=29000.5), expected)
    assert not rows[2]
