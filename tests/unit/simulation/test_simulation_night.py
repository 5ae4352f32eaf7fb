from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from fiducial.cameras import load_camera
from fiducial.cameras.model import Camera
from fiducial.errors import ConfigurationError, StorageError, UnreadableFrame, UsageError
from fiducial.frames.raw import RawFrame
from fiducial.frames.scan import scan_frame
from fiducial.simulation import (
    DarkLabelledFlat,
    Fault,
    FirstExposureStripes,
    LampFailure,
    NightPlan,
    NightTruth,
    SaturatedFlat,
    ShiftedLevel,
    TruncatedFile,
    WrongExposureTime,
    load_truth,
    simulate_night,
)

SHORT = NightPlan(biases=2, darks=1, flats=2, science=1)
FAULTS: tuple[Fault, ...] = (
    FirstExposureStripes(kind="bias", adu=20.0),
    ShiftedLevel(kind="bias", index=1, adu=40.0),
    ShiftedLevel(kind="bias", index=2, adu=40.0, in_overscan=True),
    TruncatedFile(kind="bias", index=4, detector=1),
    WrongExposureTime(kind="dark", index=1, factor=100.0),
    DarkLabelledFlat(index=1),
    LampFailure(index=2, fraction=0.05),
    SaturatedFlat(index=3),
    WrongExposureTime(kind="flat", index=0, filter="r", factor=2.0),
)


def hashes(truth: NightTruth) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in truth.files}


@pytest.fixture(scope="module")
def camera() -> Camera:
    return load_camera("simcam")


@pytest.fixture(scope="module")
def spoiled(camera: Camera, tmp_path_factory: pytest.TempPathFactory) -> NightTruth:
    plan = NightPlan(biases=6, darks=3, flats=5, science=0)
    return simulate_night(camera, tmp_path_factory.mktemp("spoiled"), plan=plan, seed=5, faults=FAULTS)


def signals(truth: NightTruth, camera: Camera, kind: str, band: str | None = None) -> list[float]:
    """Levels above overscan of the first detector's frames, in order; adu."""
    chosen = [e for e in truth.of_type(kind) if band in (None, e.filter)]
    return [scan_frame(truth.folder / e.files[0], camera)[0].signal() for e in chosen]


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(camera: Camera, tmp_path: Path) -> None:
    one = simulate_night(camera, tmp_path / "one", plan=SHORT, seed=1, threads=1)
    two = simulate_night(camera, tmp_path / "two", plan=SHORT, seed=1, threads=3)
    other = simulate_night(camera, tmp_path / "other", plan=SHORT, seed=2)
    assert hashes(one) == hashes(two)
    assert not set(hashes(one).values()) & set(hashes(other).values())
    for name in ("night.json", "detector-000.npz", "detector-001.npz"):
        assert (one.folder / "truth" / name).read_bytes() == (two.folder / "truth" / name).read_bytes()


def test_one_detector_alone_is_the_same_as_among_others(camera: Camera, tmp_path: Path) -> None:
    both = hashes(simulate_night(camera, tmp_path / "both", plan=SHORT, seed=1))
    plan = SHORT.model_copy(update={"detectors": (1,)})
    alone = hashes(simulate_night(camera, tmp_path / "alone", plan=plan, seed=1))
    assert alone
    assert all(both[name] == value for name, value in alone.items())


def test_frames_are_read_by_the_path_of_real_ones(camera: Camera, tmp_path: Path) -> None:
    truth = simulate_night(camera, tmp_path, plan=SHORT, seed=1)
    for exposure in truth.exposures:
        for detector, name in enumerate(exposure.files):
            (record,) = scan_frame(tmp_path / name, camera)
            assert record.exposure == exposure.exposure
            assert record.facts.obs_id == exposure.obs_id
            assert record.facts.frame_type == exposure.frame_type == exposure.kind
            assert record.facts.filter == exposure.filter
            assert record.facts.dark_time == exposure.dark_time
            assert record.detector == detector
    assert [e.frame_type for e in truth.exposures] == ["bias"] * 2 + ["dark"] + ["flat"] * 4 + ["science"] * 2


