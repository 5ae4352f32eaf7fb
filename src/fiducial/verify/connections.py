"""What the measuring and judging tasks take from the repository and put there."""

# No `from __future__ import annotations` in modules of tasks: the middleware looks at real classes.
from typing import Any

from lsst.pipe.base import PipelineTaskConnections
from lsst.pipe.base import connectionTypes as cT

from fiducial.corrections.defect_masters import candidates_of_detector
from fiducial.corrections.lookup import ChooseMasters, candidates
from fiducial.errors import NothingToDo

DETECTOR = ("instrument", "detector")
DETECTOR_AND_FILTER = ("instrument", "detector", "physical_filter")


def master(
    name: str,
    doc: str,
    dimensions: tuple[str, ...] = DETECTOR,
    minimum: int = 1,
    storage: str = "CalibrationImage",
) -> Any:
    """A master of the detector; of those that are valid for the exposures one is chosen."""
    return cT.PrerequisiteInput(
        doc=doc,
        name=name,
        storageClass=storage,
        dimensions=dimensions,
        isCalibration=True,
        lookupFunction=candidates,
        minimum=minimum,
    )


def of_all_detectors(name: str, doc: str) -> Any:
    """Products that are no images, of all detectors: `ChooseAny` leaves those that are wanted."""
    return cT.PrerequisiteInput(
        doc=doc,
        name=name,
        storageClass="FiducialProduct",
        dimensions=DETECTOR,
        isCalibration=True,
        multiple=True,
        minimum=0,
        lookupFunction=candidates_of_detector,
    )


def measurements(dimensions: tuple[str, ...] = DETECTOR, *, read: bool = False) -> Any:
    """The table of measurements, as an output or as the inputs of judging."""
    doc = "One row per exposure, amplifier and test, not judged yet."
    name, storage = "verify{stage}Measurements", "ArrowTable"
    if read:
        return cT.Input(doc=doc, name=name, storageClass=storage, dimensions=dimensions, multiple=True)
    return cT.Output(doc=doc, name=name, storageClass=storage, dimensions=dimensions)


def residuals(dimensions: tuple[str, ...] = DETECTOR) -> Any:
    """Binned residuals, histograms and profiles."""
    return cT.Output(
        doc="Binned residual images, histograms and profiles of every exposure.",
        name="verify{stage}Residuals",
        storageClass="FiducialProduct",
        dimensions=dimensions,
    )


def results(dimensions: tuple[str, ...]) -> Any:
    """The judged rows."""
    return cT.Output(
        doc="Measurements of all detectors with limits, margins and outcomes.",
        name="verify{stage}Results",
        storageClass="ArrowTable",
        dimensions=dimensions,
    )


def verdict(dimensions: tuple[str, ...]) -> Any:
    """The verdict."""
    return cT.Output(
        doc="The verdict on every product and frame, with reasons.",
        name="verify{stage}Verdict",
        storageClass="StructuredDataDict",
        dimensions=dimensions,
    )


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


class FrameConnections(ChooseMasters, PipelineTaskConnections, dimensions=DETECTOR):
    """Raw frames, what ingest noted of them, and the camera.

    Subclasses have the master under test under the name of its kind, and perhaps the masters used
    before it, which may be missing: whether they are needed says the master.
    """

    under_test = ""
    used_before: tuple[str, ...] = ()
    used_in_chain = ("defects", "linearizer")

    raws = raw_frames("Raw frames: those that went into the master, and others.")
    frameFacts = cT.Input(
        doc="What ingest noted of the frames. Not needed.",
        name="frameFacts",
        storageClass="ArrowTable",
        dimensions=("instrument", "day_obs"),
        multiple=True,
        minimum=0,
        deferGraphConstraint=True,
    )
    camera = camera_input()
    defects = master("defects", "Defects.", minimum=0, storage="FiducialProduct")
    linearizer = master("linearizer", "Linearizer.", minimum=0, storage="FiducialProduct")

    def adjust_all_quanta(self, adjuster: Any) -> None:
        """Choose the masters: that under test must be valid for all exposures, the others if they can."""
        self.masters_of_exposures = (self.under_test,)
        super().adjust_all_quanta(adjuster)
        chosen: dict[Any, dict[str, Any]] = {key: dict(one) for key, one in (self._choices or {}).items()}
        before = (*self.used_before, *self.used_in_chain)
        for name in before:
            self.masters_of_exposures = (name,)
            try:
                super().adjust_all_quanta(adjuster)
            except NothingToDo:
                self._choices = {key: {} for key in chosen}
            for key, found in chosen.items():
                found[name] = (self._choices or {}).get(key, {}).get(name)
        self.masters_of_exposures = (self.under_test, *before)
        self._choices = chosen
