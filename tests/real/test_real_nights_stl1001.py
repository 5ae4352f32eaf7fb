"""The night of the SBIG STL-1001E (2017-09-08): one amplifier, no overscan, two temperatures.

Numbers that are expected stand in the README beside the frames, or are computed here from the raw
frames by plain numpy.
"""

from __future__ import annotations

import numpy as np
import pytest

from commands import fiducial
from fiducial import service
from real_nights import Image, Night, Numbers, clipped, header, pair_noises, pixels

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("stl1001 night")]

NIGHT = 20170908
GAIN = 1.934
WARM, COLD = "biases-Neg5-*", "bias-Neg10-*"
LADDER = (10, 20, 30, 60, 150, 300)  # s


def frames(night: Night, pattern: str) -> list[Image]:
    found = [pixels(path) for path in sorted(night.folder.glob(pattern))]
    assert found, pattern
    return found


@pytest.fixture(scope="module")
def warm(stl_night: Night) -> list[Image]:
    return frames(stl_night, WARM)


@pytest.fixture(scope="module")
def cold(stl_night: Night) -> list[Image]:
    return frames(stl_night, COLD)


@pytest.fixture(scope="module")
def darks(stl_night: Night) -> list[Image]:
    """Ten of 60 s at -5 C."""
    return frames(stl_night, "darks-expos1-*")


# --- The job -----------------------------------------------------------------------------------------


def test_every_frame_is_taken_in_with_its_type(stl_night: Night) -> None:
    assert (len(stl_night.ingested["used"]), stl_night.ingested["refused"]) == (52, [])
    types = [record.facts.frame_type for record in stl_night.records()]
    assert {t: types.count(t) for t in types} == {"bias": 20, "dark": 22, "flat": 10}


def test_no_product_fails_and_every_frame_is_accounted_for(stl_night: Night, numbers: Numbers) -> None:
    offered = {"bias": 20, "dark": 22, "flat": 10, "bias -10": 20, "dark -10": 22}
    assert set(stl_night.products) == set(offered)
    for name, product in stl_night.products.items():
        numbers.note_product("stl1001", name, product)
        assert product.verdict in ("pass", "warn"), product.reasons
        assert product.used("set_aside") == []
        exposures = [choice["exposure"] for choice in product.choices]
        assert len(exposures) == len(set(exposures)) == offered[name]


def test_masters_are_of_one_temperature(stl_night: Night) -> None:
    for name, product in stl_night.products.items():
        wanted = -10.0 if name.endswith("-10") else -5.0
        assert product.header["FID STATE SET-TEMP"] == wanted
        state = {r.exposure: r.facts.state["SET-TEMP"] for r in stl_night.records()}
        assert {state[exposure] for exposure in product.used()} == {wanted}


# --- The masters -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "raw"), [("bias", "warm"), ("bias -10", "cold")])
def test_the_master_bias_is_the_mean_of_its_frames(
    stl_night: Night, name: str, raw: str, request: pytest.FixtureRequest
) -> None:
    """Each frame is brought to the mean level of all, so the mean of the raw frames is unchanged by it."""
    bias, biases = stl_night.products[name], request.getfixturevalue(raw)
    assert len(bias.used()) == 9
    assert len(bias.used("first")) == 1
    mean = np.mean(biases[1:], axis=0) * GAIN
    plain = np.abs(bias.image - mean) < 0.02
    # Of nine Gaussian values one is beyond 3 sigma in 2.4 per cent of the pixels.
    assert 0.01 < 1 - plain.mean() < 0.04
    assert np.all(bias.mask[~plain] != 0)
    assert np.mean(bias.image) / GAIN == pytest.approx(992, abs=1.5)


