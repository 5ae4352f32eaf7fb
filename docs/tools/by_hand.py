"""Scenes of plain ``butler`` and ``pipetask`` on a repository of ours, and of shipping to another site."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from simulated import NIGHT, simulated_night
from stage import Stage

PIPELINES = "resource://fiducial/pipelines"
BIASES = "2026011500002..2026011500007, 2026011500009..2026011500016"
BIAS_QUERY = f"instrument='SimCam' AND exposure IN ({BIASES})"


def pipetask(stage: Stage) -> None:
    """The same production by ``pipetask run``, quantum-backed, and by ``fiducial make``: equal content."""
    folder = simulated_night(stage, "pipetask")
    gen = "SimCam/calib/CAL-5/by-hand/biasGen.20260115a"
    with stage.transcript("pipetask-run", folder) as said:
        said.run("fiducial init repo --camera simcam", quiet=True)
        said.run("fiducial ingest repo night/", code=3, quiet=True)
        said.run(
            f"pipetask --long-log --log-level fiducial=INFO run -b repo -p {PIPELINES}/cpBias.yaml \\\n"
            f"  -i SimCam/raw/all,SimCam/calib -o {gen} \\\n"
            f'  -d "{BIAS_QUERY}" \\\n'
            "  --register-dataset-types -j 2",
            lines=14,
        )
        said.run(f"butler query-collections repo {gen}")
        said.run(f"butler query-datasets repo bias --collections {gen}")
    with stage.transcript("pipetask-config", folder) as said:
        said.run(f"pipetask build -p {PIPELINES}/cpBias.yaml --show config=bias::chain")
        said.run(f'pipetask build -p {PIPELINES}/cpBias.yaml --show "config=bias::corrections.overscan*"')
        said.run(
            f"pipetask run -b repo -p {PIPELINES}/cpBias.yaml -i SimCam/raw/all,SimCam/calib \\\n"
            "  -o SimCam/calib/CAL-5/try/biasGen.20260115b \\\n"
            "  -c bias:corrections.overscan.method=chebyshev -c bias:corrections.overscan.order=2 \\\n"
            "  -c bias:kappa=4 \\\n"
            f'  -d "{BIAS_QUERY} AND detector=0" --register-dataset-types 2>&1 | tail -1'
        )
        said.run(
            f"pipetask run -b repo -p {PIPELINES}/cpBias.yaml -i SimCam/raw/all -o SimCam/wrong \\\n"
            "  -c \"bias:chain=['overscan','bias','assembly']\" \\\n"
            f'  -d "{BIAS_QUERY}" 2>&1 | grep -o "bias stands.*" | head -1',
            code=(0, 1),
        )
    with stage.transcript("pipetask-qbb", folder) as said:
        said.run(
            f"pipetask qgraph -b repo -p {PIPELINES}/cpBias.yaml -i SimCam/raw/all,SimCam/calib \\\n"
            f'  -o SimCam/calib/CAL-5/qbb/biasGen.20260115a -d "{BIAS_QUERY}" \\\n'
            "  --qgraph-datastore-records -q bias.qg 2>&1 | tail -4"
        )
        said.run("pipetask pre-exec-init-qbb repo bias.qg")
        said.run("pipetask run-qbb repo bias.qg -j 2 2>&1 | tail -1")
        said.run("butler transfer-from-graph bias.qg repo --register-dataset-types --update-output-chain")
    with stage.transcript("pipetask-equal", folder) as said:
        said.run(f"fiducial make repo bias --night {NIGHT} --ticket CAL-5 --tag in-process", quiet=True)
        for tag in ("by-hand", "qbb", "in-process"):
            said.run(f"fiducial hash repo SimCam/calib/CAL-5/{tag}/biasGen.20260115a bias")


def latiss(stage: Stage) -> None:
    """A calibration team's script on a simulated LATISS night: raw frames to a second repository."""
    from fiducial.cameras import load_camera
    from fiducial.simulation import NightPlan, simulate_night

    folder = stage.place("latiss")
    plan = NightPlan(
        night=date(2024, 3, 26), biases=7, darks=0, flats=0, science=0, filters=("SDSSr_65mm~empty",)
    )
    simulate_night(load_camera("latiss"), folder / "raw", plan=plan, seed=3)
    later = plan.model_copy(update={"night": date(2024, 4, 15), "biases": 1, "first_sequence": 21})
    simulate_night(load_camera("latiss"), folder / "later", plan=later, seed=3)
    names = "\n".join(
        (
            "REPO=repo TICKET=DM-43525 TAG=lowerSetTemp RERUN=20240326a CERT_RERUN=20240405a",
            "START_DATE=2024-04-10 EXPOSURES=2024032600002..2024032600006",
            'EXPOSURES_V="2024032600001, 2024032600007"',
            f"CP_PIPE_DIR={PIPELINES.rsplit('/', 1)[0]} CP_VERIFY_DIR=$CP_PIPE_DIR",
        )
    )
    stage.environment["BASH_ENV"] = str(folder / "names.sh")
    (folder / "names.sh").write_text(names.replace(" ", "\n", 0) + "\n")
    try:
        _script(stage, folder, names)
    finally:
        del stage.environment["BASH_ENV"]


