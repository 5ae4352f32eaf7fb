"""What a bundle from elsewhere may hold: every byte as its manifest says, and nothing that is executed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

import yaml
from lsst.daf.butler import Timespan  # noqa: F401 (its import teaches YAML the tags of exports)
from pydantic import BaseModel, ConfigDict, ValidationError

from fiducial.errors import IntegrityError, RepositoryError
from fiducial.frames.checksum import sha256_of
from fiducial.repository.register import class_name

MANIFEST = "manifest.json"
EXPORT = "export.yaml"

SAFE_FORMATTERS = frozenset(
    {
        "fiducial.repository.formatters_camera.CameraFormatter",
        "fiducial.repository.formatters_image.CalibrationImageFormatter",
        "fiducial.repository.formatters_product.ProductFormatter",
        "lsst.daf.butler.formatters.json.JsonFormatter",
        "lsst.daf.butler.formatters.parquet.ParquetFormatter",
        "lsst.daf.butler.formatters.yaml.YamlFormatter",
        "lsst.images.formatters.GenericFormatter",
    }
)
"""Formatters that only read data. Any other could execute what a file holds, as the one for pickles does."""

SAFE_STORAGE = frozenset(
    {"ArrowTable", "CalibrationImage", "FiducialCamera", "FiducialProduct", "StructuredDataDict"}
)


class BundleFile(BaseModel):
    """One file of a bundle."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str
    size: int
    datasets: tuple[UUID, ...] = ()


class Manifest(BaseModel):
    """What a bundle holds; ``manifest.json`` in its folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = 1
    instrument: str
    collections: tuple[str, ...]
    created: str
    versions: dict[str, str]
    files: dict[str, BundleFile]  # path in the bundle -> file; export.yaml too


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a bundle.

    Raises
    ------
    RepositoryError
        If there is none, or it cannot be read.
    """
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise RepositoryError(
            f"{folder} has no {MANIFEST}: it was not written by fiducial export",
            hint="Nothing says what its files should be; `butler import` takes it unchecked.",
        ) from error
    except ValidationError as error:
        raise RepositoryError(
            f"{path} is no manifest: {error.errors()[0]['msg']}", hint="Get the bundle again."
        ) from error


def check_bundle(folder: Path) -> Manifest:
    """Check everything in a bundle before any of it is used.

    Raises
    ------
    IntegrityError
        If a file is missing, is not what the manifest says, or is not in it; or if the export names
        a path outside, or a formatter or storage class that is not known to be harmless.
    RepositoryError
        If there is no manifest.
    """
    manifest = read_manifest(folder)
    for name, expected in manifest.files.items():
        path = _inside(folder, name)
        if not path.is_file():
            raise IntegrityError(f"{folder}: {name} is not there", hint="Get the bundle again.")
        if path.stat().st_size != expected.size or sha256_of(path) != expected.sha256:
            raise IntegrityError(
                f"{folder}: {name} is not what the manifest says", hint="Get the bundle again."
            )
    if EXPORT not in manifest.files:
        raise IntegrityError(f"{folder}: the manifest does not name {EXPORT}", hint="Get the bundle again.")
    _check_export(folder, manifest)
    return manifest


def _check_export(folder: Path, manifest: Manifest) -> None:
    for entry in export_entries(folder):
        if entry.get("type") == "dimension" and entry.get("element") == "instrument":
            _check_classes(folder, entry.get("records", ()))
        if entry.get("type") == "dataset_type" and entry.get("storage_class") not in SAFE_STORAGE:
            raise IntegrityError(
                f"{folder}: storage class {entry.get('storage_class')!r} is not one that a bundle may bring",
                hint="Ask for a bundle of calibrations only.",
            )
        for record in entry.get("records", ()) if entry.get("type") == "dataset" else ():
            formatter, path = record.get("formatter"), str(record.get("path"))
            if formatter not in SAFE_FORMATTERS:
                raise IntegrityError(
                    f"{folder}: {path} would be read by {formatter}, which could execute what it holds",
                    hint="Do not import this bundle; ask where it comes from.",
                )
            _inside(folder, path)
            if path not in manifest.files:
                raise IntegrityError(
                    f"{folder}: {path} is not in the manifest", hint="Do not import this bundle."
                )


def _check_classes(folder: Path, records: Iterable[dict[str, Any]]) -> None:
    """The middleware may import the class that an instrument names: only ours are known to be harmless."""
    for record in records:
        if record.get("class_name") != class_name(str(record.get("name"))):
            raise IntegrityError(
                f"{folder}: {record.get('name')} would be served by {record.get('class_name')}",
                hint="Do not import this bundle; ask where it comes from.",
            )


def export_entries(folder: Path) -> list[dict[str, Any]]:
    """The entries of a bundle's ``export.yaml``."""
    try:
        content = yaml.safe_load((folder / EXPORT).read_bytes())
        entries = content["data"]
    except (yaml.YAMLError, OSError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"{folder / EXPORT} cannot be read: {error}".splitlines()[0], hint="Get the bundle again."
        ) from error
    return [entry for entry in entries if isinstance(entry, dict)]


def _inside(folder: Path, name: str) -> Path:
    """The path of a bundle's file; one that leads outside is refused."""
    parts = PurePosixPath(name)
    path = folder / name
    if parts.is_absolute() or ".." in parts.parts or ":" in name or path.is_symlink():
        raise IntegrityError(f"{folder}: {name!r} leads out of the bundle", hint="Do not import this bundle.")
    return path
