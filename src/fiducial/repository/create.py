"""Making a repository: complete or not there at all, and adding a camera to one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import mkdtemp

from lsst.daf.butler import Butler, Config, DatasetRef, DatasetTypeNotSupportedError, Timespan

from fiducial.cameras.model import Camera
from fiducial.errors import RepositoryError
from fiducial.repository import names
from fiducial.repository.client import folder_uri, is_repository, open_butler
from fiducial.repository.dataset_types import camera_type, reproducible_ref
from fiducial.repository.integrity import certified_files, describe_file, record_certified
from fiducial.repository.ledger import Ledger
from fiducial.repository.register import register_camera
from fiducial.repository.storage import storage_errors

SEED = Path(__file__).with_name("config") / "seed.yaml"
"""Storage classes and formatters of every repository, for ``butler create --seed-config``."""


def create_repository(root: Path, camera: Camera, *, add: bool = False) -> None:
    """Make a repository for a camera, or complete one that holds this camera already.

    A new one is made in a hidden folder beside its place and moved there when it is complete, so
    that a kill at any moment leaves nothing half-made.

    Parameters
    ----------
    root
        Folder that does not exist yet, is empty, or holds a repository.
    camera
        The camera.
    add
        Whether a repository that holds other cameras may get this one too.

    Raises
    ------
    RepositoryError
        If the folder holds something else, another camera, or this camera with another description.
    StorageError
        If it cannot be written.
    """
    if is_repository(root):
        _check_cameras(root, camera, add)
        complete_repository(root, camera)
        return
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise RepositoryError(
            f"{root} is there already, and is no repository",
            hint="Name a new folder, or an empty one.",
        )
    with storage_errors(root):
        root.parent.mkdir(parents=True, exist_ok=True)
        # The middleware makes no repository in a folder whose name ends like a file's.
        outer = Path(mkdtemp(prefix=f".{root.name}.", dir=root.parent))
        building = outer / "repository"
        try:
            Butler.makeRepo(folder_uri(building), config=Config(str(SEED)))
            complete_repository(building, camera)
            os.rename(building, root)
        finally:
            shutil.rmtree(outer, ignore_errors=True)


def complete_repository(root: Path, camera: Camera) -> None:
    """Register the camera and store its description, as far as either is missing."""
    with storage_errors(root), open_butler(root, writeable=True) as butler:
        known = {record.name for record in butler.query_dimension_records("instrument", explain=False)}
        register_camera(butler.registry, camera)
        ref, stored = store_camera(butler, camera)
        if ref.id not in certified_files(root):
            record_certified(root, [describe_file(root, butler, ref)])
    if stored or camera.name not in known:
        Ledger(root).append("init", instrument=camera.name, inputs={"camera": camera.name})


def store_camera(butler: Butler, camera: Camera) -> tuple[DatasetRef, bool]:
    """Store a camera's description, valid for all time, unless one is stored.

    Returns
    -------
    ref, stored
        The camera in the repository, and whether it was stored now.
    """
    collection = names.calib_camera(camera.name)
    dataset_type = camera_type(butler.dimensions)
    if found := butler.query_datasets(
        dataset_type, collection, find_first=False, explain=False, instrument=camera.name
    ):
        return found[0], False
    data_id = butler.registry.expandDataId(instrument=camera.name)
    ref = reproducible_ref(dataset_type, data_id, names.calib_unbounded(camera.name))
    with butler.transaction():
        if butler.get_dataset(ref.id) is None:
            _put(butler, camera, ref)
        butler.registry.certify(collection, [ref], Timespan(None, None))
    return ref, True


def _put(butler: Butler, camera: Camera, ref: DatasetRef) -> None:
    try:
        butler.put(camera, ref)
    except DatasetTypeNotSupportedError as error:
        raise RepositoryError(
            "the repository has no storage class for a camera: it was made without our settings",
            hint=f"Make it with: butler create REPO --seed-config {SEED} --override",
        ) from error


def stored_camera(butler: Butler, instrument: str) -> Camera | None:
    """The camera as the repository holds it, or None."""
    refs = butler.query_datasets(
        names.CAMERA, names.calib_camera(instrument), instrument=instrument, find_first=False, explain=False
    )
    camera = butler.get(refs[0]) if refs else None
    if camera is not None and not isinstance(camera, Camera):
        raise RepositoryError(f"{refs[0]} is no camera of fiducial")
    return camera


def _check_cameras(root: Path, camera: Camera, add: bool) -> None:
    with open_butler(root, writeable=False) as butler:
        known = [record.name for record in butler.query_dimension_records("instrument", explain=False)]
        if camera.name in known:
            stored = stored_camera(butler, camera.name)
            if stored is not None and stored != camera:
                raise RepositoryError(
                    f"{root} holds a camera {camera.name} whose description differs",
                    hint="Give the new camera another name, or make another repository for it.",
                )
        elif known and not add:
            raise RepositoryError(
                f"{root} is a repository of {', '.join(known)}, not of {camera.name}",
                hint="Make another repository, or say that this one is to hold both cameras.",
            )
