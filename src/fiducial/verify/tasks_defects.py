"""The task that verifies defects: all detectors of a camera at once, against what is certified."""

# No `from __future__ import annotations` in modules of tasks: the middleware looks at real classes.
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import pyarrow as pa
from lsst.pex.config import Field, RangeField
from lsst.pipe.base import PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct

from fiducial.cameras.model import Camera
from fiducial.corrections.defect_masters import ChooseAny
from fiducial.products.defects import DefectSet
from fiducial.verify import connections as c
from fiducial.verify.criteria import load_criteria
from fiducial.verify.defects import DefectLimits, judge_defects, measure_defects
from fiducial.verify.newest import newest_and_previous


class VerifyDefectsConnections(
    ChooseAny, PipelineTaskConnections, dimensions=("instrument",), defaultTemplates={"stage": "Defects"}
):
    """Defects of all detectors, and those certified before, in; rows and the verdict out."""

    masters_of_exposures = ("defects",)
    one_of = ("defects",)
    with_previous = True

    raws = c.raw_frames("Exposures for whose time defects have to be valid. Not read.")
    camera = c.camera_input()
    defects = c.of_all_detectors("defects", "Defects under test, and those certified before.")
    results = c.results(("instrument",))
    verdict = c.verdict(("instrument",))


class VerifyDefectsConfig(PipelineTaskConfig, pipelineConnections=VerifyDefectsConnections):
    """The limits."""

    criteria = Field[str](doc="A YAML file whose values go over the default criteria.", default="")
    most = RangeField(
        dtype=float,
        doc="Share of a detector that may be masked; default: that of the criteria.",
        default=None,
        optional=True,
        min=0.0,
    )
    change = RangeField(
        dtype=float,
        doc="Share of it that may change without a warning; default: that of the criteria.",
        default=None,
        optional=True,
        min=0.0,
    )

    def limits(self, instrument: str) -> DefectLimits:
        """The criteria's limits with these settings over them."""
        found = DefectLimits.of(load_criteria(instrument, self.criteria))
        own = {"most": self.most, "change": self.change}
        return replace(found, **{name: float(value) for name, value in own.items() if value is not None})


class VerifyDefectsTask(PipelineTask):
    """Judges defects. A product that fails is no error: the verdict says so."""

    ConfigClass = VerifyDefectsConfig
    _DefaultName = "verifyDefects"
    config: VerifyDefectsConfig

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        """Gather, judge, write."""
        now, before = newest_and_previous([butlerQC.get(ref) for ref in inputRefs.defects])
        outputs = self.run(camera=butlerQC.get(inputRefs.camera), defects=now, previous=before)
        butlerQC.put(outputs, outputRefs)

    def run(
        self, *, camera: Camera, defects: Sequence[DefectSet], previous: Mapping[int, DefectSet]
    ) -> Struct:
        """Judge.

        Parameters
        ----------
        camera
            Whose.
        defects
            One set per detector.
        previous
            By detector: what was certified before, where anything was.

        Returns
        -------
        Struct
            ``results``: a row per detector, amplifier and reason; ``verdict``: see
            `fiducial.verify.defects.judge_defects`.
        """
        rows = [
            row
            for one in sorted(defects, key=lambda d: d.detector)
            for row in measure_defects(one, previous.get(one.detector), camera)
        ]
        said = judge_defects(rows, self.config.limits(camera.name))
        self.log.info("defects: %s", said["verdict"].upper())
        for reason in said["reasons"]:
            self.log.info("%s", reason)
        return Struct(results=pa.Table.from_pylist([asdict(row) for row in rows]), verdict=said)
