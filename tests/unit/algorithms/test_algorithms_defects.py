"""Defects of small detectors with one defect planted at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fiducial.algorithms.defects import find_defects
from fiducial.algorithms.defects_columns import intermittent_columns, saturated_columns
from fiducial.algorithms.defects_model import ColumnLimits, Limit, MasterPlanes, Reason, Settings, Window
from fiducial.algorithms.local_background import surroundings
from fiducial.errors import AlgorithmError

SHAPE = (256, 384)
WINDOWS = (Window("A", 0, 192, 0, 256), Window("B", 192, 384, 0, 256))
STACKED = (Window("bottom", 0, 384, 0, 128), Window("top", 0, 384, 128, 256))
NOISE = {"bias": 1.5, "dark": 0.05, "flat": 0.003}
LEVEL = {"bias": 0.0, "dark": 0.1, "flat": 1.0}


def master(kind: Any, seed: int = 0, **planes: Any) -> MasterPlanes:
    rng = np.random.default_rng(seed)
    image = rng.normal(LEVEL[kind], NOISE[kind], SHAPE).astype(np.float32)
    return MasterPlanes(kind, kind, image, **planes)


def found(*masters: MasterPlanes, windows: Any = WINDOWS, **settings: Any) -> Any:
    return find_defects(masters, windows, Settings(**settings))


def where(defects: Any, reason: Reason) -> set[tuple[int, int]]:
    return {(int(y), int(x)) for y, x in np.argwhere(defects.reasons & int(reason))}


def test_a_clean_detector_has_no_defects() -> None:
    defects = found(master("bias"), master("dark", 1), master("flat", 2))
    assert not defects.bad.any()
    assert not defects.notes
    assert defects.counts["A"]["any"] == 0


def test_limits_hold_by_value_and_by_significance() -> None:
    dark = master("dark")
    dark.image[50, 60], dark.image[70, 200] = 3.4, 1.0  # 3.3 and 0.9 e-/s above the level: 66 and 18 sigma
    assert where(found(dark), Reason.HOT) == {(50, 60)}
    assert where(found(dark, dark=Limit(0.0, 6.0)), Reason.HOT) == {(50, 60), (70, 200)}
    assert where(found(dark, dark=Limit(0.5, 0.0)), Reason.HOT) == {(50, 60), (70, 200)}
    noisy = replace(dark, variance=np.full(SHAPE, 1.0, np.float32))  # sigma 1: 3.3 is not significant
    assert where(found(noisy), Reason.HOT) == set()


def test_cold_and_bright_pixels_are_fractions_of_the_local_flat() -> None:
    flat = master("flat")
    light = np.linspace(1, 0.5, SHAPE[1]).astype(np.float32)
    image = flat.image * light
    image[30, 30] *= 0.75
    image[40, 350] *= 0.85
    image[60, 300] *= 1.3
    defects = found(replace(flat, image=image))
    assert where(defects, Reason.COLD) == {(30, 30)}
    assert where(defects, Reason.BRIGHT) == {(60, 300)}
    assert defects.counts["B"]["bright"] == defects.counts["B"]["any"] == 1


def test_a_bias_may_be_off_both_ways() -> None:
    bias = master("bias")
    bias.image[5, 5], bias.image[6, 7] = 250.0, -250.0
    assert where(found(bias), Reason.BIAS) == {(5, 5), (6, 7)}


def test_a_faint_column_is_found_though_its_pixels_are_not() -> None:
    flat = master("flat")
    flat.image[:, 100] *= 0.88
    defects = found(flat)
    assert where(defects, Reason.COLD) == set()
    assert where(defects, Reason.COLUMN) == {(y, 100) for y in range(SHAPE[0])}


def test_an_intermittent_column_keeps_its_long_gaps() -> None:
    bad = np.zeros((300, 50), dtype=bool)
    bad[10:110:5, 20] = True  # gaps of 4
    bad[141, 20] = True  # 35 good pixels after row 105
    joined, whole = intermittent_columns(bad, ColumnLimits())
    expected = np.zeros_like(bad)
    expected[10:106, 20] = True
    expected[141, 20] = True
    assert np.array_equal(joined, expected)
    assert not whole.any()
    _, filled = intermittent_columns(bad, ColumnLimits(fill=0.3))
    assert filled.all(axis=0).nonzero()[0].tolist() == [20]


def test_many_warm_pixels_make_no_columns() -> None:
    rng = np.random.default_rng(3)
    # 31 a column, three times what makes one intermittent, and twice as many towards the sides.
    bad = rng.random((1024, 1024)) < np.interp(np.arange(1024), [0, 20, 1003, 1023], [0.06, 0.03, 0.03, 0.06])
    joined, whole = intermittent_columns(bad, ColumnLimits())
    assert not joined.any()
    assert not whole.any()


def test_saturated_columns_are_whole_and_spread() -> None:
    saturated = np.zeros((100, 20), dtype=bool)
    saturated[40:60, 0] = saturated[40:59, 10] = True
    limits = ColumnLimits(saturated=20, spread=2)
    assert saturated_columns(saturated, limits).all(axis=0).nonzero()[0].tolist() == [0, 1, 2]
    assert not saturated_columns(saturated, ColumnLimits(saturated=0)).any()


def test_edges_and_midlines() -> None:
    dark = master("dark")
    defects = found(dark, edges=(1, 2, 3, 4))
    edge = (defects.reasons & int(Reason.EDGE)) != 0
    assert edge[:, 0].all()
    assert edge[:, -2:].all()
    assert edge[:3].all()
    assert edge[-4:].all()
    assert not edge[3:-4, 1:-2].any()
    assert edge.sum() == 256 * 384 - 249 * 381
    masked = found(dark, windows=STACKED, midline="mask", midline_rows=2)
    assert {y for y, _ in where(masked, Reason.MIDLINE)} == {126, 127, 128, 129}


def test_what_a_midline_has_in_common_is_no_defect() -> None:
    flat = master("flat")
    flat.image[127] *= 0.7
    flat.image[128] *= 0.7
    flat.image[127, 50] *= 0.5
    assert where(found(flat, windows=STACKED), Reason.COLD) == {(127, 50)}
    measured = found(flat, windows=STACKED, midline="measure")
    assert len(where(measured, Reason.COLD)) == 2 * SHAPE[1]


def shadow(shape: tuple[int, int], y: float, x: float, radius: float, depth: float) -> np.ndarray:
    yy, xx = np.mgrid[: shape[0], : shape[1]]
    r = np.hypot(yy - y, xx - x)
    return 1 - depth / (1 + np.exp((r - radius) / 2))


def test_dust_is_told_and_is_no_defect() -> None:
    flat = master("flat")
    image = (flat.image * shadow(SHAPE, 120, 80, 12, 0.06)).astype(np.float32)
    defects = found(replace(flat, image=image))
    assert not defects.bad.any()
    assert defects.counts["A"]["dust"] > 300  # of 452 within the radius
    assert defects.counts["A"]["any"] == 0
    (blob,) = defects.blobs
    assert blob.dust
    assert blob.x == pytest.approx(80, abs=1)
    assert blob.y == pytest.approx(120, abs=1)
    assert blob.master == "flat"


def test_a_rough_patch_is_a_defect() -> None:
    flat = master("flat")
    rng = np.random.default_rng(4)
    image = flat.image.copy()
    image[100:124, 300:324] *= rng.normal(0.93, 0.03, (24, 24)).astype(np.float32)
    defects = found(replace(flat, image=image))
    assert defects.counts["B"]["blob"] > 400  # of 576
    assert [blob.dust for blob in defects.blobs] == [False]
    assert defects.blobs[0].x == pytest.approx(311.5, abs=2)


def test_what_a_slit_keeps_dark_is_told_and_a_dead_spot_is_a_defect() -> None:
    flat = master("flat")
    flat.image[:22] *= 0.05
    flat.image[22, ::3] *= 0.5
    flat.image[:, 50] *= 0.3
    flat.image[150:165, 100:115] *= 0.1
    defects = found(flat)
    dark = np.zeros(SHAPE, bool)
    dark[:22] = True
    unlit = (defects.reasons & int(Reason.UNLIT)) != 0
    assert unlit[dark].all()
    assert not unlit[30:].any()
    cold = where(defects, Reason.COLD)
    assert {(y, x) for y in range(150, 165) for x in range(100, 115)} <= cold
    assert {(y, 50) for y in range(30, 256)} <= cold
    assert not defects.bad[:22, 60:].any()


def test_amplifiers_that_spectra_light_unevenly_are_not_dead() -> None:
    flat = master("flat")
    flat.image[:, 192:] *= 0.1
    assert not found(flat).bad.any()


def test_a_vampire_has_a_dark_ring() -> None:
    flat = master("flat")
    image = flat.image.copy()
    image[50, 50] *= 2.0  # bright, without a ring
    image *= shadow(SHAPE, 150, 250, 6, 0.15).astype(np.float32)
    image[149:152, 249:252] = 2.2
    defects = found(replace(flat, image=image))
    vampires = where(defects, Reason.VAMPIRE)
    assert {(149, 249), (150, 258), (142, 250)} <= vampires
    assert all(np.hypot(y - 150, x - 250) < 8 + 2 for y, x in vampires)
    assert (50, 50) in where(defects, Reason.BRIGHT)


def test_pixels_without_a_value_and_saturated_ones() -> None:
    dark = master("dark")
    dark.image[10, 10] = np.nan
    unusable, saturated = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    unusable[20, 20] = unusable[30, 30] = saturated[30, 30] = True
    defects = found(replace(dark, unusable=unusable, saturated=saturated))
    assert where(defects, Reason.NO_DATA) == {(10, 10), (20, 20)}
    assert where(defects, Reason.HOT) == {(30, 30)}


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_a_dead_amplifier_is_named_and_the_other_goes_on(value: float) -> None:
    flat = master("flat")
    flat.image[:, 192:] = value
    flat.image[30, 30] = 0.5
    defects = found(flat, master("dark", 1))
    assert defects.counts["B"]["dead_amplifier"] == defects.counts["B"]["any"] == 256 * 192
    assert where(defects, Reason.COLD) == {(30, 30)}
    assert defects.counts["A"]["any"] == 1
    (note,) = defects.notes
    assert "amplifier B is dead: in flat" in note


def test_a_master_without_a_pixel_is_left_out_by_name() -> None:
    empty = replace(master("flat"), image=np.full(SHAPE, np.nan, np.float32))
    dark = master("dark")
    dark.image[5, 5] = 50.0
    defects = found(empty, dark)
    assert defects.notes == ("flat has no usable pixel: it was left out",)
    assert where(defects, Reason.HOT) == {(5, 5)}
    assert defects.counts["A"]["any"] == 1
    with pytest.raises(AlgorithmError, match="no usable pixel in flat"):
        found(empty)


def test_what_cannot_be_done_is_said() -> None:
    with pytest.raises(AlgorithmError, match="no master"):
        find_defects([], WINDOWS)
    small = replace(master("dark"), image=np.zeros((4, 4), np.float32), kind="bias", name="small")
    with pytest.raises(ValueError, match="small: not of the shape"):
        found(master("dark"), small)


def test_a_constant_master_has_no_noise_and_no_defects() -> None:
    constant = replace(master("dark"), image=np.full(SHAPE, 0.1, np.float32))
    constant.image[8, 9] = 4.0
    assert where(found(constant), Reason.HOT) == {(8, 9)}
    assert found(constant).counts["A"]["any"] == 1


def test_surroundings_follow_a_plane_and_keep_a_cluster_out() -> None:
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:300, :200].astype(np.float32)
    plane = 10 + 0.02 * x - 0.01 * y
    image = plane + rng.normal(0, 0.1, plane.shape).astype(np.float32)
    image[100:140, 50:90] += 30
    around = surroundings(image, np.ones(image.shape, bool), 50)
    assert around is not None
    # Within a block the plane spans 1.5, so its 2,500 values scatter by 0.35 and their median has the error
    # 1.25 x 0.35 / 50 = 0.009; straight on to the border doubles it. The cluster has more than half its
    # block, so that stands out; the median of nine is off by the slope from block to block, 1.1, at most.
    quiet = np.ones(image.shape, bool)
    quiet[25:225, :175] = False
    assert np.abs(around.level - plane)[quiet].max() < 5 * 2 * 0.009
    assert np.abs(around.level - plane).max() < 1.1 + 5 * 0.009
    # The scatter of a block has the relative error 1.17 / sqrt(2500) = 2.3 %, the median of 24 of them 0.6 %.
    assert np.median(around.sigma) == pytest.approx(0.1, rel=5 * 0.006)
    assert surroundings(image, np.zeros(image.shape, bool), 50) is None
