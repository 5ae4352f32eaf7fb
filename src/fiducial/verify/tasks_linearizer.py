"""The task that verifies linearizers: all detectors of a camera at once, against what is certified."""

# No `from __future__ import annotations` in modules of tasks: the middleware looks at real classes.
from collections.abc import Mapping, Sequence
from typing import Any

from lsst.pex.config import Field
from lsst.pipe.base import PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct

from fiducial.cameras.model import Camera
from fiducial.corrections.defect_masters import ChooseAny
from fiducial.products.linearizer import Linearizer
from fiducial.products.ptc import PhotonTransferCurve
from fiducial.verify import connections as c
from fiducial.verify.criteria import load_criteria
from fiducial.verify.newest import newest_and_previous
from fiducial.verify.product_rows import measure_product
from fiducial.verify.product_verdict import judge_product
from fiducial.verify.products import LinearitySubject
from fiducial.verify.telling import tell


class VerifyLinearizerConnections(
    ChooseAny, PipelineTaskConnections, dimensions=("instrument",), defaultTemplates={"stage": "Linearizer"}
):
    """Linearizers of all detectors, and those certified before, in; rows and the verdict out."""

    masters_of_exposures = ("linearizer", "ptc")
    one_of = ("linearizer",)
    with_previous = True

    raws = c.raw_frames("Exposures for whose time linearizers have to be valid. Not read.")
    camera = c.camera_input()
    linearizer = c.of_all_detectors("linearizer", "Linearizers under test, and those certified before.")
    ptc = c.of_all_detectors("ptc", "Photon transfer that is in force, for its turn-off. Not needed.")
    results = c.results(("instrument",))
    verdict = c.verdict(("instrument",))


class VerifyLinearizerConfig(PipelineTaskConfig, pipelineConnections=VerifyLinearizerConnections):
    """The limits."""

    criteria = Field[str](doc="A YAML file whose values go over the default criteria.", default="")


class VerifyLinearizerTask(PipelineTask):
    """Judges linearizers. A product that fails is no error: the verdict says so."""

    ConfigClass = VerifyLinearizerConfig
    _DefaultName = "verifyLinearizer"
    config: VerifyLinearizerConfig

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        """Gather, judge, write."""
        now, before = newest_and_previous([butlerQC.get(ref) for ref in inputRefs.linearizer])
        transfer, _ = newest_and_previous([butlerQC.get(ref) for ref in inputRefs.ptc])
        outputs = self.run(
            camera=butlerQC.get(inputRefs.camera),
            linearizers=now,
            previous=before,
            transfer={one.detector: one for one in transfer},
        )
        butlerQC.put(outputs, outputRefs)

    def run(
        self,
        *,
        camera: Camera,
        linearizers: Sequence[Linearizer],
        previous: Mapping[int, Linearizer],
        transfer: Mapping[int, PhotonTransferCurve],
    ) -> Struct:
        """Judge.

        Parameters
        ----------
        camera
            Whose; its own criteria go over the default ones.
        linearizers
            One per detector.
        previous, transfer
            By detector: what was certified before, and photon transfer, where there is any.

        Returns
        -------
        Struct
            ``results``: the judged rows; ``verdict``: see `fiducial.verify.product_verdict.judge_product`.
        """
        subjects = (
            LinearitySubject(amp, one, previous.get(one.detector), transfer.get(one.detector))
            for one in sorted(linearizers, key=lambda p: p.detector)
            for amp in camera.amplifiers(one.detector)
        )
        criteria = load_criteria(camera.name, self.config.criteria)
        judgement = judge_product(measure_product("linearizer", subjects), criteria, "linearizer")
        tell(self.log, judgement.verdict)
        return Struct(results=judgement.rows, verdict=judgement.verdict)
