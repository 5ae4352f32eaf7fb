"""SHA-256 of what was certified: written once, checked on read once per file and process."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from fiducial.errors import IntegrityError
from fiducial.frames.checksum import sha256_of
from fiducial.repository.client import folder_uri
from fiducial.repository.storage import storage_errors

if TYPE_CHECKING:
    from lsst.daf.butler import Butler, DatasetRef

CERTIFIED = Path("fiducial") / "certified.jsonl"


class CertifiedFile(BaseModel):
    """One certified dataset: its file, and what the file was when it was certified."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: UUID
    dataset_type: str
    run: str
    path: str  # relative to the repository where it lies in there
    size: int
    sha256: str


def record_certified(root: Path, files: Iterable[CertifiedFile]) -> None:
    """Add files to the record of what was certified; on disk when this returns."""
    path = root / CERTIFIED
    text = "".join(file.model_dump_json() + "\n" for file in files)
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            if _torn(path):
                stream.write(b"\n")
            stream.write(text.encode())
            os.fsync(stream.fileno())


def describe_file(root: Path, butler: Butler, ref: DatasetRef) -> CertifiedFile:
    """The file of a calibration and its SHA-256 as it is now.

    Raises
    ------
    IntegrityError
        If the file is not there.
    """
    uri = butler.getURI(ref)
    if not uri.exists():
        raise IntegrityError(
            f"{uri}: the file of {ref.datasetType.name} {ref.dataId} is not there",
            hint="Make the calibration again.",
        )
    with uri.as_local() as local:
        digest, size = sha256_of(local.ospath), Path(local.ospath).stat().st_size
    place = uri.relative_to(folder_uri(root)) or str(uri)
    return CertifiedFile(
        dataset=ref.id, dataset_type=ref.datasetType.name, run=ref.run, path=place, size=size, sha256=digest
    )


def certified_files(root: Path) -> dict[UUID, CertifiedFile]:
    """What was certified, the newest record of each dataset; a torn line is passed over."""
    path = root / CERTIFIED
    if not path.exists():
        return {}
    status = path.stat()
    return dict(_read(str(path), status.st_mtime_ns, status.st_size))


def verify_certified(path: str, dataset: UUID) -> None:
    """Check a file about to be read, if it was certified; once for each state of the file.

    Raises
    ------
    IntegrityError
        If its bytes are not what was certified.
    """
    root = repository_of(os.path.dirname(os.path.abspath(path)))
    expected = certified_files(Path(root)).get(dataset) if root else None
    if expected is None:
        return
    status = os.stat(path)
    found = _sha256(path, status.st_mtime_ns, status.st_size)
    if found != expected.sha256:
        raise IntegrityError(
            f"{path}: not the bytes that were certified "
            f"(SHA-256 {found[:12]}..., was {expected.sha256[:12]}...)",
            hint="Restore the file from a backup or an export; `fiducial audit` lists every such file.",
        )


@lru_cache(maxsize=4096)
def repository_of(folder: str) -> str | None:
    """The repository a folder lies in, or None."""
    for candidate in (Path(folder), *Path(folder).parents):
        if (candidate / "butler.yaml").is_file():
            return str(candidate)
    return None


@lru_cache(maxsize=65536)
def _sha256(path: str, modified: int, size: int) -> str:
    # Time and size are in the key: a file that changed is read again.
    return sha256_of(path)


@lru_cache(maxsize=4)
def _read(path: str, modified: int, size: int) -> dict[UUID, CertifiedFile]:
    files: dict[UUID, CertifiedFile] = {}
    for line in Path(path).read_text().splitlines():
        try:
            file = CertifiedFile.model_validate(json.loads(line))
        except ValueError:
            continue  # the half-written line of a killed process: its certification never happened
        files[file.dataset] = file
    return files


def _torn(path: Path) -> bool:
    data = path.read_bytes()
    return bool(data) and not data.endswith(b"\n")
