"""The middleware's Instrument classes, one for each camera, made when they are asked for.

``fiducial.repository.instruments.LATISS`` is the class of the packaged camera LATISS. A camera from a
user's own file has a class here too, by its name: the class needs nothing but that name, because the
repository holds the camera itself. So `pipetask` finds the class in any later process.
"""

from __future__ import annotations

from functools import cache
from typing import ClassVar

from lsst.daf.butler import DataId, FormatterV2, Registry
from lsst.pipe.base import Instrument

from fiducial.cameras import known_cameras, load_camera
from fiducial.cameras.model import Camera
from fiducial.repository.register import register_camera


class FiducialInstrument(Instrument):
    """A camera that the middleware knows by name."""

    camera_name: ClassVar[str] = ""
    raw_definition = ("raw", ("instrument", "exposure", "detector"), "RawFrame")

    @classmethod
    def getName(cls) -> str:  # noqa: N802
        """The instrument's name in data ids."""
        return cls.camera_name

    def register(self, registry: Registry, *, update: bool = False) -> None:
        """Make the camera, its dataset types and its collections known to a registry.

        Only packaged cameras can be registered this way; one from a user's file comes into a
        repository with ``fiducial init --camera FILE``, and is complete there.
        """
        register_camera(registry, self.camera(), update=update)

    def getRawFormatter(self, dataId: DataId) -> type[FormatterV2]:  # noqa: N802, N803
        """The formatter of raw frames."""
        from fiducial.repository.formatters_raw import RawFrameFormatter

        return RawFrameFormatter

    def makeDefaultRawIngestRunName(self) -> str:  # noqa: N802
        """The RUN of raw frames; ``<CAMERA>/raw/all`` is a chain here."""
        return self.makeCollectionName("raw", "frames")

    @classmethod
    def camera(cls) -> Camera:
        """The packaged camera of this name."""
        return load_camera(cls.camera_name)


@cache
def _instrument_class(name: str) -> type[FiducialInstrument]:
    return type(
        name,
        (FiducialInstrument,),
        {"camera_name": name, "policyName": name, "__module__": __name__, "__doc__": f"The camera {name}."},
    )


def __getattr__(name: str) -> type[FiducialInstrument]:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _instrument_class(name)


def __dir__() -> list[str]:
    return ["FiducialInstrument", *(load_camera(name).name for name in known_cameras())]
