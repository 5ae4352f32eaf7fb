"""The tasks that judge: all detectors of one kind (and filter) at once."""

# No `from __future__ import annotations` in modules of tasks: the middleware looks at real classes.
from typing import Any, ClassVar

import pyarrow as pa
from lsst.pex.config import Field
from lsst.pipe.base import PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct

from fiducial.verify import connections as c
from fiducial.verify.criteria import load_criteria
from fiducial.verify.engine import judge
from fiducial.verify.telling import tell


class JudgeConnections(
    PipelineTaskConnections, dimensions=("instrument",), defaultTemplates={"stage": "Bias"}
):
    """Measurements of all detectors in, judged rows and the verdict out."""

    measurements = c.measurements(read=True)
    results = c.results(("instrument",))
    verdict = c.verdict(("instrument",))


class JudgeDarkConnections(JudgeConnections, dimensions=("instrument",), defaultTemplates={"stage": "Dark"}):
    """The same for darks."""


class JudgeFlatConnections(
    PipelineTaskConnections,
    dimensions=("instrument", "physical_filter"),
    defaultTemplates={"stage": "Flat"},
):
    """The same for the flats of a filter."""

    measurements = c.measurements(c.DETECTOR_AND_FILTER, read=True)
    results = c.results(("instrument", "physical_filter"))
    verdict = c.verdict(("instrument", "physical_filter"))


class JudgeConfig(PipelineTaskConfig, pipelineConnections=JudgeConnections):
    """The limits."""

    criteria = Field[str](doc="A YAML file whose values go over the default criteria.", default="")


class JudgeDarkConfig(JudgeConfig, pipelineConnections=JudgeDarkConnections):
    """As `JudgeConfig`, for darks."""


class JudgeFlatConfig(JudgeConfig, pipelineConnections=JudgeFlatConnections):
    """As `JudgeConfig`, for flats."""


class JudgeTask(PipelineTask):
    """Judges the measurements of all detectors. A product that fails is no error: the verdict says so."""

    ConfigClass = JudgeConfig
    _DefaultName: ClassVar[str] = "verifyBiasJudge"
    config: JudgeConfig

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        """Gather, judge, write."""
        refs = sorted(inputRefs.measurements, key=lambda ref: int(ref.dataId["detector"]))
        outputs = self.run(butlerQC.get(refs), str(butlerQC.quantum.dataId["instrument"]))
        butlerQC.put(outputs, outputRefs)

    def run(self, measurements: list[pa.Table], instrument: str) -> Struct:
        """Judge.

        Parameters
        ----------
        measurements
            One table per detector.
        instrument
            Whose own criteria go over the default ones.

        Returns
        -------
        Struct
            ``results``: the judged rows; ``verdict``: see `fiducial.verify.verdict.verdict_of`.
        """
        judgement = judge(pa.concat_tables(measurements), load_criteria(instrument, self.config.criteria))
        tell(self.log, judgement.verdict)
        return Struct(results=judgement.rows, verdict=judgement.verdict)


class JudgeDarkTask(JudgeTask):
    """Judges darks."""

    ConfigClass = JudgeDarkConfig
    _DefaultName = "verifyDarkJudge"


class JudgeFlatTask(JudgeTask):
    """Judges the flats of a filter."""

    ConfigClass = JudgeFlatConfig
    _DefaultName = "verifyFlatJudge"
