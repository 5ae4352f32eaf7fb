"""A repository made ready for a camera."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fiducial.cameras import load_camera


@dataclass(frozen=True)
class Initialised:
    """What was made."""

    repository: str
    instrument: str
    detectors: int
    collections: tuple[str, ...]


def init(root: str | Path, camera: str | Path, *, add: bool = False) -> Initialised:
    """Make a repository ready for a camera.

    Parameters
    ----------
    root
        Folder of the repository.
    camera
        Name of a known camera, or the path of a camera file.
    add
        Whether a repository that holds other cameras may get this one too.

    Raises
    ------
    CameraError
        There is no such camera, or its file is off.
    RepositoryError, StorageError
        The folder cannot become a repository.
    """
    model = load_camera(camera)

    from fiducial.execution.pipelines import known_pipelines
    from fiducial.execution.run import register_dataset_types
    from fiducial.repository import Repository

    with Repository.create(root, model, add=add) as repository:
        register_dataset_types(repository.butler, known_pipelines())
    return Initialised(
        str(root), model.name, len(model.detectors), (f"{model.name}/raw/all", f"{model.name}/calib")
    )
