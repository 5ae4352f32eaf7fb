from __future__ import annotations

import numpy as np
import pytest

import frames_files
from fiducial.cameras.model import OverscanDefaults
from fiducial.cameras.regions import Region
from fiducial.errors import LayoutMismatch, UnreadableFrame
from fiducial.frames.content import check_shape, fine_median, measure_content, overscan_used
from fiducial.frames.raw import RawFrame

SIGMA = 5.0


def frame(data: np.ndarray) -> RawFrame:
    return RawFrame.of_bytes("night/f.fits", frames_files.plain(data))


def test_level_noise_and_overscan_of_each_amplifier() -> None:
    rng = np.random.default_rng(3)
    data = rng.normal(1000, SIGMA, frames_files.SHAPE)
    data[:, 16:32] += 500
    data[:, 36:40] += 20
    left, right = measure_content(frame(np.rint(data).astype(np.uint16)), frames_files.camera(), 0)
    # The median of 384 pixels of sigma 5 (and steps of 1) is uncertain by 1.25 * 5 / sqrt(384) = 0.32.
    assert left.level == pytest.approx(1000, abs=4 * 0.32)
    assert right.level == pytest.approx(1500, abs=4 * 0.32)
    assert left.overscan == pytest.approx(1000, abs=4 * 1.25 * SIGMA / np.sqrt(96))
    assert right.overscan == pytest.approx(1020, abs=4 * 1.25 * SIGMA / np.sqrt(96))
    # 360 differences, of which neighbours share a pixel: sigma / sqrt(2 * 360) * sqrt(1.5) = 4.6 %.
    assert left.noise == pytest.approx(np.hypot(SIGMA, 12**-0.5), rel=4 * 0.046)
    assert left.low == pytest.approx(1000 - 1.645 * SIGMA, abs=2.0)
    assert left.high == pytest.approx(1000 + 1.645 * SIGMA, abs=2.0)
    assert left.saturated == 0.0


def test_noise_passes_over_outliers_and_sees_no_noise_as_none() -> None:
    data = frames_files.pixels()
    quiet = measure_content(frame(data), frames_files.camera(), 0)[0].noise
    data[::4, ::7] = 40000
    assert measure_content(frame(data), frames_files.camera(), 0)[0].noise == pytest.approx(quiet, rel=0.2)
    flat = np.full(frames_files.SHAPE, 100, np.uint16)
    assert measure_content(frame(flat), frames_files.camera(), 0)[0].noise == 0.0


def test_saturated_counts_every_pixel_even_of_a_large_amplifier() -> None:
    camera = frames_files.camera(saturation=2000.0)
    data = frames_files.pixels()
    data[5, 3], data[20, 15], data[0, 20] = 2000, 65535, 1999
    left, right = measure_content(frame(data), camera, 0)
    assert left.saturated == pytest.approx(2 / 384)
    assert right.saturated == 0.0


def test_gradient_sees_a_slope_and_not_one_bad_column() -> None:
    data = np.full(frames_files.SHAPE, 1000, np.uint16)
    data[:, 4] = 60000
    assert measure_content(frame(data), frames_files.camera(), 0)[0].gradient == 0.0
    data = data + (np.arange(24)[:, None] * 10).astype(np.uint16)
    # Bands of 8 rows: centres at 3.5, 11.5 and 19.5.
    assert measure_content(frame(data), frames_files.camera(), 0)[0].gradient == pytest.approx(160, abs=1)


def test_skipped_overscan_columns_count_in_readout_order() -> None:
    left, right = frames_files.camera().amplifiers(0)
    settings = OverscanDefaults(skip_leading=2, skip_trailing=1)
    assert overscan_used(left, settings) == Region(34, 35, 0, 24)
    assert overscan_used(right, settings) == Region(37, 38, 0, 24)
    assert overscan_used(left, OverscanDefaults(skip_leading=4)) == left.serial_overscan


def test_binned_frames_are_named_so() -> None:
    raw = frame(frames_files.pixels(shape=(12, 20)))
    with pytest.raises(LayoutMismatch, match="binned 2x2") as caught:
        measure_content(raw, frames_files.camera(), 0)
    assert (caught.value.file, caught.value.hdu, caught.value.keyword) == ("night/f.fits", 0, "NAXIS1")
    assert caught.value.hint
    with pytest.raises(LayoutMismatch) as other:
        check_shape(raw, raw.images[0], (13, 20))
    assert "binned" not in other.value.message
    assert other.value.keyword == "NAXIS2"


def test_an_amplifier_without_numbers_is_refused_and_nan_pixels_passed_over() -> None:
    data = frames_files.pixels().astype(np.float32)
    data[3:6, :8] = np.nan
    assert np.isfinite(measure_content(frame(data), frames_files.camera(), 0)[0].level)
    data[:, :16] = np.nan
    with pytest.raises(UnreadableFrame, match="amplifier A has no pixel"):
        measure_content(frame(data), frames_files.camera(), 0)


def test_the_median_of_integers_is_finer_than_an_integer() -> None:
    rng = np.random.default_rng(2)
    for truth in (1000.0, 1000.25, 1000.5, 1000.75):
        values = np.rint(rng.normal(truth, 3.0, 100_000))
        # 1.25 * 3 / sqrt(100000) = 0.012; interpolation in a bin of a Gaussian of sigma 3 is off by 0.002.
        assert fine_median(values) == pytest.approx(truth, abs=4 * 0.012 + 0.002)
    assert fine_median(np.array([7.0, 7.0, 7.0])) == 7.0
    assert fine_median(np.array([1.5, 2.5, 9.0])) == 2.5
    assert fine_median(np.array([1.0, 2.0])) == 1.5
