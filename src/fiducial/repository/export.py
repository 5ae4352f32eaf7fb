"""Bundles of certified calibrations: written with checksums, taken in after these are checked."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING
from uuid import UUID

from lsst.daf.butler import CollectionType
from lsst.daf.butler.registry import ConflictingDefinitionError

from fiducial.errors import IntegrityError, NothingToDo, RepositoryError
from fiducial.frames.atomic import atomic_write
from fiducial.frames.checksum import sha256_of
from fiducial.repository.bundle import EXPORT, MANIFEST, BundleFile, Manifest, check_bundle, export_entries
from fiducial.repository.client import require_collections
from fiducial.repository.integrity import CertifiedFile, certified_files, record_certified
from fiducial.repository.ledger import versions
from fiducial.repository.names import CAMERA
from fiducial.repository.pending import pending_export
from fiducial.repository.storage import storage_errors
from fiducial.repository.validity import associations

if TYPE_CHECKING:
    from lsst.daf.butler import Butler


@dataclass(frozen=True)
class Bundle:
    """A folder of calibrations that was written or taken in."""

    folder: str
    instrument: str
    collections: tuple[str, ...]
    files: int  # of calibrations
    size: int  # bytes of them
    datasets: int


def export_bundle(
    root: Path, butler: Butler, instrument: str, collections: Sequence[str], folder: Path
) -> Bundle:
    """Write a bundle; see `Repository.export`."""
    if folder.exists():
        raise RepositoryError(f"{folder} is there already", hint="Name a new folder for the bundle.")
    names = _collections(butler, collections)
    calibrations = [name for name, kind in names.items() if kind is CollectionType.CALIBRATION]
    refs = {found.ref.id: found.ref for found in associations(butler, instrument, calibrations)}
    if not refs:
        raise NothingToDo(
            f"nothing is certified in {', '.join(collections)}",
            hint="Certify first, or name another collection.",
        )
    with storage_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            with butler.export(directory=str(building), format="yaml", transfer="copy") as export:
                for name in names:
                    export.saveCollection(name)
                export.saveDatasets(refs.values())
            manifest = _manifest(root, building, instrument, tuple(names))
            with atomic_write(building / MANIFEST) as path:
                path.write_text(manifest.model_dump_json(indent=1))
            building.chmod(0o755)
            os.rename(building, folder)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return _summary(folder, manifest)


def import_bundle(root: Path, butler: Butler, instrument: str, folder: Path) -> Bundle:
    """Take a bundle in; see `Repository.import_`."""
    manifest = check_bundle(folder)
    if manifest.instrument != instrument:
        raise RepositoryError(
            f"{folder} holds calibrations of {manifest.instrument}, the repository is of {instrument}",
            hint="Import it into a repository of that camera.",
        )
    record_certified(root, _records(root, folder, manifest))
    with storage_errors(root):
        try:
            butler.import_(
                directory=str(folder),
                filename=pending_export(butler, instrument, folder),
                format="yaml",
                transfer="copy",
            )
        except ConflictingDefinitionError as error:
            raise RepositoryError(
                f"{folder}: what it brings contradicts what the repository holds: {error}".splitlines()[0],
                hint="Compare `fiducial timeline` here with that of the repository it comes from.",
            ) from error
    return _summary(folder, manifest)


def _collections(butler: Butler, wanted: Sequence[str]) -> dict[str, CollectionType]:
    """The chains and CALIBRATION collections that some collections lead to, with their types."""
    require_collections(butler, wanted)
    infos = butler.collections.query_info(
        list(wanted),
        flatten_chains=True,
        include_chains=True,
        collection_types={CollectionType.CALIBRATION, CollectionType.CHAINED},
    )
    return {info.name: info.type for info in infos}


def _manifest(root: Path, folder: Path, instrument: str, collections: tuple[str, ...]) -> Manifest:
    """Hash what lies in the bundle; a calibration that is not what was certified is no export."""
    certified = certified_files(root)
    files = {EXPORT: _file(folder / EXPORT)}
    for entry in export_entries(folder):
        for record in entry.get("records", ()) if entry.get("type") == "dataset" else ():
            file = _file(folder / record["path"], tuple(record["dataset_id"]))
            for dataset in file.datasets:
                if dataset in certified and certified[dataset].sha256 != file.sha256:
                    raise IntegrityError(
                        f"{record['path']}: not the bytes that were certified",
                        hint="Restore the file from a backup; `fiducial audit` lists every such file.",
                    )
            files[record["path"]] = file
    return Manifest(
        instrument=instrument,
        collections=collections,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=versions(),
        files=files,
    )


def _file(path: Path, datasets: tuple[UUID, ...] = ()) -> BundleFile:
    return BundleFile(sha256=sha256_of(path), size=path.stat().st_size, datasets=datasets)


def _records(root: Path, folder: Path, manifest: Manifest) -> list[CertifiedFile]:
    """What is to be remembered of the calibrations that a bundle brings."""
    known = certified_files(root)
    records = []
    for entry in export_entries(folder):
        for record in entry.get("records", ()) if entry.get("type") == "dataset" else ():
            file = manifest.files[record["path"]]
            for dataset in record["dataset_id"]:
                if dataset in known:
                    _same(known[dataset], file, entry["dataset_type"])
                    continue
                records.append(
                    CertifiedFile(
                        dataset=dataset,
                        dataset_type=entry["dataset_type"],
                        run=entry["run"],
                        path=record["path"],
                        size=file.size,
                        sha256=file.sha256,
                    )
                )
    return records


def _same(known: CertifiedFile, file: BundleFile, dataset_type: str) -> None:
    """Refuse a dataset that the repository holds with other content."""
    if known.sha256 == file.sha256:
        return
    if dataset_type == CAMERA:
        raise RepositoryError(
            "the bundle's description of the camera is not the repository's",
            hint="Compare `fiducial camera show` at both places; calibrations rest on its gains and regions.",
        )
    raise IntegrityError(
        f"{known.path}: the repository holds this calibration with other content than the bundle",
        hint="One of the two was changed; compare both with a backup.",
    )


def _summary(folder: Path, manifest: Manifest) -> Bundle:
    calibrations = [file for name, file in manifest.files.items() if name != EXPORT]
    return Bundle(
        str(folder),
        manifest.instrument,
        manifest.collections,
        len(calibrations),
        sum(file.size for file in calibrations),
        sum(len(file.datasets) for file in calibrations),
    )
