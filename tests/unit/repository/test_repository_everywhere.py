"""What a repository holds in any of its runs, found without reading a pixel."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsst.daf.butler import CollectionType

from fiducial.errors import IntegrityError
from fiducial.repository import Repository
from fiducial.repository.everywhere import (
    datasets_everywhere,
    exposures_taken,
    primary_header,
    runs_in_chains,
)
from repository_frames import exposure_id, put_bias, write_frame


def test_datasets_of_all_runs_are_found_whoever_made_them(repository: Repository) -> None:
    put_bias(repository, "TinyCam/gen/1")
    put_bias(repository, "somebody/else/2", (1,), seed=3)
    found = datasets_everywhere(repository.butler, "TinyCam", "bias")
    assert [(ref.run, ref.dataId["detector"]) for ref in found] == [
        ("TinyCam/gen/1", 0),
        ("TinyCam/gen/1", 1),
        ("somebody/else/2", 1),
    ]
    assert datasets_everywhere(repository.butler, "TinyCam", "noSuchType") == []
    assert datasets_everywhere(repository.butler, "TinyCam", "dark") == []


def test_chains_lead_to_runs_through_other_chains(repository: Repository) -> None:
    collections = repository.butler.collections
    for run in ("TinyCam/a/1", "TinyCam/b/1"):
        collections.register(run, CollectionType.RUN)
    for chain, children in (("TinyCam/a", ["TinyCam/a/1"]), ("TinyCam/b", ["TinyCam/b/1", "TinyCam/a"])):
        collections.register(chain, CollectionType.CHAINED)
        collections.redefine_chain(chain, children)
    found = runs_in_chains(repository.butler, "TinyCam")
    assert found["TinyCam/a"] == {"TinyCam/a/1"}
    assert found["TinyCam/b"] == {"TinyCam/a/1", "TinyCam/b/1"}


def test_only_calibration_exposures_are_asked_for(repository: Repository, tmp_path: Path) -> None:
    frames = [
        write_frame(tmp_path / "bias.fits", number=1),
        write_frame(tmp_path / "dark.fits", number=2, kind="dark", EXPTIME=30.0),
    ]
    repository.ingest(frames)
    taken = exposures_taken(repository.butler, "TinyCam")
    assert {number: (one.night, one.dark_time) for number, one in taken.items()} == {
        exposure_id(1): (20240326, 0.0),
        exposure_id(2): (20240326, 30.0),
    }


def test_a_header_that_cannot_be_read_is_named(repository: Repository) -> None:
    ref, _ = put_bias(repository, "TinyCam/gen/1")
    assert all(key.startswith("FID") for key in primary_header(repository.butler, ref))
    file = Path(repository.butler.getURI(ref).ospath)
    for damage in (lambda: file.write_bytes(b"no FITS at all"), lambda: file.write_bytes(b""), file.unlink):
        damage()
        with pytest.raises(IntegrityError, match="its header cannot be read"):
            primary_header(repository.butler, ref)