@pytest.mark.parametrize(("name", "raw", "noise"), [("bias", "warm", 6.702), ("bias -10", "cold", 6.560)])
def test_the_noise_of_the_master_bias_is_that_of_a_pair_over_three(
    stl_night: Night,
    name: str,
    raw: str,
    noise: float,
    request: pytest.FixtureRequest,
    numbers: Numbers,
) -> None:
    """By the first bias, which did not go in: Var(b - M) = Var(b) (1 + 1/9), Var(b) from pairs.

    The share of the master is known to 9 sqrt(2 (1.11^2 + 1/5) / 1,048,576) = 1.5 per cent of its variance;
    the first bias has structure of its own, at most 0.15 adu: 0.5 per cent.
    """
    bias, biases = stl_night.products[name], request.getfixturevalue(raw)
    single = float(np.mean(np.square(pair_noises(biases))))
    assert np.sqrt(single) == pytest.approx(noise, abs=0.005)
    own = clipped(biases[0] - bias.image / GAIN)[1] ** 2 - single
    numbers.note("stl1001", f"noise of the master {name} (adu)", [np.sqrt(own), np.sqrt(single / 9)])
    assert own == pytest.approx(single / 9, rel=0.06)
    quoted = float(np.median(bias.variance)) / GAIN**2
    assert quoted == pytest.approx(single / 9, rel=0.05)  # by the read noise of the camera file, of -5 C


def test_the_master_dark_has_the_hot_pixels_of_60_s(
    stl_night: Night, warm: list[Image], darks: list[Image], numbers: Numbers
) -> None:
    """14,440, 6,229 and 1,346 pixels that exceed the bias by 100, 200 and 500 adu in 60 s, to their roots.

    By hand the median of ten darks less the mean bias. The master has 15 frames of all times, and its
    level of time zero stands apart in its header.
    """
    dark = stl_night.products["dark"]
    by_hand = np.median(darks, axis=0) - np.mean(warm, axis=0)
    level = dark.header["FID AMP A LEVEL"] / GAIN
    master = dark.image * 60 / GAIN + level
    found = [int(np.count_nonzero(master > above)) for above in (100, 200, 500)]
    numbers.note("stl1001", "pixels beyond 100, 200, 500 adu in 60 s", found)
    for above, expected, counted in zip((100, 200, 500), (14_440, 6_229, 1_346), found, strict=True):
        assert np.count_nonzero(by_hand > above) == expected
        assert abs(counted - expected) < np.sqrt(expected)


def test_darks_of_all_times_are_combined(stl_night: Night) -> None:
    dark = stl_night.products["dark"]
    times = [dark.header[f"FID INPUT {i} TIME"] for i in range(dark.header["FID NINPUT"])]
    assert sorted(times) == sorted([60.0] * 9 + list(map(float, LADDER)))
    cold = stl_night.products["dark -10"]
    times = [cold.header[f"FID INPUT {i} TIME"] for i in range(cold.header["FID NINPUT"])]
    assert sorted(times) == [10.0, 20.0, 30.0, 60.0, 150.0]
    assert len(cold.used("first")) == 1  # that of 300 s was taken first


def test_darks_have_a_level_at_time_zero(
    stl_night: Night, cold: list[Image], warm: list[Image], numbers: Numbers
) -> None:
    """Beside the rate stands what the darks have at time zero, by the growth of each pixel.

    A line through the medians of the frames has 0.75 to 0.86 adu at -10 C; the median is drawn up by
    the hot pixels, whose share grows with time. Pixel by pixel it is half of that at -10 C, and 0.9 at -5 C.
    """
    medians = [
        np.median(frames(stl_night, f"darks-expos{t}s-Neg10-*")[0] - np.mean(cold, axis=0)) for t in LADDER
    ]
    assert 0.75 < np.polyfit(LADDER[:5], medians[:5], 1)[1] < np.polyfit(LADDER, medians, 1)[1] < 0.87
    for name, biases, temperature, ladder in (
        ("dark", warm, 5, LADDER),
        ("dark -10", cold, 10, LADDER[:5]),
    ):
        product = stl_night.products[name]
        assert product.header["FID AMP A LEVEL FITTED"]
        level = product.header["FID AMP A LEVEL"] / GAIN
        error = product.header["FID AMP A LEVEL ERROR"] / GAIN
        numbers.note("stl1001", f"level of {name} at time zero (adu)", [level, error])
        bias = np.mean(biases[1:], axis=0)
        stack = np.stack([frames(stl_night, f"darks-expos{t}s-Neg{temperature}-*")[0] - bias for t in ladder])
        times = np.array(ladder, dtype=float)
        centred = times - times.mean()
        slope = np.tensordot(centred, stack, 1) / np.sum(centred**2)
        by_hand = clipped(stack.mean(axis=0) - slope * times.mean(), 4.0)[0]
        # The nine frames of 60 s at -5 C drift by 0.3 adu against the ladder.
        assert level == pytest.approx(by_hand, abs=0.1 + 2 * error)
        assert level > 3 * error


