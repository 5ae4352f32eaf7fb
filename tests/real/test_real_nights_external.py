"""Masters of the STL-1001E adopted from plain FITS in another repository, and frames held against them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from commands import fiducial
from fiducial import service
from fiducial.repository import Repository
from real_nights import Night, Numbers, pixels, read_rows

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("stl1001 night")]

WARM, COLD = "biases-Neg5-", "bias-Neg10-"
IN_MASTER = 5
"""Biases of -5 C in the adopted master; it does not say so."""


def exposures(root: Path, prefix: str) -> list[int]:
    with Repository.open(root) as repository:
        records = repository.records(frame_type="bias")
    return [r.exposure for r in records if Path(r.file).name.startswith(prefix)]


def write_bias(night: Night, file: Path, **cards: object) -> Path:
    """The mean of the first five biases of -5 C as another program would have it: adu, nothing else said."""
    frames = [pixels(path) for path in sorted(night.folder.glob(f"{WARM}*"))[:IN_MASTER]]
    hdu = fits.PrimaryHDU(np.mean(frames, axis=0).astype(np.float32))
    hdu.header["BUNIT"] = "adu"
    hdu.header.update(cards)
    hdu.writeto(file)
    return file


@pytest.fixture(scope="module")
def elsewhere(stl_night: Night, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that has seen biases only."""
    root = tmp_path_factory.mktemp("elsewhere") / "repo"
    service.init(root, "stl1001")
    service.ingest(root, sorted(stl_night.folder.glob("bias*")))
    return root


@pytest.fixture(scope="module")
def adopted(stl_night: Night, elsewhere: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = write_bias(stl_night, tmp_path_factory.mktemp("plain") / "bias5.fits", **{"SET-TEMP": -5.0})
    said = fiducial("adopt", elsewhere, "bias", file, "--begin", "2017-09-01", "--end", "2017-10-01")
    assert "any will be taken" not in said.out
    return elsewhere


def test_other_biases_of_its_state_pass_against_the_adopted_master(adopted: Path, numbers: Numbers) -> None:
    others = exposures(adopted, WARM)[IN_MASTER:]
    assert len(others) == 5
    found = service.verify(adopted, "bias", ",".join(map(str, others)))
    numbers.note("stl1001", "adopted bias of -5 C against frames of its state", found.verdict)
    assert found.verdict in ("pass", "warn"), found.reasons
    with Repository.open(adopted) as repository:
        rows = [r for r in read_rows(repository.butler, "bias", found.run) if r["scope"] == "amplifier"]
    assert {row["role"] for row in rows if row["exposure"] > 0} == {"held_out"}
    noise = [row["value"] for row in rows if row["test"] == "noise" and row["applicable"]]
    assert np.mean(noise) == pytest.approx(0.0, abs=0.02)


def test_biases_that_are_in_the_adopted_master_are_too_quiet_for_it(adopted: Path) -> None:
    """The limit looks both ways.

    Held out, a frame's variance would be 1 + 1/5 of its own; in the master it is 1 - 1/5: noise is
    sqrt(0.8 / 1.2) - 1 = -0.184. Fixed pattern is in the master's variance that is estimated from pixels.
    """
    inside = exposures(adopted, WARM)[:IN_MASTER]
    found = service.verify(adopted, "bias", ",".join(map(str, inside)), output="STL1001/verify/inside")
    assert found.verdict == "fail"
    with Repository.open(adopted) as repository:
        rows = read_rows(repository.butler, "bias", found.run)
    noise = [r["value"] for r in rows if r["test"] == "noise" and r["applicable"] and r["exposure"] > 0]
    assert np.mean(noise) == pytest.approx(-0.184, abs=0.03)


def test_frames_of_another_state_are_refused_by_name(adopted: Path) -> None:
    cold = exposures(adopted, COLD)
    said = fiducial("verify", adopted, "bias", "--exposures", ",".join(map(str, cold)), code=4)
    assert "bias: fail" in said.out
    assert "no frame could be measured" in said.out
    assert "SET-TEMP is -10.0 and -5.0" in said.out


def test_of_both_states_only_the_own_one_is_measured(adopted: Path) -> None:
    both = exposures(adopted, WARM)[IN_MASTER:] + exposures(adopted, COLD)[5:]
    found = service.verify(adopted, "bias", ",".join(map(str, both)), output="STL1001/verify/both")
    assert found.verdict == "warn"  # frames were set aside
    refused = [reason for reason in found.reasons if "another camera state" in reason]
    assert len(refused) == 5
    with Repository.open(adopted) as repository:
        rows = read_rows(repository.butler, "bias", found.run)
    measured = {row["exposure"] for row in rows if row["test"] == "level" and row["applicable"]} - {-1}
    assert measured == set(exposures(adopted, WARM)[IN_MASTER:])


def test_a_master_that_does_not_say_its_state_is_pointed_out(
    elsewhere: Path, stl_night: Night, tmp_path: Path
) -> None:
    file = write_bias(stl_night, tmp_path / "unknown.fits")
    dates = ("--begin", "2016-09-01", "--end", "2016-10-01")
    said = fiducial("adopt", elsewhere, "bias", file, *dates)
    assert "unknown.fits does not say SET-TEMP: frames of any will be taken for its own" in said.out
    assert "--state SET-TEMP=VALUE" in said.out
    dates = ("--begin", "2015-09-01", "--end", "2015-10-01")
    said = fiducial("adopt", elsewhere, "bias", file, *dates, "--state", "SET-TEMP=-5")
    assert "does not say" not in said.out
    with Repository.open(elsewhere) as repository:
        ref = repository.find_calibration("bias", "2015-09-08", 0)
        assert ref is not None
        assert repository.butler.get(ref).metadata["FID STATE SET-TEMP"] == -5
    refused = fiducial("adopt", elsewhere, "bias", file, "--begin", "2014-01-01", "--state", "CHIP=1", code=2)
    assert "CHIP is no part of the camera state of STL1001" in refused.err


def test_a_master_of_minus_5_is_not_used_on_frames_of_minus_10_where_it_was_made(stl_night: Night) -> None:
    run = stl_night.products["bias"].run
    cold = ",".join(map(str, exposures(stl_night.root, COLD)))
    found = service.verify(stl_night.root, "bias", cold, run=run)
    assert found.verdict == "fail"
    assert any("SET-TEMP is -10.0 and -5.0" in reason for reason in found.reasons)
