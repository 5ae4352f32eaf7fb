"""What the tasks of all kinds take from the repository."""

# No `from __future__ import annotations` in modules of tasks: the middleware looks at real classes.
from typing import Any

from lsst.pipe.base import PipelineTaskConnections
from lsst.pipe.base import connectionTypes as cT

from fiducial.corrections.lookup import ChooseMasters, candidates
from fiducial.kinds.gather import MASTERS


def raw_frames(doc: str) -> cT.Input:
    """The raw frames of exposures."""
    return cT.Input(
        doc=doc,
        name="raw",
        storageClass="RawFrame",
        dimensions=("instrument", "exposure", "detector"),
        multiple=True,
        deferLoad=True,
    )


def camera_input() -> cT.PrerequisiteInput:
    """The camera that is certified."""
    return cT.PrerequisiteInput(
        doc="The camera's description.",
        name="camera",
        storageClass="FiducialCamera",
        dimensions=("instrument",),
        isCalibration=True,
        lookupFunction=candidates,
    )


class FrameConnections(PipelineTaskConnections, dimensions=("instrument", "detector")):
    """Raw frames, what ingest noted of them, and the camera."""

    raws = raw_frames("Raw frames.")
    frameFacts = cT.Input(
        doc="What ingest noted of the frames: checksums, facts, content. Not needed.",
        name="frameFacts",
        storageClass="ArrowTable",
        dimensions=("instrument", "day_obs"),
        multiple=True,
        minimum=0,
        deferGraphConstraint=True,
    )
    camera = camera_input()


def bias_input(name: str = "bias") -> cT.PrerequisiteInput:
    """A master bias of the detector."""
    return _master(name, "Master bias.", ("instrument", "detector"))


def dark_input(name: str = "dark") -> cT.PrerequisiteInput:
    """A master dark of the detector."""
    return _master(name, "Master dark, per second.", ("instrument", "detector"))


def flat_input(name: str = "flat") -> cT.PrerequisiteInput:
    """A master flat of the detector and filter."""
    return _master(name, "Master flat.", ("instrument", "detector", "physical_filter"))


def defects_input(name: str = "defects") -> cT.PrerequisiteInput:
    """Defects of the detector."""
    return _master(name, "Defects.", ("instrument", "detector"), "FiducialProduct")


def linearizer_input(name: str = "linearizer") -> cT.PrerequisiteInput:
    """The linearity of the detector's amplifiers."""
    return _master(name, "Linearizer.", ("instrument", "detector"), "FiducialProduct")


def ptc_input(name: str = "ptc") -> cT.PrerequisiteInput:
    """Photon transfer of the detector's amplifiers."""
    return _master(name, "Photon transfer.", ("instrument", "detector"), "FiducialProduct")


def _master(
    name: str, doc: str, dimensions: tuple[str, ...], storage: str = "CalibrationImage"
) -> cT.PrerequisiteInput:
    return cT.PrerequisiteInput(
        doc=doc,
        name=name,
        storageClass=storage,
        dimensions=dimensions,
        isCalibration=True,
    )


def stack_master(connection: cT.PrerequisiteInput) -> cT.PrerequisiteInput:
    """The same for a task whose quanta hold many exposures (`ChooseMasters`)."""
    from dataclasses import replace

    return replace(connection, lookupFunction=candidates)


class StackConnections(ChooseMasters, FrameConnections, dimensions=("instrument", "detector")):
    """What a stack takes; masters that its settings do not need are not looked for."""

    def __init__(self, *, config: Any = None) -> None:
        super().__init__(config=config)
        needed = set(config.masters())
        for name in set(MASTERS) & set(self.prerequisiteInputs) - needed:
            delattr(self, name)
        self.masters_of_exposures = sorted(needed & set(self.prerequisiteInputs))
