"""Bundles from one repository to another, and what a bad one gets."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fiducial.errors import IntegrityError, NothingToDo, RepositoryError
from fiducial.frames.checksum import sha256_of
from fiducial.products.images import content_hash
from fiducial.repository import Repository
from fiducial.repository.integrity import certified_files
from repository_frames import put_bias, tiny_camera

CALIB = "TinyCam/calib"
TICKET = f"{CALIB}/TICKET-1"


@pytest.fixture
def certified(repository: Repository) -> Repository:
    """A repository with a certified bias of both detectors in a ticket's chain."""
    put_bias(repository, f"{TICKET}/biasGen/1")
    repository.certify("bias", f"{TICKET}/biasGen/1", f"{TICKET}/bias", begin="2024-03-01")
    repository.prepend_chain(TICKET, [f"{TICKET}/bias"])
    repository.prepend_chain(CALIB, [TICKET])
    return repository


@pytest.fixture
def other(template: Path, tmp_path: Path) -> Iterator[Repository]:
    """Another site's repository of the camera."""
    shutil.copytree(template, tmp_path / "other")
    with Repository.open(tmp_path / "other", writeable=True) as repository:
        yield repository


def test_a_bundle_makes_the_calibration_known_elsewhere(
    certified: Repository, other: Repository, tmp_path: Path
) -> None:
    bundle = certified.export(TICKET, tmp_path / "bundle")
    assert (bundle.files, bundle.datasets, bundle.instrument) == (2, 2, "TinyCam")
    assert set(bundle.collections) == {TICKET, f"{TICKET}/bias"}
    assert other.import_(tmp_path / "bundle").files == 2
    other.prepend_chain(CALIB, [TICKET])
    there = other.find_calibration("bias", "2024-06-01", 1)
    here = certified.find_calibration("bias", "2024-06-01", 1)
    assert there is not None
    assert here is not None
    assert there.id == here.id
    assert content_hash(other.butler.get(there)) == content_hash(certified.butler.get(here))
    assert other.find_calibration("bias", "2024-02-01", 1) is None
    # What was certified there is checked here.
    assert certified_files(other.root)[there.id].sha256 == certified_files(certified.root)[here.id].sha256
    assert other.audit().intact == 3  # the camera too
    assert [entry.verb for entry in other.history()] == ["init", "import", "chain"]
    assert [entry.verb for entry in certified.history()][-1] == "export"


def test_importing_again_changes_nothing(certified: Repository, other: Repository, tmp_path: Path) -> None:
    certified.export(TICKET, tmp_path / "bundle")
    for _ in range(2):
        other.import_(tmp_path / "bundle")
    assert len(other.timeline(f"{TICKET}/bias")) == 2


def test_a_chain_with_the_camera_in_it(certified: Repository, other: Repository, tmp_path: Path) -> None:
    """The whole of <CAMERA>/calib: the camera is the same dataset in both repositories."""
    certified.export(CALIB, tmp_path / "bundle")
    other.import_(tmp_path / "bundle")
    assert other.find_calibration("bias", "2024-06-01", 0) is not None
    assert other.find_calibration("camera", "2024-06-01") is not None


