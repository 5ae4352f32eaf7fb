"""Several nights of one simulated camera, the last of which is not what was certified."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from stage import STATIC, Stage

NIGHTS = (20260115, 20260116, 20260117, 20260118)


def status(stage: Stage) -> None:
    """Four nights against what was certified in the first."""
    folder = stage.place("status")
    _simulate(folder)
    with stage.transcript("status-certify", folder) as said:
        said.run("fiducial init repo --camera simcam", quiet=True)
        said.run("fiducial ingest repo night-*/", quiet=True)
        said.run(f"fiducial make repo bias dark flat defects --night {NIGHTS[0]}", code=(0, 3), quiet=True)
        said.run(
            "fiducial certify repo SimCam/calib/night-20260115/nightly/"
            "{biasGen,darkGen,flatGen-g,defectsGen}.20260115a --begin 2026-01-15"
        )
    with stage.transcript("status-same", folder) as said:
        for kind, first, last in (("bias", 1, 8), ("dark", 9, 13), ("flat", 14, 21)):
            said.run(
                f"fiducial verify repo {kind} --exposures {NIGHTS[1]}{first:05d}..{NIGHTS[1]}{last:05d} | tail -2"
            )
        said.run(f"fiducial status repo --night {NIGHTS[1]}")
    with stage.transcript("status-changed", folder) as said:
        for night in NIGHTS[2:]:
            said.run(f"fiducial make repo bias dark flat defects --night {night}", code=(0, 3, 4), quiet=True)
        said.run("fiducial status repo --write nights.ecsv --plot history.png", code=4)
        said.run(
            'python -c "from astropy.table import QTable; '
            "print(QTable.read('nights.ecsv')['night', 'detector', 'amplifier', 'gain', 'gain_error'][-8:])\""
        )
    (STATIC / "status-history.png").write_bytes((folder / "history.png").read_bytes())


def _simulate(folder: Path) -> None:
    """Three equal nights, and one with 5 % more gain, 17 % more noise, and a hot column."""
    from fiducial.cameras import load_camera
    from fiducial.cameras.model import AmplifierValues
    from fiducial.simulation import Effects, NightPlan, Physics, simulate_night
    from fiducial.simulation.effects.hot_columns import HotColumns

    camera, calm = load_camera("simcam"), Physics(hot_rate=20.0)
    first, *others = camera.detectors
    values = {"A": AmplifierValues(gain=1.05 * 1.5), "B": AmplifierValues(read_noise=1.17 * 6.0)}
    altered = camera.model_copy(
        update={"detectors": (first.model_copy(update={"amplifiers": values}), *others)}
    )
    spoilt = calm.model_copy(update={"effects": Effects(hot_columns=HotColumns(count=1, rate=60.0))})
    for number, night in enumerate(NIGHTS):
        last = night == NIGHTS[-1]
        plan = NightPlan(
            night=date(2026, 1, night % 100),
            biases=8,
            darks=5,
            flats=8,
            science=0,
            filters=("g",),
            physics=spoilt if last else calm,
            earlier=1000 * number,
        )
        simulate_night(altered if last else camera, folder / f"night-{night % 100}", plan=plan, seed=3)
