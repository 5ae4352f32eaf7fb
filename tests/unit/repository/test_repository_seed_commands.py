"""The plain `butler` commands of a calibration script, on repositories of ours."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fiducial.cameras import load_camera
from fiducial.products.images import content_hash
from fiducial.repository import Repository
from fiducial.repository.create import SEED
from repository_frames import exposure_id, put_bias, tiny_camera, write_frame, write_night

BUTLER = Path(sys.executable).with_name("butler")
TICKET = "LATISS/calib/DM-43525"
GENERATED = f"{TICKET}/lowerSetTemp/biasGen.20240326a"
CERTIFIED = f"{TICKET}/lowerSetTemp/bias.20240405a"


def butler(*arguments: object, code: int = 0) -> str:
    done = subprocess.run([str(BUTLER), *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_the_scripts_of_a_calibration_team(tmp_path: Path) -> None:
    """From raw frames to a second repository that finds the bias for a later exposure."""
    repo, main = tmp_path / "embargo", tmp_path / "main"
    camera = tiny_camera("LATISS")
    raws = write_night(tmp_path / "raws", numbers=range(1, 5), instrument="LATISS")
    with Repository.create(repo, camera) as repository:
        repository.ingest(raws)
        put_bias(repository, f"{GENERATED}/20240327T163518Z")
    night = "instrument='LATISS' AND exposure.observation_type='bias' AND exposure.day_obs=20240326"
    where = f"{night} AND exposure.seq_num > 2"
    table = butler("query-dimension-records", repo, "exposure", "--where", where)
    assert str(exposure_id(3)) in table
    assert str(exposure_id(2)) not in table
    butler("collection-chain", repo, GENERATED, f"{GENERATED}/20240327T163518Z")
    assert f"{GENERATED}/20240327T163518Z" in butler("query-collections", repo, GENERATED)

    butler("certify-calibrations", "--begin-date", "2024-04-10", repo, GENERATED, CERTIFIED, "bias")
    butler("collection-chain", repo, TICKET, CERTIFIED)
    butler("collection-chain", repo, "--mode", "prepend", "LATISS/calib", TICKET)
    chains = butler("query-collections", repo, "LATISS/calib", "--chains", "tree")
    assert chains.index(TICKET) < chains.index("LATISS/calib/camera")
    bundle = tmp_path / "calibs.20240405a"
    assert "bias" in butler("export-calibs", "--transfer", "copy", repo, bundle, CERTIFIED)

    Repository.create(main, camera).close()
    butler(
        *("import", main, bundle, "--transfer", "copy", "--export-file", bundle / "export.yaml"),
        *("-s", "instrument", "-s", "detector", "-s", "physical_filter"),
    )
    butler("collection-chain", main, TICKET, CERTIFIED)
    butler("collection-chain", main, "--mode", "prepend", "LATISS/calib", TICKET)
    later = write_frame(tmp_path / "later.fits", day=20240501, instrument="LATISS")
    assert "1 used + 0 already there + 0 refused = 1 offered" in butler("ingest-raws", main, later)
    with Repository.open(main) as there, Repository.open(repo) as here:
        found = there.find_calibration("bias", exposure_id(1, 20240501), 1)
        made = here.butler.query_datasets(
            "bias", f"{GENERATED}/20240327T163518Z", instrument="LATISS", detector=1
        )[0]
        assert found is not None
        assert found.id == made.id
        assert content_hash(there.butler.get(found)) == content_hash(here.butler.get(made))
        assert there.find_calibration("bias", "2024-04-09T23:59:59", 1) is None


@pytest.mark.parametrize("transfer", ["direct", "symlink", "copy", "hardlink"])
def test_ingest_raws_lists_what_it_refuses(tmp_path: Path, template: Path, transfer: str) -> None:
    shutil.copytree(template, tmp_path / "repo")
    write_night(tmp_path / "raws", numbers=range(1, 2))
    (tmp_path / "raws" / "text.fits").write_text("no FITS")
    (tmp_path / "raws" / "notes.txt").write_text("not offered")
    said = butler("ingest-raws", tmp_path / "repo", tmp_path / "raws", "--transfer", transfer, code=3)
    assert "2 used + 0 already there + 1 refused = 3 offered" in said
    assert "refused" in said
    assert "text.fits" in said
    assert "Traceback" not in said


def test_a_repository_made_by_butler_alone(tmp_path: Path) -> None:
    """`butler create` with our seed and `register-instrument` are enough; ingest adds the camera."""
    repo = tmp_path / "repo"
    butler("create", repo, "--seed-config", SEED, "--override")
    butler("register-instrument", repo, "fiducial.repository.instruments.SimCam")
    assert "SimCam/calib" in butler("query-collections", repo)
    with Repository.open(repo, writeable=True) as repository:
        assert repository.camera() == load_camera("simcam")
        repository.ingest([])
        assert repository.find_calibration("camera", "2024-01-01") is not None
    # Again, with the camera's description in place.
    butler("register-instrument", repo, "fiducial.repository.instruments.SimCam")


def test_every_packaged_camera_can_be_registered(tmp_path: Path) -> None:
    from fiducial.cameras import known_cameras

    names = [load_camera(name).name for name in known_cameras()]
    repo = tmp_path / "repo"
    butler("create", repo, "--seed-config", SEED, "--override")
    butler("register-instrument", repo, *[f"fiducial.repository.instruments.{name}" for name in names])
    table = butler("query-dimension-records", repo, "instrument")
    for name in names:
        assert name in table
