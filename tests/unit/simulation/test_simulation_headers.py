"""Every camera whose headers have rules can be simulated: what is written is read back as it was wanted."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pytest

from fiducial.cameras import load_camera
from fiducial.errors import CameraError
from fiducial.simulation.headers import HeaderWriter, WrittenHeader
from fiducial.simulation.inversion import WantedFacts

BEGIN = datetime(2026, 1, 15, 20, 30, 10, 250000)
FRAMES = {  # frame types that the camera's rules know, and one of its filters
    "simcam": (("bias", "dark", "flat", "science"), "r"),
    "latiss": (("bias", "dark", "flat", "science"), "SDSSr_65mm~empty"),
    "lsstcomcam": (("bias", "dark", "flat", "science"), "r_03"),
    "lsstcam": (("bias", "dark", "flat", "science"), "r_57"),
    "kast-blue": (("bias", "flat", "science"), "Open"),
    "stl1001": (("bias", "dark", "flat", "science"), "Visible"),
    "esis": (("dark", "flat"), "none"),
}
CASES = [(name, kind) for name, (kinds, _) in FRAMES.items() for kind in kinds]


def wanted(name: str, kind: str, detector: int, seq_num: int = 12) -> WantedFacts:
    seconds = 0.0 if kind == "bias" else 12.5
    has_dark_time = load_camera(name).headers.dark_time is not None
    return WantedFacts(
        detectors=(detector,),
        frame_type=kind,
        day=date(2026, 1, 15),
        seq_num=seq_num,
        begin=BEGIN,
        end=BEGIN + timedelta(seconds=seconds),
        exposure_time=seconds,
        dark_time=seconds + (0.5 if has_dark_time and kind != "bias" else 0.0),
        filter=FRAMES[name][1],
        temperature=-95.5,
        program="CALIB",
        target="field",
        reason="test",
    )


def write(name: str, kind: str, detector: int, seq_num: int = 12) -> WrittenHeader:
    pixels = np.full((4, 6), 20000 if kind == "flat" else 1000, np.uint16)
    return HeaderWriter(load_camera(name)).write(
        wanted(name, kind, detector, seq_num), {None: pixels}, "none"
    )


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_the_camera_reads_the_very_facts(name: str, kind: str) -> None:
    camera = load_camera(name)
    for detector in {camera.detectors[0].id, camera.detectors[-1].id}:
        want = wanted(name, kind, detector)
        facts = write(name, kind, detector).facts
        assert facts.frame_type == kind
        assert facts.detectors == (detector,)
        assert facts.filter == want.filter
        assert facts.day_obs == 20260115
        assert facts.begin == BEGIN
        assert facts.exposure_time == want.exposure_time
        assert facts.dark_time == want.dark_time
        assert abs((facts.end - want.end).total_seconds()) < 1e-6
        assert facts.binning in (None, (1, 1))
        for value in (facts.temperature, facts.temperature_set):
            assert value is None or abs(value - want.temperature) < 1e-6
        if camera.headers.seq_num is not None:
            assert facts.seq_num == 12
        if camera.headers.detector_serial is not None and camera.detector(detector).serial:
            assert facts.detector_serial == camera.detector(detector).serial
        assert all(value is not None for value in facts.state.values())


@pytest.mark.parametrize("name", FRAMES)
def test_exposures_are_told_apart_and_their_files_too(name: str) -> None:
    kind = FRAMES[name][0][0]
    detectors = [d.id for d in load_camera(name).detectors[:2]]
    written = [write(name, kind, detector, seq) for seq in (1, 2) for detector in detectors]
    assert len({w.name for w in written}) == len(written)
    if load_camera(name).headers.seq_num is not None:  # without it the begin, the same here, tells them apart
        assert len({w.facts.exposure for w in written}) == 2
    assert all(w.name.endswith(".fits") for w in written)


def test_a_camera_of_a_translator_says_that_it_cannot_be_simulated() -> None:
    with pytest.raises(CameraError, match="translator"):
        HeaderWriter(load_camera("decam"))


def test_a_frame_type_without_a_rule_is_named() -> None:
    with pytest.raises(CameraError, match=r"KastBlue.*dark frame: no rule"):
        write("kast-blue", "dark", 0)


def test_a_fact_that_the_rules_cannot_give_is_named() -> None:
    camera = load_camera("simcam")
    rules = camera.headers.model_copy(
        update={"filter": camera.headers.filter.model_copy(update={"map": {"*": "g"}})}
    )
    writer = HeaderWriter(camera.model_copy(update={"headers": rules}))
    with pytest.raises(CameraError, match="filter would be read as 'g', 'r' is wanted"):
        writer.write(wanted("simcam", "flat", 0), {None: np.ones((2, 2), np.uint16)}, "none")