def test_the_truth_is_kept(camera: Camera, tmp_path: Path) -> None:
    truth = simulate_night(camera, tmp_path, plan=SHORT, seed=1, faults=[LampFailure()])
    again = load_truth(tmp_path)
    assert again.summary == truth.summary
    assert again.files == truth.files
    for number, detector in truth.detectors.items():
        read = again.detectors[number]
        assert read.amplifiers == detector.amplifiers
        assert read.level == detector.level
        np.testing.assert_array_equal(read.bias_electron, detector.bias_electron)
        np.testing.assert_array_equal(read.flat["r"], detector.flat["r"])
        np.testing.assert_array_equal(read.dark, detector.dark)
    with pytest.raises(ConfigurationError, match="no truth"):
        load_truth(tmp_path / "truth")


@pytest.mark.parametrize(("compression", "ending"), [("rice", ".fits.fz"), ("gzip", ".fits.gz")])
def test_compression_keeps_every_pixel(camera: Camera, tmp_path: Path, compression: str, ending: str) -> None:
    plan = SHORT.model_copy(update={"detectors": (0,)})
    plain = simulate_night(camera, tmp_path / "plain", plan=plan, seed=1)
    packed_plan = NightPlan.model_validate(plan.model_dump() | {"compression": compression})
    packed = simulate_night(camera, tmp_path / "packed", plan=packed_plan, seed=1)
    for a, b in zip(plain.files, packed.files, strict=True):
        assert b.name == a.name.removesuffix(".fits") + ending
        assert b.stat().st_size < a.stat().st_size
        np.testing.assert_array_equal(RawFrame.open(a).read(), RawFrame.open(b).read())
        assert scan_frame(b, camera)[0].facts.exposure == scan_frame(a, camera)[0].facts.exposure


def test_faults_are_told_in_the_truth(spoiled: NightTruth) -> None:
    told = {(e.frame_type, e.number): e.faults for e in spoiled.exposures if e.faults}
    assert told == {
        ("bias", 0): ("first_exposure_stripes",),
        ("bias", 1): ("shifted_level",),
        ("bias", 2): ("shifted_level",),
        ("bias", 4): ("truncated_file",),
        ("dark", 1): ("wrong_exposure_time",),
        ("flat", 1): ("dark_labelled_flat",),
        ("flat", 2): ("lamp_failure",),
        ("flat", 3): ("saturated_flat",),
        ("flat", 5): ("wrong_exposure_time",),
    }
    assert spoiled.of_type("flat")[1].kind == "dark"
    assert all(not e.faults for e in spoiled.of_type("flat", faultless=True))


def test_stripes_are_in_the_image_and_not_in_the_overscan(spoiled: NightTruth, camera: Camera) -> None:
    amp = camera.amplifiers(0)[0]
    assert amp.serial_overscan is not None
    first, last = (RawFrame.open(spoiled.folder / spoiled.of_type("bias")[i].files[0]) for i in (0, 5))
    rows = [
        np.mean(first.read(None, s) - last.read(None, s).astype(float), axis=1)
        for s in (amp.data, amp.serial_overscan)
    ]
    # A sine of amplitude 20 has an rms of 14.1; the mean of 32 overscan columns of sigma 4 adu one of 1.
    assert rows[0].std() == pytest.approx(14.1, rel=0.2)
    assert rows[1].std() < 2.0


def test_shifts_are_in_the_image_and_if_wanted_in_the_overscan(spoiled: NightTruth, camera: Camera) -> None:
    levels = signals(spoiled, camera, "bias")[:4]
    assert levels[1] - levels[3] == pytest.approx(40.0, abs=1.0)
    assert levels[2] - levels[3] == pytest.approx(0.0, abs=1.0)
    drift = [e.drift[0] for e in spoiled.of_type("bias")]
    assert drift[2] - drift[3] == pytest.approx(40.0, abs=3.0)


def test_a_truncated_file_is_refused(spoiled: NightTruth, camera: Camera) -> None:
    good, bad = (spoiled.folder / name for name in spoiled.of_type("bias")[4].files)
    scan_frame(good, camera)
    with pytest.raises(UnreadableFrame, match="truncated"):
        scan_frame(bad, camera)


