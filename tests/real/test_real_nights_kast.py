"""The night of the Kast blue spectrograph (2015-05-20): two amplifiers with overscan, and headers that lie.

Numbers that are expected stand in the README beside the frames, or are computed here from the raw
frames by plain numpy.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from commands import fiducial
from real_nights import Image, Night, Numbers, clipped, header, pair_noises, pixels

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kast night")]

NIGHT = 20150519
FLATS, BIASES = range(2, 14), range(14, 24)

DATA = {"L": np.s_[:, :1024], "R": np.s_[:, 1024:2048]}
OVERSCAN = {"L": np.s_[:, 2048:2080], "R": np.s_[:, 2080:2112]}
SETTLED = {"L": np.s_[:, 2056:2080], "R": np.s_[:, 2080:2104]}
"""Overscan without the eight columns that are read first: the left ones of L, the right ones of R."""
NOISE = {"L": 2.860, "R": 2.704}  # adu, +- 0.002, of the image
GAIN = {"L": (1.205, 0.005), "R": (1.248, 0.002)}  # e/adu


def exposure(number: int) -> int:
    return NIGHT * 100_000 + number


def raw(night: Night, number: int) -> Image:
    return pixels(night.folder / f"b{number}.fits.fz")


def subtracted(image: Image) -> Image:
    """The pixels of both amplifiers, adu, less the median of the settled overscan of each row."""
    return np.hstack([image[DATA[a]] - np.median(image[SETTLED[a]], axis=1)[:, None] for a in "LR"])


def within_rows(image: Image) -> Image:
    return image - image.mean(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def biases(kast_night: Night) -> list[Image]:
    return [raw(kast_night, number) for number in BIASES]


@pytest.fixture(scope="module")
def flats(kast_night: Night) -> list[Image]:
    return [raw(kast_night, number) for number in FLATS]


# --- The job -----------------------------------------------------------------------------------------


def test_every_frame_is_taken_in_with_its_type(kast_night: Night) -> None:
    assert len(kast_night.ingested["used"]) == 27
    assert kast_night.ingested["refused"] == []
    records = {record.exposure: record.facts.frame_type for record in kast_night.records()}
    types = {kind: sum(t == kind for t in records.values()) for kind in set(records.values())}
    assert types == {"bias": 10, "flat": 12, "arc": 1, "science": 4}


def test_bias_and_flat_do_not_fail(kast_night: Night, numbers: Numbers) -> None:
    for kind in ("bias", "flat"):
        numbers.note_product("kast-blue", kind, kast_night.products[kind])
    assert kast_night.products["bias"].verdict == "pass"
    assert kast_night.products["flat"].verdict in ("pass", "warn")
    assert kast_night.products["flat"].used("set_aside") == [exposure(2)]
    for product in kast_night.products.values():
        assert [c["exposure"] for c in product.choices] == sorted(c["exposure"] for c in product.choices)
    assert len(kast_night.products["bias"].choices) == 10
    assert len(kast_night.products["flat"].choices) == 12


@pytest.fixture(scope="module")
def certified(kast_night: Night) -> Night:
    runs = [kast_night.products[kind].run for kind in ("bias", "flat")]
    done = fiducial("certify", kast_night.root, *runs, "--begin", "2015-05-19", "--json").json()
    assert [one["verdict"] for one in done["products"]] == [
        kast_night.products[kind].verdict for kind in ("bias", "flat")
    ]
    assert done["after"][0] == "KastBlue/calib/night-20150519"
    return kast_night


@pytest.fixture(scope="module")
def corrected(certified: Night, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    folder = tmp_path_factory.mktemp("corrected")
    done = fiducial(
        *("detrend", certified.root, "--exposures", f"{exposure(27)}..{exposure(29)}"),
        *("--output", folder, "--json"),
    ).json()
    assert any("no dark" in note for note in done["notes"])
    return {frame["exposure"]: Path(frame["file"]) for frame in done["frames"]}


def test_science_frames_are_corrected_as_by_hand(certified: Night, corrected: dict[int, Path]) -> None:
    """(raw - overscan) gain - bias, over the flat, pixel by pixel; single precision: 1e-5 of the values."""
    assert sorted(corrected) == [exposure(27), exposure(28), exposure(29)]
    bias, flat = certified.products["bias"], certified.products["flat"]
    gain = np.repeat([GAIN["L"][0], GAIN["R"][0]], 1024)
    for number in (27, 29):
        with fits.open(corrected[exposure(number)]) as hdus:
            image, mask = (hdus[name].data for name in ("IMAGE", "MASK"))
            variance, cards = hdus["VARIANCE"].data, hdus[0].header
        signal = subtracted(raw(certified, number)) * gain - bias.image
        good = (mask == 0) & (flat.image > 0.05)
        assert good.mean() > 0.7  # the ends of the left amplifier's spectrum have no light in the flat
        by_hand = signal / flat.image
        scale = np.abs(raw(certified, number)[:, :2048] * gain / flat.image)  # what was subtracted from
        assert np.max(np.abs(image - by_hand)[good] / scale[good]) < 1e-5
        # Shot noise, read noise, overscan: pi / (2 * 24) of the read noise squared, the masters': a ninth
        # of that of a bias and a tenth of that of a flat.
        read = np.repeat([(NOISE[a] * GAIN[a][0]) ** 2 for a in "LR"], 1024)
        frame = np.maximum(signal, 0) + read * (1 + np.pi / 48) * (1 + 1 / 9)
        expected = (frame + by_hand**2 * flat.variance) / flat.image**2
        assert np.median(variance[good] / expected[good]) == pytest.approx(1.0, abs=0.01)
        assert cards["FID CHAIN"] == "saturation,overscan,gain,assembly,bias,variance,flat,nan"
        assert cards["FID INPUT 0 ID"] == exposure(number)


def test_the_report_says_what_was_set_aside_and_why(certified: Night, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    runs = [certified.products[kind].run for kind in ("bias", "flat")]
    fiducial("report", certified.root, *runs, "-o", page)
    text = page.read_text("utf-8")
    assert "56,808" in text
    assert 'src="http' not in text
    assert "https://" not in text.replace("https://www.w3.org", "")
    assert page.stat().st_size < 20e6


# --- The masters -------------------------------------------------------------------------------------


def test_the_master_bias_is_the_mean_of_its_frames(kast_night: Night, biases: list[Image]) -> None:
    bias = kast_night.products["bias"]
    assert bias.used() == [exposure(number) for number in range(15, 24)]
    assert bias.used("first") == [exposure(14)]
    gain = np.repeat([bias.header[f"FID AMP {a} GAIN"] for a in "LR"], 1024)
    mean = np.mean([subtracted(b) for b in biases[1:]], axis=0) * gain
    # Frames count by their variance, of which a fifteenth is that of their overscan's median, known to a
    # few per cent: weights differ by a few in a thousand, the mean by so much of its own noise of 1.2.
    plain = np.abs(bias.image - mean) < 0.02
    # Of nine Gaussian values one is beyond 3 sigma in 2.4 per cent of the pixels.
    assert 0.01 < 1 - plain.mean() < 0.04
    assert np.all(bias.mask[~plain] != 0)


@pytest.mark.parametrize("amplifier", "LR")
def test_the_noise_of_the_master_bias_is_that_of_a_pair_over_three(
    kast_night: Night, biases: list[Image], amplifier: str, numbers: Numbers
) -> None:
    """By the first bias, which did not go in: Var(b - M) = Var(b) (1 + 1/9), Var(b) from pairs.

    Within rows, where the noise of the overscan does not enter. The share of the master is known to
    9 sqrt(2 (1.11^2 + 1/5) / 358,400) = 2.6 per cent of its variance.
    """
    bias = kast_night.products["bias"]
    gain = bias.header[f"FID AMP {amplifier} GAIN"]
    frames = [within_rows(b[DATA[amplifier]]) for b in biases]
    master = within_rows(bias.image[DATA[amplifier]]) / gain
    single = float(np.mean(np.square(pair_noises(frames))))
    own = clipped(frames[0] - master)[1] ** 2 - single
    numbers.note(
        "kast-blue", f"noise of the master bias {amplifier} (adu)", [np.sqrt(own), np.sqrt(single / 9)]
    )
    assert own == pytest.approx(single / 9, rel=0.1)
    # What the file quotes: the read noise of the camera file is good to half a per cent, the median of 24
    # overscan columns adds pi / 48 of its square, and clipped pixels have fewer frames.
    quoted = float(np.mean(bias.variance[DATA[amplifier]])) / gain**2
    assert quoted == pytest.approx(single / 9 * (1 + np.pi / 48), rel=0.03)


def test_amplifiers_have_their_own_bias_level(kast_night: Night, biases: list[Image]) -> None:
    for amplifier, level in (("L", 943), ("R", 965)):
        raw_level = np.median(np.mean(biases, axis=0)[DATA[amplifier]])
        assert raw_level == pytest.approx(level, abs=1.5)
        master = kast_night.products["bias"].image[DATA[amplifier]]
        assert abs(np.median(master)) < 2  # electrons: the overscan took the level out


def test_the_flat_is_the_mean_of_its_frames_by_their_levels(
    kast_night: Night, flats: list[Image], numbers: Numbers
) -> None:
    flat, bias = kast_night.products["flat"], kast_night.products["bias"]
    used = flat.used()
    assert used == [exposure(number) for number in range(4, 14)]
    assert flat.used("first") == [exposure(3)]
    assert [flat.header[f"FID INPUT {i} ID"] for i in range(10)] == used
    gain = np.repeat([flat.header[f"FID AMP {a} GAIN"] for a in "LR"], 1024)
    scales = [flat.header[f"FID INPUT {i} SCALE"] for i in range(10)]
    frames = [subtracted(f) * gain - bias.image for f in flats[2:]]
    mean = np.mean([f / s for f, s in zip(frames, scales, strict=True)], axis=0)
    plain = np.abs(flat.image - mean) < 1e-5
    # Of ten frames one must stand out by nearly all of their scatter to be left out: cosmic rays do.
    assert 0 < 1 - plain.mean() < 0.002
    # Levels of the frames beside each other, by a mean over all lit pixels.
    lit = flat.image > 0.3
    by_hand = np.array([f[lit].mean() for f in frames])
    np.testing.assert_allclose(by_hand / by_hand.mean(), np.array(scales) / np.mean(scales), rtol=2e-3)
    for amplifier in "LR":  # mean light in adu
        light = np.mean(flat.image[DATA[amplifier]]) * np.mean(scales) / GAIN[amplifier][0]
        numbers.note("kast-blue", f"mean light of a flat {amplifier} (adu)", light)
        by_hand = np.mean([f[DATA[amplifier]] for f in frames]) / GAIN[amplifier][0]
        assert light == pytest.approx(by_hand, rel=1e-4)


# --- Read noise and gain -----------------------------------------------------------------------------


@pytest.mark.parametrize("amplifier", "LR")
def test_the_read_noise_rows_agree_with_the_readme(
    kast_night: Night, amplifier: str, numbers: Numbers
) -> None:
    """Pair differences in the image, clipped at 5 sigma; the means of rows taken out with the overscan."""
    bias = kast_night.products["bias"]
    value, error = bias.of_pairs("read_noise", amplifier)
    nominal = bias.header[f"FID AMP {amplifier} GAIN"]
    value, error = value / nominal, error / nominal
    numbers.note("kast-blue", f"read noise {amplifier} (adu)", [value, error])
    assert len(bias.measured("read_noise", amplifier)) == 8
    assert error == pytest.approx(0.0015, abs=0.0003)
    assert abs(value - NOISE[amplifier]) < np.hypot(0.002, error)


@pytest.mark.parametrize("amplifier", "LR")
def test_the_gain_rows_agree_with_the_readme(kast_night: Night, amplifier: str, numbers: Numbers) -> None:
    """Light over variance in 16 x 16 blocks of neighbours in time, covariances not added."""
    value, error = kast_night.products["flat"].of_pairs("gain", amplifier)
    numbers.note("kast-blue", f"gain {amplifier} (e/adu)", [value, error])
    assert error < 0.002
    expected, uncertain = GAIN[amplifier]
    assert abs(value - expected) < np.hypot(uncertain, error)


# --- They lie ----------------------------------------------------------------------------------------


def test_biases_that_say_dark_are_biases(kast_night: Night) -> None:
    records = {record.exposure: record for record in kast_night.records()}
    for number in BIASES:
        assert header(kast_night.folder / f"b{number}.fits.fz")["OBSTYPE"] == "DARK"
        facts = records[exposure(number)].facts
        assert (facts.frame_type, facts.exposure_time) == ("bias", 0.0)


def test_of_a_keyword_that_stands_twice_the_first_counts(kast_night: Night) -> None:
    from fiducial.frames.raw import RawFrame

    file = kast_night.folder / "b14.fits.fz"
    cards = header(file)
    assert [cards["OBSTYPE", i] for i in range(cards.count("OBSTYPE"))] == ["DARK", 0]
    with RawFrame.open(file) as frame:
        assert frame.header()["OBSTYPE"] == "DARK"


def test_flats_that_say_object_are_flats(kast_night: Night) -> None:
    records = {record.exposure: record for record in kast_night.records()}
    for number in FLATS:
        assert header(kast_night.folder / f"b{number}.fits.fz")["OBSTYPE"] == "OBJECT"
        assert records[exposure(number)].facts.frame_type == "flat"


def test_gain_1_of_the_header_is_not_taken_for_the_gain(kast_night: Night) -> None:
    assert header(kast_night.folder / "b14.fits.fz")["GAIN"] == 1
    flat = kast_night.products["flat"]
    for amplifier in "LR":
        measured, error = flat.of_pairs("gain", amplifier)
        assert measured - 1 > 50 * error
        assert flat.header[f"FID AMP {amplifier} GAIN"] == GAIN[amplifier][0]
    assert flat.header["FID STATE GAIN"] == 1  # it belongs to the state of the camera all the same


def test_the_saturated_flat_is_set_aside_with_the_number_of_its_pixels(
    kast_night: Night, flats: list[Image]
) -> None:
    assert int(np.count_nonzero(flats[0][:, :2048] >= 65_000)) == 56_808
    (choice,) = [c for c in kast_night.products["flat"].choices if c["use"] == "set_aside"]
    assert choice["exposure"] == exposure(2)
    assert "56,808" in choice["reason"]
    assert choice["value"] > 10 * choice["limit"]


def test_even_and_odd_biases_alternate_and_none_is_set_aside(
    kast_night: Night, biases: list[Image], numbers: Numbers
) -> None:
    levels = np.array([clipped(b[DATA["L"]])[0] for b in biases])
    alternating = abs(np.mean(levels[::2]) - np.mean(levels[1::2]))
    numbers.note("kast-blue", "even and odd biases (adu)", alternating)
    assert alternating == pytest.approx(0.4, abs=0.1)
    bias = kast_night.products["bias"]
    assert bias.used("set_aside") == []
    for amplifier in "LR":  # the overscan alternates with the image
        rows = bias.measured("level", amplifier)
        assert max(abs(row["value"]) for row in rows) < 0.2  # electrons
        assert {row["outcome"] for row in rows} == {"pass"}


@pytest.mark.parametrize(("amplifier", "edges", "rise"), [("L", 3.11, 6), ("R", 3.40, 16)])
def test_overscan_columns_that_decay_are_left_out_and_lit_rows_have_their_own_level(
    kast_night: Night, biases: list[Image], flats: list[Image], amplifier: str, edges: float, rise: float
) -> None:
    whole = np.mean([np.std(b[OVERSCAN[amplifier]]) for b in biases])
    assert whole == pytest.approx(edges, abs=0.06)  # with the columns read first
    bias, flat = kast_night.products["bias"], kast_night.products["flat"]
    assert bias.header["FID CHAIN OVERSCAN SKIP"] == "8,0"
    own = np.array([r["read_noise"] for r in bias.measured("noise", amplifier)])
    own /= bias.header[f"FID AMP {amplifier} GAIN"]
    assert own.mean() == pytest.approx(NOISE[amplifier], rel=0.02)  # as the verification saw it

    dark = np.median(np.mean([b[SETTLED[amplifier]] for b in biases], axis=0), axis=1)
    lit = np.median(np.mean([f[SETTLED[amplifier]] for f in flats[1:]], axis=0), axis=1)
    assert np.median(lit - dark) == pytest.approx(rise, abs=1)
    assert flat.header["FID CHAIN OVERSCAN METHOD"] == "median_per_row"


def test_there_are_no_darks_and_it_is_said(kast_night: Night) -> None:
    assert any("no dark" in reason for reason in kast_night.products["flat"].reasons)
    assert "dark" not in kast_night.products["flat"].header["FID CHAIN"].split(",")
    none = fiducial("make", kast_night.root, "dark", "--night", NIGHT, code=5)
    assert "no dark frames" in none.err
    assert "10 bias, 12 flat" in none.err