def test_nothing_certified_nothing_exported(repository: Repository, tmp_path: Path) -> None:
    put_bias(repository, "TinyCam/gen")
    with pytest.raises(NothingToDo):
        repository.export("TinyCam/gen", tmp_path / "bundle")
    with pytest.raises(RepositoryError, match="no collection TinyCam/nowhere"):
        repository.export("TinyCam/nowhere", tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_a_folder_that_exists_is_kept(certified: Repository, tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    with pytest.raises(RepositoryError, match="is there already"):
        certified.export(TICKET, tmp_path / "bundle")


def test_what_changed_since_it_was_certified_is_not_exported(certified: Repository, tmp_path: Path) -> None:
    ref = certified.find_calibration("bias", "2024-06-01", 0)
    path = Path(certified.butler.getURI(ref).ospath)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(IntegrityError, match="not the bytes that were certified"):
        certified.export(TICKET, tmp_path / "bundle")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["repo"]


def reseal(bundle: Path) -> None:
    """Let the manifest fit what a forger made of the bundle."""
    manifest = json.loads((bundle / "manifest.json").read_text())
    for name in manifest["files"]:
        path = bundle / name
        manifest["files"][name] |= {"sha256": sha256_of(path), "size": path.stat().st_size}
    (bundle / "manifest.json").write_text(json.dumps(manifest))


def edit_export(bundle: Path, old: str, new: str) -> None:
    path = bundle / "export.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


class Payload:
    """Executed when it is unpickled."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> Any:
        return (Path.touch, (self.witness,))


def test_a_bundle_that_would_execute_something_is_refused(
    certified: Repository, other: Repository, tmp_path: Path
) -> None:
    certified.export(TICKET, tmp_path / "bundle")
    edit_export(
        tmp_path / "bundle",
        "fiducial.repository.formatters_image.CalibrationImageFormatter",
        "lsst.daf.butler.formatters.pickle.PickleFormatter",
    )
    for path in (tmp_path / "bundle").rglob("*.fits"):
        path.write_bytes(pickle.dumps(Payload(tmp_path / "witness")))
    reseal(tmp_path / "bundle")
    with pytest.raises(IntegrityError, match="could execute"):
        other.import_(tmp_path / "bundle")
    assert not (tmp_path / "witness").exists()
    assert f"{TICKET}/bias" not in other.butler.collections.query("*")


def test_yaml_that_makes_objects_is_refused(certified: Repository, other: Repository, tmp_path: Path) -> None:
    certified.export(TICKET, tmp_path / "bundle")
    export = tmp_path / "bundle" / "export.yaml"
    export.write_text(export.read_text() + f"- !!python/object/apply:os.mkdir ['{tmp_path}/witness']\n")
    reseal(tmp_path / "bundle")
    with pytest.raises(IntegrityError, match="cannot be read"):
        other.import_(tmp_path / "bundle")
    assert not (tmp_path / "witness").exists()


@pytest.mark.parametrize("damage", ["change", "cut", "remove"])
def test_a_damaged_bundle_is_refused_whole(
    certified: Repository, other: Repository, tmp_path: Path, damage: str
) -> None:
    certified.export(TICKET, tmp_path / "bundle")
    path = next((tmp_path / "bundle").rglob("*S01*.fits"))
    data = bytearray(path.read_bytes())
    data[3000] ^= 1
    {
        "change": lambda: path.write_bytes(bytes(data)),
        "cut": lambda: path.write_bytes(bytes(data[:-2880])),
        "remove": path.unlink,
    }[damage]()
    with pytest.raises(IntegrityError, match=path.name):
        other.import_(tmp_path / "bundle")
    assert f"{TICKET}/bias" not in other.butler.collections.query("*")
    assert other.history()[-1].verb == "init"


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "file:///etc/passwd"])
def test_paths_that_lead_outside_are_refused(
    certified: Repository, other: Repository, tmp_path: Path, path: str
) -> None:
    certified.export(TICKET, tmp_path / "bundle")
    name = next((tmp_path / "bundle").rglob("*S01*.fits")).relative_to(tmp_path / "bundle")
    edit_export(tmp_path / "bundle", str(name), path)
    reseal(tmp_path / "bundle")
    with pytest.raises(IntegrityError, match="leads out of the bundle"):
        other.import_(tmp_path / "bundle")


def test_a_link_that_leads_outside_is_refused(
    certified: Repository, other: Repository, tmp_path: Path
) -> None:
    certified.export(TICKET, tmp_path / "bundle")
    path = next((tmp_path / "bundle").rglob("*S01*.fits"))
    secret = tmp_path / "secret"
    path.rename(secret)
    path.symlink_to(secret)
    with pytest.raises(IntegrityError, match="leads out of the bundle"):
        other.import_(tmp_path / "bundle")


def test_a_storage_class_of_elsewhere_is_refused(
    certified: Repository, other: Repository, tmp_path: Path
) -> None:
    certified.export(TICKET, tmp_path / "bundle")
    edit_export(tmp_path / "bundle", "storage_class: CalibrationImage", "storage_class: Packages")
    reseal(tmp_path / "bundle")
    with pytest.raises(IntegrityError, match="storage class 'Packages'"):
        other.import_(tmp_path / "bundle")


def test_an_instrument_class_of_elsewhere_is_refused(
    certified: Repository, other: Repository, tmp_path: Path
) -> None:
    certified.export(TICKET, tmp_path / "bundle")
    edit_export(tmp_path / "bundle", "fiducial.repository.instruments.TinyCam", "antigravity.fly")
    reseal(tmp_path / "bundle")
    with pytest.raises(IntegrityError, match="would be served by antigravity"):
        other.import_(tmp_path / "bundle")


def test_a_file_that_the_manifest_does_not_name_is_refused(
    certified: Repository, other: Repository, tmp_path: Path
) -> None:
    certified.export(TICKET, tmp_path / "bundle")
    manifest = tmp_path / "bundle" / "manifest.json"
    content = json.loads(manifest.read_text())
    content["files"] = {name: file for name, file in content["files"].items() if "S01" not in name}
    manifest.write_text(json.dumps(content))
    with pytest.raises(IntegrityError, match="is not in the manifest"):
        other.import_(tmp_path / "bundle")


@pytest.mark.parametrize("content", [None, "{}", "not JSON"])
def test_a_bundle_without_a_manifest(
    certified: Repository, other: Repository, tmp_path: Path, content: str | None
) -> None:
    certified.export(TICKET, tmp_path / "bundle")
    manifest = tmp_path / "bundle" / "manifest.json"
    manifest.unlink() if content is None else manifest.write_text(content)
    with pytest.raises(RepositoryError, match=r"manifest"):
        other.import_(tmp_path / "bundle")


def test_a_bundle_of_another_camera(certified: Repository, tmp_path: Path) -> None:
    certified.export(TICKET, tmp_path / "bundle")
    with (
        Repository.create(tmp_path / "third", tiny_camera("Other")) as third,
        pytest.raises(RepositoryError, match="of TinyCam, the repository is of Other"),
    ):
        third.import_(tmp_path / "bundle")


def test_what_contradicts_the_repository_is_refused(
    certified: Repository, other: Repository, tmp_path: Path
) -> None:
    put_bias(other, f"{TICKET}/other/1", seed=9)
    other.certify("bias", f"{TICKET}/other/1", f"{TICKET}/bias", begin="2024-01-01")
    certified.export(TICKET, tmp_path / "bundle")
    with pytest.raises(RepositoryError, match="contradicts"):
        other.import_(tmp_path / "bundle")
    assert {row.run for row in other.timeline(f"{TICKET}/bias")} == {f"{TICKET}/other/1"}


def test_the_export_is_plain_butler_yaml(certified: Repository, tmp_path: Path) -> None:
    certified.export(TICKET, tmp_path / "bundle")
    content = yaml.safe_load((tmp_path / "bundle" / "export.yaml").read_bytes())
    assert content["description"] == "Butler Data Repository Export"


def test_another_description_of_the_camera_is_refused(certified: Repository, tmp_path: Path) -> None:
    certified.export(CALIB, tmp_path / "bundle")
    with (
        Repository.create(tmp_path / "third", tiny_camera(**{"gain: 2.0": "gain: 2.5"})) as third,
        pytest.raises(RepositoryError, match="description of the camera"),
    ):
        third.import_(tmp_path / "bundle")
