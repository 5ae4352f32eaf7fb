"""The nights of real cameras go into a repository whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from fiducial.cameras import load_camera
from fiducial.repository import Repository

pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    ("camera", "folder", "types"),
    [
        ("stl1001", "stl1001-2017", {"bias", "dark", "flat"}),
        ("kast-blue", "kast-blue", {"bias", "flat", "arc", "science"}),
    ],
)
def test_a_real_night_is_ingested_in_place(
    real_data: Path, tmp_path: Path, camera: str, folder: str, types: set[str]
) -> None:
    files = sorted(path for path in (real_data / folder).iterdir() if ".fit" in path.name)
    with Repository.create(tmp_path / "repo", load_camera(camera)) as repository:
        report = repository.ingest(files)
        assert (len(report.used), report.refused) == (len(files), ())
        records = repository.records()
        assert len(records) == len(files)
        assert {record.facts.frame_type for record in records} == types
        assert len({record.facts.day_obs for record in records}) == 1
        registered = {r.id: r for r in repository.butler.query_dimension_records("exposure")}
        for record in records:
            assert registered[record.exposure].exposure_time == record.facts.exposure_time
            assert registered[record.exposure].observation_type == record.facts.frame_type
        assert len(repository.ingest(files).already) == len(files)
