"""How the middleware stores a camera: the very YAML a user writes."""

from __future__ import annotations

from typing import ClassVar

from lsst.daf.butler import FormatterV2
from lsst.resources import ResourcePath

from fiducial.cameras import camera_from_yaml, camera_to_yaml
from fiducial.cameras.model import Camera
from fiducial.repository.integrity import verify_certified


class CameraFormatter(FormatterV2):
    """Reads and writes a camera as YAML."""

    default_extension: ClassVar[str | None] = ".yaml"
    supported_extensions: ClassVar[frozenset[str]] = frozenset({".yaml"})
    can_read_from_uri: ClassVar[bool] = True

    def read_from_uri(
        self, uri: ResourcePath, component: str | None = None, expected_size: int = -1
    ) -> Camera:
        """Read the camera; unknown keys and bad values are refused as in a user's file."""
        if uri.isLocal:
            verify_certified(uri.ospath, self.dataset_ref.id)
        return camera_from_yaml(uri.read().decode(), str(uri))

    def to_bytes(self, in_memory_dataset: Camera) -> bytes:
        """Write the camera as YAML."""
        return camera_to_yaml(in_memory_dataset).encode()