def _script(stage: Stage, folder: Path, names: str) -> None:
    with stage.transcript("latiss-records", folder) as said:
        said.run("fiducial init repo --camera latiss")
        said.run("fiducial ingest repo raw/")
        said.run(
            "butler query-dimension-records repo exposure \\\n"
            "  --where \"instrument='LATISS' AND exposure.day_obs=20240326\" | cut -c 1-150"
        )
    with stage.transcript("latiss-generate", folder) as said:
        said.parts.append(names)
        said.run(
            "pipetask --long-log run -b $REPO \\\n"
            "  -p $CP_PIPE_DIR/pipelines/cpBias.yaml \\\n"
            "  -i LATISS/raw/all,LATISS/calib \\\n"
            "  -o LATISS/calib/$TICKET/$TAG/biasGen.$RERUN \\\n"
            "  -d \"instrument='LATISS' AND detector=0 AND exposure IN ($EXPOSURES)\" \\\n"
            "  -j 4 |& tee biasGen.$RERUN.log | tail -2"
        )
        said.run("butler query-collections $REPO LATISS/calib/$TICKET/$TAG/biasGen.$RERUN")
        said.run(
            "BIAS_RUN=$(butler query-collections $REPO LATISS/calib/$TICKET/$TAG/biasGen.$RERUN |"
            " grep -o 'LATISS/calib/.*Z' | head -1)\n"
            "pipetask --long-log run -b $REPO \\\n"
            "  -p $CP_VERIFY_DIR/pipelines/VerifyBias.yaml \\\n"
            "  -i $BIAS_RUN,LATISS/calib,LATISS/raw/all \\\n"
            "  -o LATISS/calib/$TICKET/$TAG/verifyBias.$RERUN \\\n"
            "  -d \"instrument='LATISS' AND detector=0 AND exposure IN ($EXPOSURES, $EXPOSURES_V)\" \\\n"
            "  --register-dataset-types \\\n"
            "  -j 4 |& tee verifyBias.$RERUN.log | tail -1"
        )
    with stage.transcript("latiss-certify", folder) as said:
        said.run("butler query-collections $REPO LATISS/calib")
        said.run(
            "butler certify-calibrations --begin-date $START_DATE $REPO \\\n"
            "  LATISS/calib/$TICKET/$TAG/biasGen.$RERUN LATISS/calib/$TICKET/$TAG/bias.$CERT_RERUN bias"
        )
        said.run(
            "butler collection-chain $REPO LATISS/calib/$TICKET LATISS/calib/$TICKET/$TAG/bias.$CERT_RERUN"
        )
        said.run("butler collection-chain $REPO --mode prepend LATISS/calib LATISS/calib/$TICKET")
        said.run("butler query-collections $REPO LATISS/calib")
    with stage.transcript("latiss-ship", folder) as said:
        said.run(
            "butler export-calibs $REPO --transfer copy ./calibs.$CERT_RERUN LATISS/calib/$TICKET 2>&1"
            " | tail -1"
        )
        said.run("find calibs.$CERT_RERUN -type f")
        said.run("fiducial init repo2 --camera latiss")
        said.run(
            "butler import repo2 ./calibs.$CERT_RERUN --transfer copy \\\n"
            "  --export-file ./calibs.$CERT_RERUN/export.yaml \\\n"
            "  -s instrument -s detector -s physical_filter"
        )
        said.run(
            "butler collection-chain repo2 LATISS/calib/$TICKET LATISS/calib/$TICKET/$TAG/bias.$CERT_RERUN"
        )
        said.run("butler collection-chain repo2 --mode prepend LATISS/calib LATISS/calib/$TICKET")
        said.run("fiducial ingest repo2 later/")
        said.run(
            "fiducial detrend repo2 --exposures 2024041500021 "
            "-c \"detrend:chain=['saturation','overscan','gain','assembly','bias','nan']\""
        )
    for name in ("repo", "repo2", "raw", "later", "calibs.20240405a"):
        import shutil

        shutil.rmtree(folder / name, ignore_errors=True)  # a gigabyte


def ship(stage: Stage) -> None:
    """Certify, withhold, export with checksums and import; needs the repository of the tour."""
    folder = stage.place("tour", fresh=False)
    for left in ("bundle", "site", "spoilt"):
        stage.place(f"tour/{left}").rmdir()
    with stage.transcript("ship-export", folder) as said:
        said.run("fiducial export repo SimCam/calib/CAL-1 bundle")
        said.run("find bundle -type f | sort | head -4", code=(0, 141))
        said.run("head -c 700 bundle/manifest.json")
    with stage.transcript("ship-import", folder) as said:
        said.run("fiducial init site --camera simcam")
        said.run("fiducial import site bundle")
        said.run("fiducial timeline site", lines=8)
    with stage.transcript("ship-spoilt", folder) as said:
        said.run("cp -r bundle spoilt", quiet=True)
        said.run(
            "f=$(find spoilt -name 'dark*.fits' | sort | head -1); "
            "printf '\\x01' | dd of=$f bs=1 seek=100000 conv=notrunc status=none",
            shown="# one byte of one file in a copy of the bundle is changed",
        )
        said.run("fiducial import site spoilt", code=6)
    with stage.transcript("ship-corrupt", folder) as said:
        said.run(
            "f=$(find site -name 'bias*S0*.fits'); cp $f kept.fits; "
            "printf '\\x01' | dd of=$f bs=1 seek=100000 conv=notrunc status=none",
            shown="# one byte of a certified bias in the second repository is changed",
        )
        said.run("fiducial ingest site night/simcam-20260115-00057-science-S0.fits", quiet=True)
        said.run("fiducial detrend site --exposures 2026011500057", code=(2, 3, 4, 5, 6))
    with stage.transcript("certify-refused", folder) as said:
        said.run(
            "fiducial certify repo SimCam/calib/CAL-1/first-night/biasGen.20260115a --begin 2026-02-01",
            code=2,
        )
        said.run(
            f"fiducial make repo bias --night {NIGHT} --ticket CAL-6 --tag half --detector 0",
            code=(0, 3),
            quiet=True,
        )
        said.run("fiducial certify repo SimCam/calib/CAL-6/half/biasGen.20260115a --begin 2026-01-15", code=2)
