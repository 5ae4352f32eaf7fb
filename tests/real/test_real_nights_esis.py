"""Frames of ESIS: headers that say no frame type, times in milliseconds, four taps, flats in pairs.

Numbers that are expected stand in the README beside the frames, or are computed here from the raw
frames by plain numpy.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from commands import fiducial
from fiducial.cameras import load_camera
from real_nights import Image, Night, Numbers, header, pixels

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("esis night")]

NIGHT = 20170712
ON, OFF = (4803, 4804), (4860, 4861)  # LED
TAPS = {  # data, blank columns, the two overscan columns, gain (e/DN)
    "BL": (np.s_[:520, 50:1074], np.s_[:520, 22:50], np.s_[:520, 1074:1076], 2.527),
    "BR": (np.s_[:520, 1078:2102], np.s_[:520, 2102:2130], np.s_[:520, 1076:1078], 2.504),
    "TL": (np.s_[520:, 50:1074], np.s_[520:, 22:50], np.s_[520:, 1074:1076], 2.528),
    "TR": (np.s_[520:, 1078:2102], np.s_[520:, 2102:2130], np.s_[520:, 1076:1078], 2.514),
}


@pytest.fixture(scope="module")
def led(real_data: Path) -> dict[int, Image]:
    """The pairs with the LED on and off."""
    return {n: pixels(real_data / "esis" / "led" / f"ESIS1_0{n}.fits.fz") for n in (*ON, *OFF)}


# --- They lie ----------------------------------------------------------------------------------------


def test_frames_without_a_type_are_told_apart_by_folder_and_light(esis_night: Night) -> None:
    assert (len(esis_night.ingested["used"]), esis_night.ingested["refused"]) == (13, [])
    for record in esis_night.records():
        assert not {"IMAGETYP", "OBSTYPE", "FRAMETYP", "IMG_TYPE"} & set(header(Path(record.file)))
        folder, number = Path(record.file).parent.name, int(Path(record.file).name[6:11])
        wanted = "fe55" if folder == "fe55" else "flat" if number in ON else "dark"
        assert record.facts.frame_type == wanted, record.file


def test_times_in_milliseconds_and_img_ts_are_understood(esis_night: Night) -> None:
    for record in esis_night.records():
        cards = header(Path(record.file))
        assert cards["IMG_EXP"] > 100  # milliseconds: none was shorter than a tenth of a second
        assert record.facts.exposure_time == pytest.approx(cards["IMG_EXP"] / 1000)
        stamp = datetime.fromisoformat(str(cards["IMG_TS"]).strip())
        # The header's time is UTC, ours TAI: 36 s apart in 2017, 37 s since.
        assert (record.facts.begin - stamp.replace(tzinfo=None)).total_seconds() == pytest.approx(37, abs=1)


def test_blank_columns_serve_as_overscan_and_not_the_two_that_carry_light(led: dict[int, Image]) -> None:
    amplifiers = {amp.name: amp for amp in load_camera("esis").amplifiers(1)}
    for tap, (data, blank, inner, _) in TAPS.items():
        own = amplifiers[tap].serial_overscan
        assert own is not None
        used = np.zeros(led[ON[0]].shape, bool)
        used[own.slices] = True
        assert used[blank].all()
        assert not used[inner].any()
        assert not used[data].any()
        bright, dark = (np.mean([led[n] for n in pair], axis=0) for pair in (ON, OFF))
        carried = np.median(bright[inner] - dark[inner]) - np.median(bright[blank] - dark[blank])
        assert 6.5 < carried < 22.5
        # What light there is in a row does not change its blank columns; levels drift by a DN or two.
        rows = np.median(bright[blank], axis=1) - np.median(dark[blank], axis=1)
        assert np.ptp(np.convolve(rows, np.ones(20) / 20, "valid")) < 3


def test_taps_have_their_own_bias_level(led: dict[int, Image]) -> None:
    levels = [np.median(np.mean([led[n] for n in OFF], axis=0)[data]) for data, *_ in TAPS.values()]
    assert min(levels) == pytest.approx(3438, abs=5)
    assert max(levels) == pytest.approx(3790, abs=5)


# --- The job -----------------------------------------------------------------------------------------


def test_the_plan_says_what_there_is_too_little_of(esis_night: Night) -> None:
    plan = fiducial("plan", esis_night.root, "--night", NIGHT, "--json").json()
    (flat,) = plan["planned"]
    assert [c["exposure"] % 10_000 for c in flat["plan"]["choices"] if c["use"] == "generate"] == list(ON)
    reasons = {one["kind"]: one["reason"] for one in plan["impossible"]}
    assert set(reasons) == {"bias", "dark"}
    assert "no bias frames" in reasons["bias"]
    assert "3 are needed" in reasons["dark"]


def test_without_a_bias_the_chain_must_say_so(esis_night: Night) -> None:
    none = fiducial("make", esis_night.root, "flat", "--night", NIGHT, code=5)
    assert "bias" in none.err
    assert "out of the chain" in none.err


def test_the_pair_of_flats_is_made_without_a_bias(esis_night: Night, numbers: Numbers) -> None:
    flat = esis_night.products["flat"]
    assert [e % 10_000 for e in flat.used()] == list(ON)
    numbers.note_product("esis", "flat", flat)
    assert flat.verdict in ("pass", "warn"), flat.reasons


@pytest.mark.parametrize("tap", TAPS)
def test_the_gain_rows_agree_with_the_readme(esis_night: Night, tap: str, numbers: Numbers) -> None:
    """The pair of LED frames, light over variance, covariances not added."""
    value, error = esis_night.products["flat"].of_pairs("gain", tap)
    numbers.note("esis", f"gain {tap} (e/DN)", [value, error])
    assert error == pytest.approx(0.005, abs=0.0005)
    assert abs(value - TAPS[tap][3]) < np.hypot(0.005, error)
