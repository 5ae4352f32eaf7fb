"""Where readings come from: rows of verification, headers, defects, photon transfer, what ingest noted."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fiducial.cameras import load_camera
from fiducial.products.defects import DefectSet
from fiducial.products.metadata import AsideNote, InputNote, inputs
from fiducial.products.ptc import AmplifierTransfer, FlatPairs, PhotonTransferCurve, TransferFit
from fiducial.repository.everywhere import Taken
from fiducial.repository.validity import Validity
from fiducial.trends.from_frames import readings_of_table
from fiducial.trends.from_ingest import readings_of_facts
from fiducial.trends.from_masters import rate, readings_of_masters
from fiducial.trends.from_products import pixels_within, readings_of_defects, readings_of_transfer
from fiducial.trends.known import Known, MasterHeader, state_words
from fiducial.verify.rows import Row, rows_to_arrow

CAMERA = load_camera("simcam")
FIRST, SECOND = 20260115, 20260116
TAKEN = {day * 100000 + number: Taken(day, 60.0) for day in (FIRST, SECOND) for number in range(1, 11)}
VALID = Validity("bias", 0, None, "2026-01-15T00:00:00.000", None, "certified", "runs/biasGen.a/1", "id", 0)


def exposure(day: int, number: int) -> int:
    return day * 100000 + number


def master(
    kind: str, amplifiers: dict[str, float], *, night: int = FIRST, frames: int = 5, **other: Any
) -> MasterHeader:
    notes = [InputNote(exposure(night, n), "2026-01-15T13:00:00", 1.0, 60.0) for n in range(1, frames + 1)]
    header = {
        **inputs(notes),
        "FID WORLD": "electron",
        "FID CHAIN OVERSCAN METHOD": "median_per_row",
        "FID CHAIN OVERSCAN SKIP": "2,0",
        **{f"FID AMP {name}": value for name, value in amplifiers.items()},
    }
    first = MasterHeader(kind, "id", f"runs/{kind}Gen.a/1", 0, "", header, night, "", None)
    return replace(first, **other)


def known(*masters: MasterHeader, chains: dict[str, frozenset[str]] | None = None) -> Known:
    return Known(CAMERA, Path("nowhere"), TAKEN, chains or {}, {"id": VALID}, masters)


def row(kind: str, test: str, number: int, value: float, day: int = FIRST, **other: Any) -> Row:
    first = Row(
        kind=kind,
        test=test,
        scope="amplifier",
        exposure=exposure(day, number),
        detector=0,
        amplifier="A",
        physical_filter="",
        mjd=float(day) + 0.001 * number,
        role="input",
        counts=True,
        applicable=True,
        value=value,
        uncertainty=0.01,
        unit="electron",
        n_pixels=1000,
    )
    return replace(first, **other)


def readings(kind: str, rows: list[Row], of: Known, run: str = "runs/verifyBias.a/9") -> list[Any]:
    return list(readings_of_table(of, kind, rows_to_arrow(rows), run, ""))


def test_the_first_frame_of_a_night_has_its_partner_in_another_one() -> None:
    rows = [
        row("bias", "read_noise", 1, 99.0, role="first"),
        row("bias", "read_noise", 2, math.nan, applicable=False),
        row("bias", "read_noise", 3, 5.0),
        row("bias", "read_noise", 4, 5.2),
        # The second night: the first of these was paired with a frame of the night before.
        row("bias", "read_noise", 2, 50.0, SECOND, role="other_day"),
        row("bias", "read_noise", 3, 6.0, SECOND, role="other_day"),
        row("bias", "noise", 3, 77.0, SECOND),
    ]
    one, other = readings("bias", rows, known(master("bias", {}, validity=VALID)))
    assert (one.night, one.frames, one.value, one.method) == (FIRST, 2, pytest.approx(5.1), "pairs")
    assert (other.night, other.frames, other.value) == (SECOND, 1, 6.0)
    assert one.gain == CAMERA.amplifiers(0)[0].gain


def test_frames_of_a_certified_bias_are_certified_and_others_are_not() -> None:
    rows = [row("bias", "read_noise", n, 5.0) for n in (2, 3, 4)]
    rows += [row("bias", "read_noise", n, 5.0, SECOND, role="other_day") for n in (2, 3, 4)]
    certified = master("bias", {}, validity=VALID)
    chains = {"runs/verifyBias.a": frozenset({certified.run})}
    first, second = readings("bias", rows, known(certified, chains=chains))
    assert (first.certified, first.begin, second.certified) == (True, VALID.begin, False)
    # A rerun that is not certified was verified with its own master, not with the certified one.
    rerun = master("bias", {}, run="runs/biasGen.b/2", dataset="other")
    chains = {"runs/verifyBias.b": frozenset({rerun.run})}
    (one, _) = readings("bias", rows, known(certified, rerun, chains=chains), "runs/verifyBias.b/9")
    assert not one.certified


def test_adu_become_electrons_by_the_rows_own_gain() -> None:
    rows = [row("bias", "read_noise", n, 4.0, unit="adu", electrons_per_unit=1.5) for n in (2, 3)]
    (one,) = readings("bias", rows, known())
    assert (one.value, one.unit, one.gain) == (6.0, "electron", 1.5)


def test_rows_without_a_number_or_of_nothing_known_give_no_reading() -> None:
    rows = [
        row("bias", "read_noise", 2, 5.0),
        row("bias", "read_noise", 3, math.nan),
        row("bias", "read_noise", 4, 5.0, uncertainty=0.0),
        row("bias", "read_noise", 5, 5.0, applicable=False),
        row("bias", "read_noise", 77, 5.0),  # no exposure that the registry knows
        *(row("bias", "read_noise", n, 5.0, amplifier="Z") for n in (2, 3)),
    ]
    assert readings("bias", rows, known()) == []


def test_of_detectors_that_are_not_asked_for_nothing_is_read() -> None:
    rows = [row("bias", "read_noise", n, 5.0) for n in (2, 3)]
    assert len(readings("bias", rows, replace(known(), detectors=frozenset({0})))) == 1
    assert readings("bias", rows, replace(known(), detectors=frozenset({1}))) == []


def test_darks_of_another_night_add_to_the_rate_of_the_master() -> None:
    dark = master(
        "dark",
        {"A P16": 0.02, "A P50": 0.04, "A P84": 0.06, "A NBAD": 0, "A GAIN": 1.5, "A READ NOISE": 5.0},
        validity=replace(VALID, kind="dark"),
    )
    rows = [row("dark", "level", n, 1.2, SECOND, role="other_day", uncertainty=0.06) for n in (1, 2, 3)]
    (one,) = readings("dark", rows, known(dark))
    assert (one.night, one.certified) == (SECOND, False)
    assert one.value == pytest.approx(0.04 + 1.2 / 60.0)
    of_master = rate(known(dark), dark, CAMERA.amplifiers(0)[0])
    assert of_master is not None
    # A median of three, and the error of the master, which the value holds.
    assert one.error == pytest.approx(math.hypot(0.001 * math.sqrt(0.449), of_master[1]), rel=0.01)
    assert one.base == dark.dataset
    # Its own frames say nothing more than the master; without overscan levels say nothing of the rate.
    assert readings("dark", [replace(one, role="input") for one in rows], known(dark)) == []
    assert readings("dark", [replace(one, overscan=False) for one in rows], known(dark)) == []
    assert readings("dark", rows, known()) == []
    # A master that is not certified counts, where the run names it, and no other does.
    chains = {"runs/verifyDark.a": frozenset({dark.run})}
    (loose,) = readings(
        "dark", rows, known(replace(dark, validity=None), chains=chains), "runs/verifyDark.a/9"
    )
    assert (loose.value, loose.certified) == (one.value, False)
    assert readings("dark", rows, known(replace(dark, validity=None)), "runs/verifyDark.a/9") == []


def test_what_is_beyond_a_certified_master_is_a_reading_and_beyond_another_one_is_not() -> None:
    flat = master("flat", {}, physical_filter="", validity=replace(VALID, kind="flat"))
    rows = [row("flat", "amplifier_ratio", n, 1e-5, unit="") for n in (1, 2, 3)]
    rows += [row("flat", "amplifier_ratio", n, -0.02, SECOND, role="other_day", unit="") for n in (1, 2, 3)]
    first, second = readings("flat", rows, known(flat))
    assert (first.quantity, first.value, first.certified) == ("amplifier_ratio", 1e-5, True)
    assert (second.value, second.certified, second.base) == (-0.02, False, flat.dataset)
    chains = {"runs/verifyBias.a": frozenset({flat.run})}
    assert readings("flat", rows, known(replace(flat, validity=None), chains=chains)) == []
    # The flat of another filter is none of its own.
    assert readings("flat", rows, known(replace(flat, physical_filter="r"))) == []


def test_headers_give_noise_and_rates_with_errors() -> None:
    bias = master("bias", {"A NOISE": 5.0, "A NBAD": 0, "A GAIN": 1.5}, validity=VALID)
    adu = replace(bias, header=bias.header | {"FID WORLD": "adu"}, validity=None)
    dark = master(
        "dark",
        {"A P16": 0.02, "A P50": 0.04, "A P84": 0.06, "A NBAD": 0, "A GAIN": 1.5, "A READ NOISE": 5.0},
        frames=4,
    )
    fitted = master("dark", {"A RATE": 0.5, "A RATE ERROR": 0.02})
    noise, same, rate, fit = readings_of_masters(known(bias, adu, dark, fitted))
    assert (noise.value, noise.certified, noise.method, noise.frames) == (5.0, True, "scatter", 5)
    assert noise.error == pytest.approx(5.0 / math.sqrt(2 * 65536 * 4))
    assert (same.value, same.unit, same.certified) == (7.5, "electron", False)
    # The median of 65,536 pixels of 0.02, and levels of 5 electrons by medians of 30 pixels in 256 rows.
    pixels = math.sqrt(0.5 * math.pi / 65536) * 0.02
    level = 5.0 * math.sqrt(0.5 * math.pi / 30 / 256)
    assert rate.value == 0.04
    assert rate.error == pytest.approx(math.hypot(pixels, level / 60.0 * math.sqrt(1 / 4 + 1 / 4)), rel=0.03)
    assert (fit.value, fit.error) == (0.5, 0.02)


def test_masters_that_say_nothing_are_left_out_with_a_reason_where_there_is_one() -> None:
    of = known(
        master("bias", {}),
        master("bias", {"A NOISE": 5.0, "A NBAD": 0}, frames=1),
        master("dark", {}, night=0, frames=0),
    )
    assert list(readings_of_masters(of)) == []
    assert of.left_out == ["dark of detector 0 in runs/darkGen.a/1: of no known night"]


def test_defects_are_counted_by_amplifier_and_reason() -> None:
    boxes = np.array([[10, 20, 3, 4], [250, 0, 12, 1], [300, 5, 1, 256], [0, 0, 9, 9]], np.int32)
    found = DefectSet("SimCam", 0, (262, 512), boxes, ("hot", "hot", "column", "dust"))
    a, b = CAMERA.amplifiers(0)
    assert (pixels_within(found, "hot", a), pixels_within(found, "hot", b)) == (12 + 6, 6)
    assert pixels_within(found, "cold", a) == 0
    ref = SimpleNamespace(id="id", run="runs/defectsGen.a/1")
    made = {
        (one.amplifier, one.quantity): one
        for one in readings_of_defects(known(), ref, found, FIRST, ["hot", "column"])
    }
    assert made["A", "defects"].value == 18.0  # dust masks nothing
    assert made["A", "defects column"].value == 0.0
    assert made["A", "defects column"].error == 1.0
    assert made["B", "defects column"].value == 251.0  # what is on the amplifier
    assert made["B", "defects"].pixels == 65536.0
    assert all(one.certified for one in made.values())


def transfer(name: str, gain: float, error: float, bootstrap: float, *, turnoff: bool) -> AmplifierTransfer:
    empty = np.zeros((2, 1, 1))
    fit = TransferFit(
        "covariance",
        True,
        "",
        gain,
        error,
        bootstrap,
        5.0,
        0.1,
        True,
        *(empty[0],) * 7,
        np.empty(0),
        empty,
        1.0,
        1,
    )
    points = np.zeros(2)
    flags = np.zeros(2, bool)
    return AmplifierTransfer(
        name,
        points,
        points,
        points,
        empty,
        empty.astype(int),
        points,
        flags,
        flags,
        ("", ""),
        5.0,
        0.1,
        9e4,
        50.0,
        turnoff,
        fit,
    )


def test_photon_transfer_gives_gain_noise_and_turnoff() -> None:
    pairs = FlatPairs(
        np.array([exposure(FIRST, 1), exposure(FIRST, 3)]),
        np.array([exposure(FIRST, 2), exposure(FIRST, 4)]),
        *(np.ones(2) for _ in range(6)),
        ("g", "g"),
    )
    amplifiers = (
        transfer("A", 1.5, 0.001, 0.002, turnoff=True),
        transfer("B", math.nan, math.nan, math.nan, turnoff=False),
    )
    curve = PhotonTransferCurve(0, 1, pairs, amplifiers, (AsideNote(1, "x"),), {})
    ref = SimpleNamespace(id="id", run="runs/ptcGen.a/1")
    made = {(one.amplifier, one.quantity): one for one in readings_of_transfer(known(), ref, curve)}
    assert set(made) == {("A", "gain"), ("A", "read_noise"), ("A", "turnoff"), ("B", "read_noise")}
    gain = made["A", "gain"]
    assert (gain.value, gain.error, gain.night, gain.certified) == (1.5, 0.002, FIRST, True)
    assert (made["A", "turnoff"].value, made["A", "turnoff"].unit) == (9e4, "adu")
    elsewhere = replace(curve, pairs=replace(pairs, first=np.array([1, 2]), second=np.array([3, 4])))
    of = known()
    assert list(readings_of_transfer(of, ref, elsewhere)) == []
    assert of.left_out == ["ptc of detector 0 in runs/ptcGen.a/1: of no known night"]


def facts(numbers: range, *, level: float, overscan: float | None, day: int = FIRST) -> list[dict[str, Any]]:
    return [
        {
            "exposure": exposure(day, n),
            "detector": 0,
            "day_obs": day,
            "frame_type": "bias",
            "facts": json.dumps({"state": {"TEMP_SET": -100.04}}),
            "content": json.dumps(
                [{"amplifier": "A", "level": level + n, "overscan": overscan and overscan + n}]
            ),
        }
        for n in numbers
    ]


def test_levels_of_biases_come_from_ingest_whatever_was_made() -> None:
    rows = facts(range(1, 6), level=1000.0, overscan=900.0)
    rows += facts(range(1, 4), level=1000.0, overscan=None, day=SECOND)
    rows += [replace_type(one) for one in facts(range(6, 9), level=0.0, overscan=0.0)]
    bias = master("bias", {}, validity=VALID, state="TEMP_SET=-100")
    made = list(readings_of_facts(known(bias), pa.Table.from_pylist(rows), "facts", {0: [bias]}))
    assert [(one.night, one.value, one.method, one.certified) for one in made] == [
        (FIRST, 903.0, "overscan", True),
        (SECOND, 1002.0, "image", False),
    ]
    assert made[0].error == pytest.approx(np.std([1, 2, 3, 4, 5], ddof=1))
    single = pa.Table.from_pylist(facts(range(1, 2), level=1.0, overscan=1.0))
    assert list(readings_of_facts(known(), single, "facts", {})) == []


def replace_type(one: dict[str, Any]) -> dict[str, Any]:
    return one | {"frame_type": "dark"}


def test_equal_states_have_equal_words() -> None:
    assert state_words(CAMERA, {"TEMP_SET": -100.04, "SEQFILE": "x"}) == "SEQFILE=x, TEMP_SET=-100"
    assert state_words(CAMERA, {"TEMP_SET": -99.98}) == "TEMP_SET=-100"
    assert state_words(CAMERA, {}) == ""
