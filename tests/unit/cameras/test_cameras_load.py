"""Camera files: found by name, read, written, and their mistakes named."""

from __future__ import annotations

from pathlib import Path

import pytest

from fiducial.cameras import camera_from_yaml, camera_to_yaml, known_cameras, load_camera
from fiducial.cameras.model import Camera
from fiducial.errors import CameraError

PACKAGED = ("decam", "esis", "kast-blue", "latiss", "lsstcam", "lsstcomcam", "simcam", "stl1001")

SMALL = """
name: Small
layouts:
  ccd:
    raw_shape: [10, 12]
    amplifiers:
      - {name: A, data: "[1:10,1:10]", serial_overscan: "[11:12,1:10]", detector: "[1:10,1:10]",
         gain: 2.0, read_noise: 5.0, saturation: 65535}
detectors:
  - {id: 0, name: CCD, layout: ccd}
headers:
  recognise: {INSTRUME: Small}
  begin: DATE-OBS
  exposure_time: EXPTIME
"""


def changed(old: str, new: str) -> str:
    assert old in SMALL
    return SMALL.replace(old, new)


def test_all_cameras_are_known() -> None:
    assert set(PACKAGED) <= set(known_cameras())
    assert list(known_cameras()) == sorted(known_cameras())


@pytest.mark.parametrize("name", PACKAGED)
def test_a_camera_survives_the_way_through_yaml(name: str) -> None:
    camera = load_camera(name)
    assert camera_from_yaml(camera_to_yaml(camera), "text") == camera


@pytest.mark.parametrize("name", PACKAGED)
def test_the_amplifiers_of_a_packaged_camera_cover_each_detector(name: str) -> None:
    camera = load_camera(name)
    for layout in camera.layouts.values():
        ny, nx = layout.shape
        covered = sum(a.detector.shape[0] * a.detector.shape[1] for a in layout.amplifiers)
        assert covered == ny * nx  # they do not overlap (the model sees to it), so nothing is left out


@pytest.mark.parametrize("name", ["latiss", "LATISS", "Latiss", "lsstcomcam", "LSSTComCam"])
def test_case_and_instrument_name_do_not_matter(name: str) -> None:
    assert load_camera(name).name.lower() == name.lower()


def test_the_instrument_name_finds_a_file_of_another_name() -> None:
    assert load_camera("KastBlue") == load_camera("kast-blue")


def test_a_path_is_read(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    assert load_camera(file).name == load_camera(str(file)).name == "Small"


def test_the_detectors_of_the_rubin_cameras_are_where_they_should_be() -> None:
    lsstcam = load_camera("lsstcam")
    assert len(lsstcam.detectors) == 189
    centre = lsstcam.detector("R22_S11")
    assert (centre.id, centre.position, centre.layout) == (94, (0.0, 0.0), "e2v")
    assert lsstcam.detector("R01_S00").position == (-127 - 42.25, -254 - 42.25)
    assert lsstcam.detector(1).name == "R01_S01"
    assert [d.name for d in load_camera("lsstcomcam").detectors][::8] == ["R22_S00", "R22_S22"]


def test_the_ccds_of_decam_form_the_known_rows() -> None:
    detectors = load_camera("decam").detectors
    rows: dict[float, int] = {}
    for detector in detectors:
        rows[detector.position[0]] = rows.get(detector.position[0], 0) + 1
    assert len(detectors) == 62
    assert [rows[x] for x in sorted(rows)] == [3, 4, 5, 6, 6, 7, 7, 6, 6, 5, 4, 3]


def test_an_unknown_camera_names_those_known() -> None:
    with pytest.raises(CameraError, match="no camera is named 'latis'") as caught:
        load_camera("latis")
    assert "latiss" in caught.value.hint


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match=r"there is no camera file .*nothing\.yaml"):
        load_camera(tmp_path / "nothing.yaml")


@pytest.mark.parametrize(
    ("text", "where", "hint"),
    [
        (
            changed("gain: 2.0", "gian: 2.0"),
            "layouts.ccd.amplifiers[A].gian: no such key",
            "Did you mean gain?",
        ),
        (changed("  begin: ", "  beginn: "), "headers.beginn: no such key", "Did you mean begin?"),
        (changed("begin: DATE-OBS", "begin: {kye: DATE-OBS}"), "headers.begin.kye", "Did you mean key?"),
        (SMALL + "detector: []\n", "small.yaml: detector: no such key", "Did you mean detectors?"),
        (changed("name: Small\n", ""), "small.yaml: name: this key is missing", "Add it"),
        (changed("gain: 2.0", "gain: -2.0"), "layouts.ccd.amplifiers[A].gain: -2.0", "Mend the value"),
        (changed('"[1:10,1:10]", serial', '"[1:9,1:10]", serial'), "differ in shape", "Mend the value"),
        (changed("[11:12,1:10]", "[11:13,1:10]"), "outside the raw", "Mend the value"),
        (changed("[11:12,1:10]", "[0:12,1:10]"), "count from 1", "Mend the value"),
        (changed("layout: ccd}", "layout: cdd}"), "no layout 'cdd', only ccd", "Mend the value"),
        (changed("begin: DATE-OBS", "begin: {key: A, value: 1}"), "exactly one of", "Mend the value"),
        (changed("begin: DATE-OBS", "begin: {key: A, pattern: '('}"), "not a regular expression", "Mend"),
        (changed("begin: DATE-OBS", "begin: {template: '{A'}"), "not a template", "Mend"),
        (changed("name: Small", "name: [Small"), "small.yaml line 3: not YAML", "Mend the file"),
        ("", "a camera file is a mapping", "show simcam"),
        ("- 1", "a camera file is a mapping", "show simcam"),
    ],
)
def test_a_mistake_is_named_with_file_key_and_remedy(text: str, where: str, hint: str) -> None:
    with pytest.raises(CameraError) as caught:
        camera_from_yaml(text, "small.yaml")
    assert caught.value.message.startswith("small.yaml")
    assert where in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2


def test_several_mistakes_are_counted() -> None:
    text = SMALL.replace("gain: 2.0", "gian: 2.0").replace("begin:", "beginn:")
    with pytest.raises(CameraError, match=r"and \d more"):
        camera_from_yaml(text, "small.yaml")


def test_a_short_camera_is_short_in_yaml() -> None:
    camera = camera_from_yaml(SMALL, "small.yaml")
    text = camera_to_yaml(camera)
    assert "null" not in text
    assert "purpose" not in text  # what has its default is left out
    assert isinstance(camera, Camera)
