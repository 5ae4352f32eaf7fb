"""A night with a ramp of flats: photon transfer, linearity, and everything in one command."""

from __future__ import annotations

from pathlib import Path

from stage import Stage

NIGHT = "20260115"
TIMES = (0.2, 0.4, 0.8, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, 11.5, 13.0, 15.0)


def ramp(stage: Stage) -> None:
    """A ramp: what is planned, made, certified and used, and what is said where frames are missing."""
    folder = stage.place("ramp")
    _simulate(folder)
    with stage.transcript("ramp-first", folder) as said:
        said.run("fiducial init repo --camera simcam", quiet=True)
        said.run("fiducial ingest repo night/", quiet=True)
        said.run(f"fiducial plan repo ptc --night {NIGHT}", code=5)
    with stage.transcript("ramp-plan", folder) as said:
        said.run(f"fiducial plan repo all --night {NIGHT} > plan.txt", code=(0, 3), quiet=True)
        said.run(
            "sed -n '/^ptc g/,/VerifyPtc/p' plan.txt | grep -v '^$' | cut -c1-124",
            shown=f"fiducial plan repo all --night {NIGHT}",
            lines=12,
        )
    with stage.transcript("ramp-few", folder) as said:
        said.run(
            f'fiducial plan repo all --night {NIGHT} --where "exposure.exposure_time IN (0.0, 4.0)" '
            "> few.txt",
            code=(0, 3),
            quiet=True,
        )
        said.run(
            "grep -A3 'cannot be made' few.txt",
            shown=f'fiducial plan repo all --night {NIGHT} --where "exposure.exposure_time IN (0.0, 4.0)"',
        )
    with stage.transcript("ramp-make", folder) as said:
        said.run(f"fiducial make repo all --night {NIGHT}", code=(0, 3))
    with stage.transcript("ramp-certify", folder) as said:
        said.run(
            "fiducial certify repo SimCam/calib/night-20260115/nightly/{"
            "biasBootstrapGen,darkBootstrapGen,flatBootstrapGen-g,defectsGen,linearizerGen,ptcGen,biasGen,darkGen,"
            "flatGen-g}.20260115a --begin 2026-01-15"
        )
    with stage.transcript("ramp-detrend", folder) as said:
        said.run("fiducial detrend repo --exposures 2026011500053 --output corrected")


def _simulate(folder: Path) -> None:
    """Biases, darks, flats and a ramp of both detectors, with curved amplifiers and a brighter-fatter effect."""
    from fiducial.cameras import load_camera
    from fiducial.simulation import Effects, NightPlan, Physics, Ramp, simulate_night
    from fiducial.simulation.effects import BrighterFatter, NonLinearity

    effects = Effects(brighter_fatter=BrighterFatter(), nonlinearity=NonLinearity(high=0.03))
    plan = NightPlan(
        biases=8,
        darks=6,
        dark_times=(30.0,),
        flats=6,
        flat_time=4.0,
        filters=("g",),
        science=1,
        physics=Physics(cosmic_rays=0.0, lamp_drift=0.0, lamp_noise=3e-4, effects=effects),
        ramp=Ramp(times=TIMES, order="shuffled"),
    )
    simulate_night(load_camera("simcam"), folder / "night", plan=plan, seed=31)