def test_levels_of_spoiled_darks_and_flats(spoiled: NightTruth, camera: Camera) -> None:
    darks = signals(spoiled, camera, "dark")
    assert darks[1] > 20 * max(darks[0], darks[2], 1.0)
    assert spoiled.of_type("dark")[1].time == pytest.approx(6000.0)
    flats = signals(spoiled, camera, "flat", "g")
    assert abs(flats[1]) < 5.0
    assert flats[2] == pytest.approx(0.05 * flats[0], rel=0.05)
    saturated = scan_frame(spoiled.folder / spoiled.of_type("flat")[3].files[0], camera)[0]
    assert all(a.saturated > 0.99 for a in saturated.content)
    red = signals(spoiled, camera, "flat", "r")
    assert red[0] == pytest.approx(2 * red[1], rel=0.05)
    (record,) = scan_frame(spoiled.folder / spoiled.of_type("flat")[5].files[0], camera)
    assert record.facts.exposure_time == 5.0  # what the header says


def test_a_fault_or_detector_that_the_night_does_not_have(camera: Camera, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs bias 2"):
        simulate_night(camera, tmp_path, plan=SHORT, seed=1, faults=[ShiftedLevel(index=2)])
    with pytest.raises(UsageError, match="no detector 7"):
        simulate_night(camera, tmp_path, plan=NightPlan(detectors=(7,)), seed=1)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_a_file(camera: Camera, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        simulate_night(camera, tmp_path / "file", plan=SHORT, seed=1)


def test_dark_current_doubles_with_temperature(camera: Camera, tmp_path: Path) -> None:
    plan = NightPlan(biases=0, darks=1, flats=0, science=0, temperatures=(-100.0, -88.0), detectors=(0,))
    truth = simulate_night(camera, tmp_path, plan=plan, seed=1)
    assert [e.dark_scale for e in truth.exposures] == [1.0, 4.0]
    cold, warm = (scan_frame(path, camera)[0] for path in truth.files)
    assert (cold.facts.temperature_set, warm.facts.temperature_set) == (-100.0, -88.0)


def many_detector_camera(hdus: tuple[object, object]) -> Camera:
    """SimCam with both detectors in one file."""
    content = load_camera("simcam").model_dump(mode="json")
    for detector, hdu in zip(content["detectors"], hdus, strict=True):
        detector["hdu"] = hdu
    return Camera.model_validate(content)


@pytest.mark.parametrize("hdus", [("S0", "S1"), (1, 2)])
def test_files_of_several_detectors(tmp_path: Path, hdus: tuple[object, object]) -> None:
    camera = many_detector_camera(hdus)
    plan = NightPlan(biases=1, darks=0, flats=0, science=0)
    truth = simulate_night(camera, tmp_path, plan=plan, seed=1)
    (path,) = truth.files
    records = scan_frame(path, camera)
    assert [r.detector for r in records] == [0, 1]
    assert records[0].content != records[1].content
    alone = simulate_night(load_camera("simcam"), tmp_path / "alone", plan=plan, seed=1)
    for index, file in enumerate(alone.files, start=1):
        np.testing.assert_array_equal(RawFrame.open(path).read(index), RawFrame.open(file).read())


@pytest.mark.slow
def test_latiss_frames_have_the_layout_of_real_ones(tmp_path: Path) -> None:
    camera = load_camera("latiss")
    plan = NightPlan(biases=1, darks=0, flats=0, science=0, filters=("SDSSr_65mm~empty",))
    (path,) = simulate_night(camera, tmp_path, plan=plan, seed=1).files
    with fits.open(path) as opened:
        assert [hdu.header["EXTNAME"] for hdu in opened[1:]] == [a.hdu for a in camera.amplifiers(0)]
        assert opened[1].header["BITPIX"] == 32
        assert opened[1].shape == (2048, 576)
        assert opened[1].header["DATASEC"] == "[4:512,1:2000]"
    (record,) = scan_frame(path, camera)
    assert record.exposure == 2026011500001
