"""Raw levels: the median of each amplifier in each frame, a record of how the electronics drift."""

# No `from __future__ import annotations` in modules of tasks: the middleware looks at real classes.
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow
from lsst.pipe.base import PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct
from lsst.pipe.base import connectionTypes as cT

from fiducial.cameras.model import Camera
from fiducial.corrections.lookup import candidates
from fiducial.frames.raw import RawFrame


class RawLevelsConnections(PipelineTaskConnections, dimensions=("instrument", "detector")):
    """Raw frames and the camera in, a table out."""

    raws = cT.Input(
        doc="Raw frames.",
        name="raw",
        storageClass="RawFrame",
        dimensions=("instrument", "exposure", "detector"),
        multiple=True,
        deferLoad=True,
    )
    camera = cT.PrerequisiteInput(
        doc="The camera's description.",
        name="camera",
        storageClass="FiducialCamera",
        dimensions=("instrument",),
        isCalibration=True,
        lookupFunction=candidates,
    )
    levels = cT.Output(
        doc="Median raw level (adu) of each amplifier in each frame.",
        name="rawLevels",
        storageClass="ArrowTable",
        dimensions=("instrument", "detector"),
        isCalibration=True,
    )


class RawLevelsConfig(PipelineTaskConfig, pipelineConnections=RawLevelsConnections):
    """It has no settings."""


class RawLevelsTask(PipelineTask):
    """Measure the raw levels of the frames of one detector."""

    ConfigClass = RawLevelsConfig
    _DefaultName: ClassVar[str] = "rawLevels"

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        """Open the frames one by one, measure, write."""
        camera = butlerQC.get(inputRefs.camera)
        detector = int(butlerQC.quantum.dataId["detector"])
        handles = {int(ref.dataId["exposure"]): butlerQC.get(ref) for ref in inputRefs.raws}
        frames = {exposure: handles[exposure].get() for exposure in sorted(handles)}
        butlerQC.put(self.run(frames, camera, detector), outputRefs)

    def run(self, frames: Mapping[int, RawFrame], camera: Camera, detector: int) -> Struct:
        """Measure.

        Parameters
        ----------
        frames
            By exposure id.
        camera, detector
            What they are of.

        Returns
        -------
        Struct
            ``levels``: columns exposure, amplifier, level.
        """
        rows = [
            {
                "exposure": exposure,
                "amplifier": amp.name,
                "level": float(np.median(raw.read(amp.hdu, amp.data))),
            }
            for exposure, raw in frames.items()
            for amp in camera.amplifiers(detector)
        ]
        return Struct(levels=pyarrow.Table.from_pylist(rows))
