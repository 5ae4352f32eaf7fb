"""A stack of 200 frames: what it reads and how much memory it takes, of a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

CAMERA = """
name: Wide
layouts:
  ccd:
    raw_shape: [512, 1056]
    amplifiers:
      - {name: A, data: "[1:512,1:512]", serial_overscan: "[513:528,1:512]", detector: "[1:512,1:512]",
         gain: 1.5, read_noise: 7.5, saturation: 60000}
      - {name: B, data: "[529:1040,1:512]", serial_overscan: "[1041:1056,1:512]",
         detector: "[1024:513,1:512]", gain: 1.5, read_noise: 7.5, saturation: 60000}
detectors: [{id: 0, name: D, layout: ccd}]
headers:
  recognise: {INSTRUME: Wide}
  frame_types: [{type: KIND, when: {INSTRUME: Wide}}]
  exposure_id: EXPID
  seq_num: EXPID
  day_obs: {value: 20260101}
  begin: DATE-BEG
  exposure_time: EXPTIME
"""

STACK = """
import json, pathlib, sys

import numpy as np

from fiducial.cameras import camera_from_yaml
from fiducial.corrections.masters import Master
from fiducial.frames.raw import RawFrame
from fiducial.kinds.inputs import Offered


class Handle:
    def __init__(self, path):
        self.path = path

    def get(self):
        return RawFrame.open(self.path)


def counted(name, key):
    lines = pathlib.Path(f"/proc/self/{name}").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key))


folder, kind = pathlib.Path(sys.argv[1]), sys.argv[2]
camera = camera_from_yaml((folder / "wide.yaml").read_text(), "wide.yaml")
raws = [Offered(i + 1, Handle(path)) for i, path in enumerate(sorted(folder.glob("*.fits")))]
given = {"raws": raws, "camera": camera, "detector": 0, "threads": 2}
if kind == "bias":
    from fiducial.kinds.bias import BiasConfig, BiasTask

    task = BiasTask(config=BiasConfig())
    before = counted("io", "rchar")
    task.run(**given)
else:
    from fiducial.kinds.flat import FlatConfig, FlatTask
    from fiducial.kinds.flat_levels import FlatLevelsConfig, FlatLevelsTask
    from fiducial.kinds.flat_solve import FlatSolveConfig, FlatSolveTask

    levels, flat = FlatLevelsConfig(), FlatConfig()
    levels.chain = flat.chain = ["saturation", "overscan", "gain", "assembly", "nan"]
    tasks = FlatLevelsTask(config=levels), FlatSolveTask(config=FlatSolveConfig()), FlatTask(config=flat)
    before = counted("io", "rchar")
    scales = tasks[1].run([tasks[0].run(**given).levels]).scales
    tasks[2].run(**given, scales=scales, physical_filter="none")
print(json.dumps({"read": counted("io", "rchar") - before, "peak": 1024 * counted("status", "VmHWM")}))
"""


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wide")
    (folder / "wide.yaml").write_text(CAMERA.replace("KIND", "bias"))
    base = np.random.default_rng(1).normal(1000, 5, (512, 1056))
    base[:, :512] += 9000.0
    base[:, 528:1040] += 9000.0
    for i in range(200):
        header = fits.Header(
            {"INSTRUME": "Wide", "EXPID": i + 1, "DATE-BEG": f"2026-01-01T{i // 60:02d}:{i % 60:02d}:00"}
        )
        header["EXPTIME"] = 1.0
        pixels = np.roll(base, 7 * i, axis=0).astype(np.uint16)
        fits.PrimaryHDU(pixels, header).writeto(folder / f"{i:03d}.fits")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "reads"), [("bias", 1.05), ("flat", 2.1)])
def test_two_hundred_frames(frames: Path, kind: str, reads: float) -> None:
    from fiducial.cameras import camera_from_yaml
    from fiducial.kinds.budget import forecast

    done = subprocess.run(
        [sys.executable, "-c", STACK, str(frames), kind], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)
    raws = sum(path.stat().st_size for path in frames.glob("*.fits"))
    assert measured["read"] <= reads * raws
    camera = camera_from_yaml((frames / "wide.yaml").read_text(), "wide.yaml")
    plan = forecast(kind, n_frames=200, camera=camera, detector=0, threads=2, masters=0)
    assert measured["peak"] <= plan.memory
    assert measured["peak"] > 0.5 * plan.memory  # a forecast that is never reached plans nothing
    assert measured["read"] <= plan.read_bytes
