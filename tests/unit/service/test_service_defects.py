"""Defects from a night's frames to the chain: planned, made, verified, certified, compared, applied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from astropy.table import Table

from commands import fiducial, pipetask
from fiducial import service
from fiducial.cameras import load_camera
from fiducial.errors import NothingToDo
from fiducial.execution import PIPELINES
from fiducial.products.defects import DefectSet
from fiducial.repository import Repository
from fiducial.repository.lookup import datasets, runs_of
from fiducial.service.production import Production
from fiducial.service.request import Request
from fiducial.simulation import NightPlan, NightTruth, Physics, simulate_night

pytestmark = pytest.mark.xdist_group("defects")

NIGHT = 20260115
RERUN = Request(night=NIGHT, ticket="T")
BASE = "SimCam/calib/T/nightly"


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> NightTruth:
    """A night with two filters, whose darks have pixels far hotter than any limit."""
    plan = NightPlan(
        biases=6,
        darks=5,
        dark_times=(60.0,),
        flats=5,
        science=1,
        filters=("g", "r"),
        physics=Physics(hot_fraction=1e-3, hot_rate=20.0),
    )
    return simulate_night(
        load_camera("simcam"), tmp_path_factory.mktemp("defects") / "raw", plan=plan, seed=3
    )


@pytest.fixture(scope="module")
def made(truth: NightTruth, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Production]:
    root = tmp_path_factory.mktemp("defects") / "repo"
    service.init(root, "simcam")
    service.ingest(root, [truth.folder])
    with pytest.raises(NothingToDo, match="no dark and no flat is there"):
        service.make(root, ["defects"], RERUN)
    return root, service.make(root, ["bias", "dark", "flat", "defects"], RERUN)


def products(root: Path, run: str) -> dict[int, DefectSet]:
    with Repository.open(root) as repository:
        refs = datasets(repository.butler, "defects", run)
        return {int(ref.dataId["detector"]): repository.butler.get(ref) for ref in refs}


def test_a_night_gives_defects_with_a_verdict(made: tuple[Path, Production], truth: NightTruth) -> None:
    root, production = made
    kinds = [one.planned.plan.kind for one in production.products]
    assert kinds == ["bias", "dark", "flat", "flat", "defects"]
    last = production.products[-1]
    assert last.verdict == "pass"
    found = products(root, last.run)
    assert sorted(found) == [0, 1]
    for detector, own in found.items():
        assert own.metadata["FID MASTER 0 NAME"] == "bias"
        assert [own.metadata[f"FID MASTER {i} NAME"] for i in (2, 3)] == ["flat g", "flat r"]
        true = truth.detectors[detector].dark
        # Dark current is known to 0.02 e-/s after four frames of 60 s with a noise of 6 e-; the nominal
        # gain is off by some per cent.
        assert own.mask_of("hot")[true > 3.5].all()
        assert not own.mask_of("hot")[true < 2.5].any()


def test_certified_defects_are_what_the_next_ones_are_held_against(
    made: tuple[Path, Production], tmp_path: Path
) -> None:
    root, production = made
    runs = [one.run for one in production.products]
    certified = service.certify(root, runs, begin="2026-01-15", end="2026-02-15")
    assert certified.products[-1].collection.startswith(f"{BASE}/defects.")
    again = service.make(
        root, ["defects"], Request(night=NIGHT, ticket="T", overrides=("defects:search.dark.value=0.3",))
    )
    (second,) = again.products
    with Repository.open(root) as repository:
        (ref,) = datasets(repository.butler, "verifyDefectsResults", second.verify_run)
        rows = repository.butler.get(ref).to_pylist()
    hot = [row for row in rows if row["reason"] == "hot"]
    assert len(hot) == 4
    assert all(row["now"] == row["before"] + row["appeared"] - row["went"] for row in hot)
    assert sum(row["appeared"] for row in hot) > 0
    assert sum(row["went"] for row in hot) == 0

    alone = service.make(root, ["defects"], Request(night=NIGHT, ticket="ONE", detectors=(1,)))
    assert sorted(products(root, alone.products[0].run)) == [1]
    with Repository.open(root) as repository:
        (ref,) = datasets(repository.butler, "verifyDefectsResults", alone.products[0].verify_run)
        assert {row["detector"] for row in repository.butler.get(ref).to_pylist()} == {1}

    listing = fiducial(
        "defects",
        root,
        "--collection",
        second.run,
        "--against",
        "SimCam/calib",
        "--write",
        tmp_path / "d.ecsv",
    )
    assert "detector 1 against SimCam/calib" in listing.out
    assert Table.read(tmp_path / "d-1.ecsv").colnames == ["x0", "y0", "width", "height", "reason"]
    said: Any = fiducial(
        "defects", tmp_path / "d-0.ecsv", "--against", tmp_path / "d-0.ecsv", "--json"
    ).json()
    assert said["changes"][0]["boxes"] == []
    assert {one["amplifier"] for one in said["amplifiers"]} == {"A", "B"}


def test_the_chain_marks_them(made: tuple[Path, Production], truth: NightTruth) -> None:
    root, production = made
    science = next(e.exposure for e in truth.exposures if e.frame_type == "science")
    chain = "['saturation','overscan','gain','assembly','bias','variance','dark','defects','flat','nan']"
    result = service.detrend(root, str(science), overrides=(f"detrend:chain={chain}",))
    assert result.complete
    from fiducial.products.images import planes_of
    from fiducial.products.masks import Plane

    found = products(root, production.products[-1].run)
    with Repository.open(root) as repository:
        for ref in datasets(repository.butler, "detrended", result.run):
            image = repository.butler.get(ref)
            bad = (planes_of(image).mask & int(Plane.BAD)) != 0
            own = found[int(ref.dataId["detector"])]
            assert bad[own.mask()].all()
            assert image.metadata["FID CHAIN DEFECTS PIXELS"] == own.counts()["any"]


def test_plain_pipetask_makes_them_too(made: tuple[Path, Production], truth: NightTruth) -> None:
    root, production = made
    flat = next(e.exposure for e in truth.exposures if e.frame_type == "flat")
    where = f"instrument='SimCam' AND detector=0 AND exposure={flat}"
    pipeline = PIPELINES / "cpDefects.yaml"
    pipetask(
        "run",
        "-b",
        root,
        "-p",
        pipeline,
        "-i",
        "SimCam/raw/all,SimCam/calib",
        "-o",
        "SimCam/plain",
        "-d",
        where,
    )
    with Repository.open(root) as repository:
        (run,) = runs_of(repository.butler, "SimCam/plain")
    (own,) = products(root, run).values()
    assert own.counts() == products(root, production.products[-1].run)[0].counts()


def test_the_report_shows_defects_beside_masters(made: tuple[Path, Production], tmp_path: Path) -> None:
    root, production = made
    runs = [production.products[0].run, production.products[-1].run]
    page = service.report(root, runs, tmp_path / "both.html")
    assert page.verdict.startswith("bias: ")
    assert page.verdict.endswith(", defects: pass")
    html = (tmp_path / "both.html").read_text("utf-8")
    for detector, own in products(root, runs[-1]).items():
        part = html.split(f'id="s2-defects-d{detector}"')[1]
        assert own.metadata["FID MASTER 0 HASH"] in part
        assert f"hot: {own.counts()['hot']}<" in part
    assert "masked pixels on" in html


def test_what_cannot_be_done_is_said(made: tuple[Path, Production], tmp_path: Path) -> None:
    root, _ = made
    (tmp_path / "bad.csv").write_text("x0,y0,width,height\n1,2,3\n")
    for arguments, code, words in (
        ((root, "--collection", "nothing"), 2, "no collection nothing"),
        ((root, "--detector", "7"), 5, "holds no defects of detector 7"),
        ((root, "--against", tmp_path / "bad.csv"), 2, "bad.csv"),
        ((tmp_path / "bad.csv",), 2, "bad.csv"),
        ((root, "--write", tmp_path / "x.txt"), 2, ".ecsv or .fits"),
    ):
        ran = fiducial("defects", *arguments, code=code)
        assert words in ran.err, arguments
    plan = json.loads(fiducial("plan", root, "defects", "--night", NIGHT, "--json").out)
    assert plan["planned"][0]["plan"]["kind"] == "defects"


def test_the_report_compares_with_what_was_certified_before(
    made: tuple[Path, Production], tmp_path: Path
) -> None:
    """The last test here: what it certifies comes before what the others look at."""
    root, production = made
    first = production.products[-1].run
    request = Request(night=NIGHT, ticket="LATER", overrides=("defects:search.dark.value=0.3",))
    second = service.make(root, ["defects"], request).products[0].run

    def compared(run: str) -> bool:
        service.report(root, [run], tmp_path / "now.html")
        return "what changed since the certified set" in (tmp_path / "now.html").read_text("utf-8")

    assert compared(second)
    assert not compared(first)  # nothing was certified before it
    service.certify(root, [second], begin="2026-01-15", end="2026-02-15")
    assert compared(second)  # with the one before, not with itself
    assert not compared(first)  # nor with what came after it