def test_the_rate_of_the_dark_is_that_of_the_frames(stl_night: Night) -> None:
    """The median of the 300 s dark less that of the 150 s dark; at -5 C each was used, hot pixels or not."""
    for name, temperature in (("dark", 5), ("dark -10", 10)):
        longer, shorter = (frames(stl_night, f"darks-expos{t}s-Neg{temperature}-*")[0] for t in (300, 150))
        by_hand = clipped(longer - shorter, 3.0)[0] / 150
        master = clipped(stl_night.products[name].image / GAIN, 3.0)[0]
        assert master == pytest.approx(by_hand, rel=0.05)


def test_the_flat_is_normalised_and_is_the_mean_of_its_frames(stl_night: Night, numbers: Numbers) -> None:
    flat, bias, dark = (stl_night.products[kind] for kind in ("flat", "bias", "dark"))
    assert len(flat.used()) == 9
    assert np.mean(flat.image) == pytest.approx(1.0, abs=1e-3)
    lit = frames(stl_night, "flat-expos23s-*")
    by_hand = [f * GAIN - bias.image - 23 * dark.image for f in lit[1:]]
    scales = [flat.header[f"FID INPUT {i} SCALE"] for i in range(9)]
    numbers.note("stl1001", "light of a flat (adu)", np.mean(scales) / GAIN)
    np.testing.assert_allclose([f.mean() for f in by_hand], scales, rtol=1e-4)
    mean = np.mean([f / s for f, s in zip(by_hand, scales, strict=True)], axis=0)
    # Frames count by their expected noise, which a lamp that moves by 0.8 per cent changes by as much.
    plain = np.abs(flat.image - mean) < 1e-4
    assert 0.01 < 1 - plain.mean() < 0.04
    # Shot noise of 36,150 e in each of nine frames.
    assert np.sqrt(np.median(flat.variance)) == pytest.approx(1 / np.sqrt(36_150 * 9), rel=0.02)


# --- Read noise and gain -----------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "noise", "uncertain"), [("bias", 6.702, 0.003), ("bias -10", 6.560, 0.002)])
def test_the_read_noise_rows_agree_with_the_readme(
    stl_night: Night, name: str, noise: float, uncertain: float, numbers: Numbers
) -> None:
    """Pair differences of the image, clipped at 5 sigma."""
    value, error = (number / GAIN for number in stl_night.products[name].of_pairs("read_noise", "A"))
    numbers.note("stl1001", f"read noise {name} (adu)", [value, error])
    assert error == pytest.approx(0.002, abs=0.0005)
    assert abs(value - noise) < np.hypot(uncertain, error)


def test_the_gain_rows_agree_with_the_readme(stl_night: Night, numbers: Numbers) -> None:
    """Neighbours in time, light over variance in blocks, covariances not added."""
    value, error = stl_night.products["flat"].of_pairs("gain", "A")
    numbers.note("stl1001", "gain (e/adu)", [value, error])
    assert abs(value - 1.934) < np.hypot(0.002, error)


# --- They lie ----------------------------------------------------------------------------------------


def test_flats_that_say_light_frame_are_flats_by_their_names(stl_night: Night) -> None:
    files = sorted(stl_night.folder.glob("flat-expos23s-*"))
    assert {header(file)["IMAGETYP"] for file in files} == {"Light Frame"}
    flats = [r for r in stl_night.records() if r.facts.frame_type == "flat"]
    assert len(flats) == len(files) == 10


def test_there_are_no_science_frames_and_none_are_made_up(stl_night: Night) -> None:
    assert not [r for r in stl_night.records() if r.facts.frame_type == "science"]


def test_darks_whose_names_say_1_are_of_60_s(stl_night: Night) -> None:
    files = {file.name for file in stl_night.folder.glob("darks-expos1-*")}
    assert len(files) == 10
    records = [r for r in stl_night.records() if any(name in r.file for name in files)]
    assert {r.facts.dark_time for r in records} == {60.0}


