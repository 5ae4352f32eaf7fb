"""Cameras of other packages come in by the entry-point group ``fiducial.cameras``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CAMERA = """
name: PlugCam
layouts:
  ccd:
    raw_shape: [4, 4]
    amplifiers:
      - {name: A, data: "[1:4,1:4]", detector: "[1:4,1:4]", gain: 1, read_noise: 1, saturation: 100}
detectors: [{id: 0, name: CCD, layout: ccd}]
headers: {recognise: {INSTRUME: PlugCam}, begin: DATE-OBS, exposure_time: EXPTIME}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed packages: one with a camera, as pip leaves it."""
    package = tmp_path / "plug_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "plug-cam.yaml").write_text(CAMERA)
    info = tmp_path / "plug_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plug-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[fiducial.cameras]\nplugcam = plug_package:plug-cam.yaml\nlost = plug_package:lost.yaml\n"
    )
    return tmp_path


def run(site: Path, code: str) -> subprocess.CompletedProcess[str]:
    program = f"import sys; sys.path.insert(0, {str(site)!r})\n{code}"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_a_plug_in_camera_is_known_and_loads(site: Path) -> None:
    code = (
        "from fiducial.cameras import known_cameras, load_camera\n"
        "assert 'plugcam' in known_cameras()\n"
        "print(load_camera('PLUGCAM').name)"
    )
    done = run(site, code)
    assert done.stdout.strip() == "PlugCam", done.stderr


def test_a_broken_plug_in_is_named_and_spares_the_others(site: Path) -> None:
    code = (
        "from fiducial.cameras import load_camera\n"
        "from fiducial.errors import CameraError\n"
        "print(load_camera('simcam').name)\n"
        "try: load_camera('lost')\n"
        "except CameraError as error: print(error.message)"
    )
    lines = run(site, code).stdout.splitlines()
    assert lines[0] == "SimCam"
    assert "plug-in camera lost (plug_package:lost.yaml) cannot be read" in lines[1]
