"""Making and opening repositories."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from lsst.daf.butler import Butler, CollectionType

from fiducial.errors import CameraError, RepositoryError
from fiducial.repository import Repository
from repository_frames import tiny_camera, write_frame


def test_a_new_repository_has_collections_camera_detectors_and_types(repository: Repository) -> None:
    butler = repository.butler
    kinds = {info.name: info.type for info in butler.collections.query_info("TinyCam/*", include_chains=True)}
    assert kinds["TinyCam/raw/frames"] is CollectionType.RUN
    assert kinds["TinyCam/raw/all"] is CollectionType.CHAINED
    assert kinds["TinyCam/calib/unbounded"] is CollectionType.RUN
    assert kinds["TinyCam/calib/camera"] is CollectionType.CALIBRATION
    assert butler.collections.get_info("TinyCam/calib").children == ("TinyCam/calib/camera",)
    assert butler.collections.get_info("TinyCam/raw/all").children[0] == "TinyCam/raw/frames"
    detectors = butler.query_dimension_records("detector")
    assert [(d.id, d.full_name, d.purpose) for d in detectors] == [
        (0, "S00", "SCIENCE"),
        (1, "S01", "SCIENCE"),
    ]
    bands = {f.name: f.band for f in butler.query_dimension_records("physical_filter")}
    assert bands == {"none": "unknown", "g": "g"}
    for name in ("raw", "frameFacts", "camera", "bias", "dark", "flat"):
        assert butler.get_dataset_type(name).name == name


def test_the_camera_is_stored_and_found_by_date(repository: Repository) -> None:
    with Repository.open(repository.root) as again:
        assert again.camera() == tiny_camera()
    ref = repository.find_calibration("camera", "1999-01-01")
    assert ref is not None
    assert repository.butler.get(ref) == tiny_camera()


def test_creating_again_with_the_same_camera_changes_nothing(repository: Repository) -> None:
    before = repository.history()
    Repository.create(repository.root, tiny_camera()).close()
    assert repository.history() == before
    assert [entry.verb for entry in before] == ["init"]


def test_a_camera_that_differs_is_refused(repository: Repository) -> None:
    changed = tiny_camera(**{"gain: 2.0": "gain: 2.5"})
    with pytest.raises(RepositoryError, match="description differs"):
        Repository.create(repository.root, changed)


def test_another_camera_only_on_demand(repository: Repository) -> None:
    with pytest.raises(RepositoryError, match=r"repository of TinyCam, not of Other"):
        Repository.create(repository.root, tiny_camera("Other"))
    with Repository.create(repository.root, tiny_camera("Other"), add=True) as other:
        assert other.instrument == "Other"
    with pytest.raises(RepositoryError, match="several cameras: Other, TinyCam"):
        Repository.open(repository.root)
    with Repository.open(repository.root, instrument="tinycam") as first:
        assert first.camera() == tiny_camera()


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RepositoryError, match="is no repository"):
        Repository.create(tmp_path, tiny_camera())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["notes.txt"]


def test_an_empty_folder_and_a_name_with_a_dot_will_do(tmp_path: Path) -> None:
    root = tmp_path / "repo.v1"
    root.mkdir()
    with Repository.create(root, tiny_camera()) as repository:
        assert repository.ingest([write_frame(tmp_path / "a.fits")]).used
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.fits", "repo.v1"]


def test_opening_what_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="is no repository") as caught:
        Repository.open(tmp_path / "nowhere")
    assert "fiducial init" in caught.value.hint


def test_an_unknown_camera_of_a_repository(repository: Repository) -> None:
    with pytest.raises(RepositoryError, match="repository of TinyCam, not of LATISS"):
        Repository.open(repository.root, instrument="LATISS")


def test_a_detector_name_too_long_for_the_registry(tmp_path: Path) -> None:
    camera = tiny_camera(**{"name: S00": f"name: {'S' * 40}"})
    with pytest.raises(CameraError, match="longer than 32"):
        Repository.create(tmp_path / "repo", camera)
    assert list(tmp_path.iterdir()) == []


def test_writing_needs_a_repository_opened_for_writing(repository: Repository) -> None:
    with (
        Repository.open(repository.root) as reader,
        pytest.raises(RepositoryError, match="opened for reading"),
    ):
        reader.ingest([])


def test_the_class_of_any_camera_resolves_in_another_process(repository: Repository) -> None:
    """`pipetask` finds the Instrument of a user's own camera by the name in the registry, without help."""
    program = (
        "import sys; from lsst.daf.butler import Butler; from lsst.pipe.base import Instrument\n"
        "butler = Butler.from_config(sys.argv[1])\n"
        "instrument = Instrument.fromName('TinyCam', butler.registry)\n"
        "print(instrument.getName(), instrument.getRawFormatter({}).__name__)\n"
    )
    bare = {name: value for name, value in os.environ.items() if not name.startswith("FIDUCIAL")}
    done = subprocess.run(
        [sys.executable, "-c", program, str(repository.root)],
        capture_output=True,
        text=True,
        check=True,
        env=bare,
    )
    assert done.stdout.split() == ["TinyCam", "RawFrameFormatter"]


@pytest.mark.parametrize("name", ["TinyCam", "A" * 32])
def test_class_names_fit_the_registry(name: str) -> None:
    from lsst.utils import doImportType
    from lsst.utils.introspection import get_full_type_name

    from fiducial.repository.register import class_name

    assert len(class_name(name)) <= 64
    assert get_full_type_name(doImportType(class_name(name))) == class_name(name)


def test_a_camera_that_is_not_packaged_cannot_be_registered_by_name(repository: Repository) -> None:
    from fiducial.repository import instruments

    with Butler.from_config(str(repository.root), writeable=True) as butler, pytest.raises(CameraError):
        instruments.NoSuchCamera().register(butler.registry)
    with pytest.raises(AttributeError):
        instruments._private  # noqa: B018


def test_a_repository_that_was_made_without_our_seed(tmp_path: Path) -> None:
    Butler.makeRepo(str(tmp_path / "repo"))
    with pytest.raises(RepositoryError, match="storage class") as caught:
        Repository.create(tmp_path / "repo", tiny_camera())
    assert "seed.yaml" in caught.value.hint
