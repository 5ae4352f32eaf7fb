"""Productions: a kind that cannot be made does not keep the others from being made."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from commands import fiducial
from fiducial import service
from fiducial.cameras import load_camera
from fiducial.errors import ConfigurationError, NothingToDo, VerificationFailed
from fiducial.service.request import Request
from fiducial.simulation import NightPlan, simulate_night

pytestmark = pytest.mark.xdist_group("service")

NIGHT = 20260115


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with biases and darks of the plug-in's camera: one small detector."""
    folder = tmp_path_factory.mktemp("service")
    plan = NightPlan(biases=6, darks=5, dark_times=(30.0,), flats=0, science=0)
    simulate_night(load_camera("plugincam"), folder / "raw", plan=plan, seed=8)
    service.init(folder / "repo", "plugincam")
    service.ingest(folder / "repo", [folder / "raw"])
    return folder / "repo"


def test_a_kind_without_its_master_is_named_and_the_only_one_is_an_error(root: Path) -> None:
    with pytest.raises(NothingToDo, match="no bias"):
        service.make(root, ["dark"], Request(night=NIGHT, ticket="ALONE"))
    # Nothing is left of the attempt: the next run has the first letter.
    assert (
        service.plan(root, ["dark"], Request(night=NIGHT, ticket="ALONE")).planned[0].names.gen.endswith("a")
    )


def test_what_can_be_made_is_made(root: Path) -> None:
    made = service.make(
        root, ["bias", "dark", "flat"], Request(night=NIGHT, ticket="ALL", overrides=("dark:kappa=4",))
    )
    assert [product.planned.plan.kind for product in made.products] == ["bias", "dark"]
    assert [one.kind for one in made.impossible] == ["flat"]
    assert all(product.verdict in ("pass", "warn") for product in made.products)
    trace = root / made.products[1].run / "fiducial"
    assert "dark:kappa=4" in (trace / "command.txt").read_text()
    # Its setting is the dark's alone.
    assert "kappa" not in (root / made.products[0].run / "fiducial" / "command.txt").read_text()
    last = service.history(root)[-1]
    assert (last.verb, last.outcome) == ("make", made.products[1].verdict)


def test_a_wrong_setting_of_the_last_kind_stops_before_the_first_is_made(root: Path) -> None:
    before = len(service.history(root))
    with pytest.raises(ConfigurationError, match="kapa"):
        service.make(root, ["bias", "dark"], Request(night=NIGHT, overrides=("dark:kapa=4",)))
    assert len(service.history(root)) == before


def test_what_was_not_verified_is_not_certified_without_a_reason(root: Path) -> None:
    from fiducial.execution import Job
    from fiducial.execution.pipelines import generation_of
    from fiducial.execution.run import run_job
    from fiducial.repository import Repository

    chain = f"PluginCam/calib/RAW/t/biasGen.{NIGHT}a"
    with Repository.open(root, writeable=True) as repository:
        job = Job(
            generation_of("bias"), ("PluginCam/raw/all", "PluginCam/calib"), chain, "instrument='PluginCam'"
        )
        run_job(repository, job)
    with pytest.raises(VerificationFailed, match="has not been verified"):
        service.certify(root, [chain], begin="2026-01-15")
    done = service.certify(root, [chain], begin="2026-01-15", override="first light")
    assert done.products[0].override == "first light"
    assert done.after[0] == "PluginCam/calib/RAW"
    assert any(row.collection == done.products[0].collection for row in service.timeline(root))


def test_a_certified_calibration_whose_bytes_changed_is_not_used(root: Path, tmp_path: Path) -> None:
    """The command ends with the exit code of integrity, and corrects nothing."""
    copy = Path(shutil.copytree(root, tmp_path / "repo"))
    made = service.make(copy, ["bias"], Request(night=NIGHT, ticket="SPOILT"))
    service.certify(copy, [made.products[0].run], begin="2026-01-15")
    (file,) = (copy / made.products[0].run).glob("**/bias_*.fits")
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 1
    file.write_bytes(whole)
    exposure = made.products[0].planned.plan.generate[0]
    ran = fiducial("detrend", copy, "--exposures", exposure, "--json", code=6)
    (frame,) = ran.json()["frames"]
    assert (frame["file"], frame["error"]) == ("", "integrity")
    assert file.name in frame["reason"]