def test_egain_of_the_header_is_not_taken_for_the_gain(stl_night: Night) -> None:
    file = next(stl_night.folder.glob("flat-expos23s-*"))
    assert header(file)["EGAIN"] == pytest.approx(2.06, abs=0.01)
    flat = stl_night.products["flat"]
    measured, error = flat.of_pairs("gain", "A")
    assert 2.06 - measured > 30 * error
    assert flat.header["FID AMP A GAIN"] == GAIN


@pytest.mark.parametrize(("name", "raw", "span"), [("bias", "warm", 1.3), ("bias -10", "cold", 0.9)])
def test_the_drift_of_the_biases_is_measured_shown_and_taken_out(
    stl_night: Night,
    name: str,
    raw: str,
    span: float,
    request: pytest.FixtureRequest,
    numbers: Numbers,
) -> None:
    bias = stl_night.products[name]
    rows = bias.measured("level", "A")
    assert len(rows) == 10  # the first one is measured and shown too
    assert [row["counts"] for row in rows] == [False] + [True] * 9
    levels = np.array([row["value"] for row in rows]) / GAIN
    numbers.note("stl1001", f"levels of the frames of {name} (adu)", list(levels))
    assert np.ptp(levels) == pytest.approx(span, abs=0.05)
    by_hand = np.array([image.mean() for image in request.getfixturevalue(raw)])
    np.testing.assert_allclose(levels - levels.mean(), by_hand - by_hand.mean(), atol=0.02)
    # 95 sigma of white noise between the first and the last, and of no harm: 0.3 of the read noise is.
    assert np.ptp(levels) > 90 * np.sqrt(2) * 6.6 / 1024
    assert {row["outcome"] for row in rows} == {"pass"}
    noise = [row["value"] for row in bias.measured("noise", "A")]
    assert max(map(abs, noise)) < 0.01  # relative: the drift is no part of it


def test_the_first_dark_of_60_s_is_high_and_does_not_count(
    stl_night: Night, darks: list[Image], numbers: Numbers
) -> None:
    dark = stl_night.products["dark"]
    (first,) = dark.used("first")
    records = {r.exposure: r for r in stl_night.records()}
    assert "darks-expos1-Neg5-Vis.00000000" in records[first].file
    by_hand = np.median(darks[0]) - np.mean([np.median(d) for d in darks[2:]])
    assert by_hand == pytest.approx(0.8, abs=0.25)  # medians of whole numbers
    levels = {row["exposure"]: row["value"] / GAIN for row in dark.measured("level", "A")}
    sixty = [e for e in dark.used() if "darks-expos1-" in records[e].file]
    higher = levels[first] - float(np.mean([levels[exposure] for exposure in sixty[1:]]))
    numbers.note("stl1001", "first dark of 60 s above the others (adu)", higher)
    assert higher == pytest.approx(0.8, abs=0.1)
    (row,) = dark.measured("level", "A", exposure=first)
    assert (row["role"], row["counts"]) == ("first", False)


def test_there_are_no_flats_at_minus_10_and_it_is_said(stl_night: Night) -> None:
    none = fiducial("make", stl_night.root, "flat", "--night", NIGHT, "--state", "SET-TEMP=-10", code=5)
    assert "no flat frames with SET-TEMP=-10: there are 10 of SET-TEMP=-5" in none.err


# --- The camera in time ------------------------------------------------------------------------------


def test_the_status_tells_the_two_temperatures_apart_with_the_values_of_the_readme(stl_night: Night) -> None:
    status = service.status(stl_night.root)
    assert (status.night, status.word, status.left_out) == (NIGHT, "unknown", ())
    assert {one.reason for one in status.changes} == {"nothing was certified before"}
    now = {(one.quantity, one.state): one.now for one in status.changes}
    gain = now["gain", "SET-TEMP=-5"]
    assert gain is not None
    assert gain.value == pytest.approx(1.934, abs=3.0 * np.hypot(gain.error, 0.002))
    for state, noise, error in (("SET-TEMP=-10", 6.560, 0.002), ("SET-TEMP=-5", 6.702, 0.003)):
        found = now["read_noise", state]
        assert found is not None
        # Electrons by the gain of the camera file.
        assert found.value == pytest.approx(GAIN * noise, abs=3.0 * np.hypot(found.error, GAIN * error))
