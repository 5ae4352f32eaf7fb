"""The scene of a detector with many amplifiers: photon transfer of simulated flats, and its page."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pictures import screenshot
from stage import Stage

from fiducial.cameras import load_camera
from fiducial.execution import PIPELINES, Job
from fiducial.execution.run import run_job
from fiducial.repository import Repository
from fiducial.service import ingest, init, report
from fiducial.simulation import Effects, NightPlan, Physics, Ramp, simulate_night
from fiducial.simulation.effects import BrighterFatter

NAMES = tuple(f"C{row}{column}" for row in range(2) for column in range(8))
COLUMNS, ROWS, OVERSCAN = 128, 512, 16  # pixels of an amplifier
BASE = "SimSixteen/calib/CAL-1/ramp"


def sixteen_amplifiers(folder: Path) -> Path:
    """Write the camera file: that of the simulated camera, with sixteen amplifiers on one detector."""
    known: dict[str, Any] = yaml.safe_load(
        files("fiducial.cameras").joinpath("data/simcam.yaml").read_text("utf-8")
    )
    width = COLUMNS + OVERSCAN
    rng = np.random.default_rng(16)
    amplifiers = []
    for index, name in enumerate(NAMES):
        row, column = divmod(index, 8)
        x, y = column * width, row * ROWS
        amplifiers.append(
            {
                "name": name,
                "read_corner": "LL",
                "saturation": 60000,
                "data": f"[{x + 1}:{x + COLUMNS},{y + 1}:{y + ROWS}]",
                "serial_overscan": f"[{x + COLUMNS + 1}:{x + width},{y + 1}:{y + ROWS}]",
                "detector": f"[{column * COLUMNS + 1}:{(column + 1) * COLUMNS},{y + 1}:{y + ROWS}]",
                "gain": round(float(rng.normal(1.5, 0.03)), 3),
                "read_noise": round(float(rng.normal(5.5, 0.3)), 2),
            }
        )
    layout = {"raw_shape": [2 * ROWS, 8 * width], "pixel_size": 10.0, "amplifiers": amplifiers}
    known |= {"name": "SimSixteen", "description": "Simulated camera, sixteen amplifiers"}
    known |= {"layouts": {"sixteen": layout}, "detectors": [{"id": 0, "name": "S0", "layout": "sixteen"}]}
    known["headers"]["recognise"] = {"INSTRUME": "SimSixteen"}
    known.pop("anchors", None)
    file = folder / "sixteen.yaml"
    file.write_text(yaml.safe_dump(known, sort_keys=False), "utf-8")
    return file


def curves(stage: Stage) -> None:
    """Photon transfer of sixteen amplifiers, verified: the head of its page."""
    folder = stage.place("curves")
    file = sixteen_amplifiers(folder)
    times = tuple(float(time) for time in np.round(np.geomspace(0.3, 14.0, 24), 3))
    plan = NightPlan(
        biases=0,
        darks=0,
        flats=0,
        science=0,
        filters=("g",),
        physics=Physics(effects=Effects(brighter_fatter=BrighterFatter(a00=-3e-6))),
        ramp=Ramp(times=times, rate=5000.0),
    )
    simulate_night(load_camera(str(file)), folder / "night", plan=plan, seed=5)
    root = folder / "repo"
    init(root, str(file))
    ingest(root, [folder / "night"])
    settings = ("ptc:chain=['saturation','overscan','assembly','nan']", "ptc:fit=covariance", "ptc:maxLag=4")
    where = "instrument='SimSixteen'"
    inputs = ("SimSixteen/raw/all", "SimSixteen/calib")
    jobs = (
        Job(PIPELINES / "cpPtc.yaml", inputs, f"{BASE}/ptcGen.20260115a", where, settings),
        Job(
            PIPELINES / "VerifyPtc.yaml",
            (f"{BASE}/ptcGen.20260115a", *inputs),
            f"{BASE}/verifyPtc.20260115a",
            where,
        ),
    )
    with Repository.open(root, writeable=True) as repository:
        for job in jobs:
            run_job(repository, job)
    report(root, [jobs[0].output], folder / "report.html")
    screenshot(stage, folder / "report.html", "report-curves", height=1700)
