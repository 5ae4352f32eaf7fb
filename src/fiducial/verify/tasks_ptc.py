"""The task that verifies photon transfer: all detectors of a camera at once, against what is certified."""

# No `from __future__ import annotations` in modules of tasks: the middleware looks at real classes.
from collections.abc import Mapping, Sequence
from typing import Any

from lsst.pex.config import Field
from lsst.pipe.base import PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct

from fiducial.cameras.model import Camera
from fiducial.corrections.defect_masters import ChooseAny
from fiducial.products.ptc import PhotonTransferCurve
from fiducial.verify import connections as c
from fiducial.verify.criteria import load_criteria
from fiducial.verify.newest import newest_and_previous
from fiducial.verify.product_rows import measure_product
from fiducial.verify.product_verdict import judge_product
from fiducial.verify.products import TransferSubject
from fiducial.verify.telling import tell


class VerifyPtcConnections(
    ChooseAny, PipelineTaskConnections, dimensions=("instrument",), defaultTemplates={"stage": "Ptc"}
):
    """Photon transfer of all detectors, and what was certified before, in; rows and the verdict out."""

    masters_of_exposures = ("ptc",)
    one_of = ("ptc",)
    with_previous = True

    raws = c.raw_frames("Exposures for whose time photon transfer has to be valid. Not read.")
    camera = c.camera_input()
    ptc = c.of_all_detectors("ptc", "Photon transfer under test, and what was certified before.")
    results = c.results(("instrument",))
    verdict = c.verdict(("instrument",))


class VerifyPtcConfig(PipelineTaskConfig, pipelineConnections=VerifyPtcConnections):
    """The limits."""

    criteria = Field[str](doc="A YAML file whose values go over the default criteria.", default="")


class VerifyPtcTask(PipelineTask):
    """Judges photon transfer. A product that fails is no error: the verdict says so."""

    ConfigClass = VerifyPtcConfig
    _DefaultName = "verifyPtc"
    config: VerifyPtcConfig

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        """Gather, judge, write."""
        now, before = newest_and_previous([butlerQC.get(ref) for ref in inputRefs.ptc])
        butlerQC.put(self.run(camera=butlerQC.get(inputRefs.camera), ptc=now, previous=before), outputRefs)

    def run(
        self,
        *,
        camera: Camera,
        ptc: Sequence[PhotonTransferCurve],
        previous: Mapping[int, PhotonTransferCurve],
    ) -> Struct:
        """Judge.

        Parameters
        ----------
        camera
            Whose; its own criteria go over the default ones.
        ptc
            One per detector.
        previous
            By detector: what was certified before, where anything was.

        Returns
        -------
        Struct
            ``results``: the judged rows; ``verdict``: see `fiducial.verify.product_verdict.judge_product`.
        """
        subjects = (
            TransferSubject(amp, one, previous.get(one.detector))
            for one in sorted(ptc, key=lambda p: p.detector)
            for amp in camera.amplifiers(one.detector)
        )
        criteria = load_criteria(camera.name, self.config.criteria)
        judgement = judge_product(measure_product("ptc", subjects), criteria, "ptc")
        tell(self.log, judgement.verdict)
        return Struct(results=judgement.rows, verdict=judgement.verdict)
