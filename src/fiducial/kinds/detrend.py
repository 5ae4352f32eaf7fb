"""Detrend: one exposure of one detector corrected with the masters that are valid for it."""

from collections.abc import Mapping
from typing import Any

import astropy.units as u
import numpy as np
from lsst.pipe.base import PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct
from lsst.pipe.base import connectionTypes as cT

from fiducial.cameras.model import Camera
from fiducial.corrections.chain import Chain, build_chain
from fiducial.corrections.frame import DetectorFrame
from fiducial.corrections.gains_in_force import as_measured
from fiducial.corrections.memory import FrameMemory
from fiducial.corrections.segment import Segment
from fiducial.corrections.single_pass import CorrectedFrame, correct_frame
from fiducial.frames.records import FrameRecord
from fiducial.kinds.config import ChainConfig
from fiducial.kinds.connections import (
    bias_input,
    dark_input,
    defects_input,
    flat_input,
    linearizer_input,
    ptc_input,
)
from fiducial.kinds.gather import MASTERS, KeptMasters
from fiducial.kinds.inputs import Offered, open_frame, read_records
from fiducial.products import metadata as meta
from fiducial.products.images import to_masked_image

UNITS = {"adu": u.adu, "electron": u.electron}


class DetrendConnections(PipelineTaskConnections, dimensions=("instrument", "exposure", "detector")):
    """A raw frame and masters in, a corrected frame out."""

    raw = cT.Input(
        doc="Raw frame.",
        name="raw",
        storageClass="RawFrame",
        dimensions=("instrument", "exposure", "detector"),
        deferLoad=True,
    )
    frameFacts = cT.Input(
        doc="What ingest noted of the frames of the day. Not needed.",
        name="frameFacts",
        storageClass="ArrowTable",
        dimensions=("instrument", "day_obs"),
        multiple=True,
        minimum=0,
        deferGraphConstraint=True,
    )
    camera = cT.PrerequisiteInput(
        doc="The camera's description.",
        name="camera",
        storageClass="FiducialCamera",
        dimensions=("instrument",),
        isCalibration=True,
    )
    bias = bias_input()
    dark = dark_input()
    flat = flat_input()
    defects = defects_input()
    linearizer = linearizer_input()
    ptc = ptc_input()
    detrended = cT.Output(
        doc="Corrected frame.",
        name="detrended",
        storageClass="CalibrationImage",
        dimensions=("instrument", "exposure", "detector"),
    )

    def __init__(self, *, config: Any = None) -> None:
        super().__init__(config=config)
        for name in set(MASTERS) - set(config.masters()):
            delattr(self, name)


class DetrendConfig(ChainConfig, PipelineTaskConfig, pipelineConnections=DetrendConnections):
    """Settings of the detrending."""

    def setDefaults(self) -> None:
        """Everything, in electrons."""
        super().setDefaults()
        self.chain = [
            "saturation",
            "overscan",
            "gain",
            "assembly",
            "bias",
            "variance",
            "dark",
            "flat",
            "nan",
        ]


class DetrendTask(PipelineTask):
    """Correct one exposure of one detector; the masters of one exposure are kept for the next."""

    ConfigClass = DetrendConfig
    _DefaultName = "detrend"
    config: DetrendConfig

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._masters = KeptMasters()
        self._memory = FrameMemory()

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        """Gather, correct, write."""
        exposure, detector = (int(butlerQC.quantum.dataId[name]) for name in ("exposure", "detector"))
        tables = butlerQC.get(list(inputRefs.frameFacts)) if getattr(inputRefs, "frameFacts", None) else []
        outputs = self.run(
            raw=Offered(exposure, butlerQC.get(inputRefs.raw)),
            camera=butlerQC.get(inputRefs.camera),
            detector=detector,
            record=read_records(tables, detector, [exposure]).get(exposure),
            masters=self._masters.read(butlerQC, inputRefs),
            threads=butlerQC.resources.num_cores,
            memory=self._memory,
        )
        butlerQC.put(outputs, outputRefs)

    def run(
        self,
        *,
        raw: Offered,
        camera: Camera,
        detector: int,
        record: FrameRecord | None = None,
        masters: Mapping[str, Any] | None = None,
        threads: int = 1,
        memory: FrameMemory | None = None,
    ) -> Struct:
        """Correct a frame.

        Parameters
        ----------
        raw
            The frame.
        camera, detector
            What it is of.
        record
            What ingest noted of it.
        masters
            By kind: those that the chain needs.
        threads
            Threads to use; no pixel depends on it.
        memory
            Where the pixels go: the result is valid until it is used again. None: to memory of their own.

        Returns
        -------
        Struct
            ``detrended``: a MaskedImage in adu or electron, with what was applied in its metadata.

        Raises
        ------
        FrameError
            The frame cannot be read.
        CalibrationMismatch
            A master does not belong to it.
        """
        camera = as_measured(camera, detector, masters)
        chain = build_chain(
            list(self.config.chain),
            self.config.corrections,
            camera=camera,
            detector=detector,
            masters=masters,
        )
        frame = open_frame(raw, camera, detector, record)
        chain.prepare(frame, threads=threads)
        corrected = correct_frame(chain, frame, threads=threads, memory=memory)
        return Struct(detrended=product_of(frame, chain, corrected))


def product_of(frame: DetectorFrame, chain: Chain, corrected: CorrectedFrame) -> Any:
    """Make a product of a corrected frame, with the provenance of what was done."""
    facts = frame.facts
    keys = meta.identity(
        "detrended",
        frame.camera,
        frame.detector,
        chain.world,
        serial=facts.detector_serial or "",
        physical_filter=facts.filter,
    )
    note = meta.InputNote(
        frame.exposure,
        facts.begin.isoformat(),
        1.0,
        facts.exposure_time,
        frame.record.sha256 if frame.record else "",
    )
    keys |= meta.inputs([note]) | {"FID DARK TIME": facts.dark_time}
    keys |= meta.state([facts], frame.camera)
    keys |= meta.corrections(chain.names, chain.notes())
    keys |= meta.amplifiers(corrected.image, corrected.mask, frame.camera, frame.detector)
    keys |= overscan_notes(corrected.segments)
    keys |= frame.notes
    keys |= meta.run_notes({kind: master.dataset for kind, master in chain.context.masters.items()})
    return to_masked_image(
        corrected.image, corrected.variance, corrected.mask, unit=UNITS[chain.world], metadata=keys
    )


def overscan_notes(segments: list[Segment]) -> dict[str, float]:
    """Level and noise (adu) of the serial overscan of each amplifier that has one with usable pixels."""
    keys: dict[str, float] = {}
    for segment in segments:
        model = segment.models.get("serial")
        if model is not None and np.isfinite(model.noise):
            start = f"FID AMP {segment.amplifier.name} OVERSCAN"
            keys |= {f"{start} LEVEL": float(np.nanmedian(model.level)), f"{start} NOISE": float(model.noise)}
    return keys
