"""How the middleware reads raw frames: it never writes one."""

from __future__ import annotations

from typing import Any, ClassVar

from lsst.daf.butler import FormatterV2
from lsst.resources import ResourcePath

from fiducial.frames.raw import RawFrame


class RawFrameFormatter(FormatterV2):
    """Opens a raw FITS file and hands over its descriptor and layout; no pixel is read here."""

    default_extension: ClassVar[str | None] = ".fits"
    supported_extensions: ClassVar[frozenset[str]] = frozenset(
        {".fits", ".fit", ".fts", ".fz", ".gz", ".fits.fz", ".fits.gz", ".FIT", ".FITS", ".FTS"}
    )
    can_read_from_local_file: ClassVar[bool] = True

    def read_from_local_file(
        self, path: str, component: str | None = None, expected_size: int = -1
    ) -> RawFrame:
        """Open the file; see `fiducial.frames.raw.RawFrame.open` for what may be wrong with it."""
        return RawFrame.open(path)

    def write_local_file(self, in_memory_dataset: Any, uri: ResourcePath) -> None:
        """Refuse: raw frames are never changed, and none is made here."""
        raise NotImplementedError("raw frames are ingested, not written")
