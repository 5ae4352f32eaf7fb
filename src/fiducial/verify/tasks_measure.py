"""The tasks that measure: one quantum is all exposures of one detector (and filter) against one master."""

# No `from __future__ import annotations` in modules of tasks: the middleware looks at real classes.
from datetime import datetime, timedelta
from typing import Any, ClassVar

from lsst.pex.config import ConfigField, Field, ListField
from lsst.pipe.base import PipelineTask, PipelineTaskConfig, Struct
from lsst.pipe.base import connectionTypes as cT  # noqa: F401 - the connections' annotations

from fiducial.corrections.defects import as_master
from fiducial.corrections.gains_in_force import with_gains_in_force
from fiducial.corrections.masters import Master
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.verify import connections as c
from fiducial.verify.criteria import load_criteria
from fiducial.verify.detrend import masters_needed
from fiducial.verify.opening import Offered, first_exposures_of, read_records
from fiducial.verify.rows import rows_to_arrow
from fiducial.verify.stream import MeasureSettings, measure_frames

MASTERS = ("bias", "dark", "flat")
IN_CHAIN = ("defects", "linearizer")
"""Read where the chain of the master under test has their corrections."""


class VerifyBiasConnections(c.FrameConnections, dimensions=c.DETECTOR, defaultTemplates={"stage": "Bias"}):
    """Raw biases and a master bias in, measurements and residuals out."""

    under_test = "bias"

    bias = c.master("bias", "The master bias under test.")
    measurements = c.measurements()
    residuals = c.residuals()


class VerifyDarkConnections(c.FrameConnections, dimensions=c.DETECTOR, defaultTemplates={"stage": "Dark"}):
    """Raw darks, a master dark and the bias before it in, measurements and residuals out."""

    under_test = "dark"
    used_before = ("bias",)

    bias = c.master("bias", "Master bias.", minimum=0)
    dark = c.master("dark", "The master dark under test.")
    measurements = c.measurements()
    residuals = c.residuals()


class VerifyFlatConnections(
    c.FrameConnections, dimensions=c.DETECTOR_AND_FILTER, defaultTemplates={"stage": "Flat"}
):
    """Raw flats, a master flat and the masters before it in, measurements and residuals out."""

    under_test = "flat"
    used_before = ("bias", "dark")

    bias = c.master("bias", "Master bias.", minimum=0)
    dark = c.master("dark", "Master dark.", minimum=0)
    flat = c.master("flat", "The master flat under test.", c.DETECTOR_AND_FILTER)
    measurements = c.measurements(c.DETECTOR_AND_FILTER)
    residuals = c.residuals(c.DETECTOR_AND_FILTER)


class VerifyConfig(PipelineTaskConfig, pipelineConnections=VerifyBiasConnections):
    """What is measured, and with which corrections."""

    chain = ListField[str](
        doc="Corrections of the frames, in order; empty: those of the master's own inputs.", default=[]
    )
    corrections: Any = ConfigField(
        doc="Settings of the corrections; the overscan model is the master's unless one is named here.",
        dtype=CorrectionsConfig,
    )
    criteria = Field[str](doc="A YAML file whose values go over the default criteria.", default="")
    firstExposures = ListField[int](
        doc="Ids of the first exposures of sets; empty: found among all frames of the day.", default=[]
    )
    matchState = Field[bool](
        doc="Refuse frames of another camera state than that of the master under test.", default=True
    )
    secondOverscan = Field[bool](
        doc="Keep binned residuals of biases under a second overscan model too.", default=True
    )


class VerifyDarkConfig(VerifyConfig, pipelineConnections=VerifyDarkConnections):
    """As `VerifyConfig`, for darks."""


class VerifyFlatConfig(VerifyConfig, pipelineConnections=VerifyFlatConnections):
    """As `VerifyConfig`, for flats."""


class VerifyTask(PipelineTask):
    """Measures every exposure of one detector against a master, one frame in memory at a time."""

    ConfigClass = VerifyConfig
    _DefaultName: ClassVar[str] = "verify"
    kind: ClassVar[str]
    config: VerifyConfig

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        """Gather, measure, write."""
        refs = sorted(inputRefs.raws, key=lambda ref: int(ref.dataId["exposure"]))
        handles = butlerQC.get(refs)
        masters = {
            kind: as_master(kind, butlerQC.get(ref), str(ref.id))
            for kind in MASTERS
            if (ref := getattr(inputRefs, kind, None)) is not None
        }
        needed = masters_needed(self.kind, masters[self.kind], self.config.chain, self.config.corrections)
        masters |= {
            kind: as_master(kind, butlerQC.get(ref), str(ref.id))
            for kind in IN_CHAIN
            if kind in needed and (ref := getattr(inputRefs, kind, None)) is not None
        }
        detector = int(butlerQC.quantum.dataId["detector"])
        tables = butlerQC.get(list(inputRefs.frameFacts)) if inputRefs.frameFacts else []
        outputs = self.run(
            raws=[
                Offered(int(ref.dataId["exposure"]), handle, begin_of(ref))
                for ref, handle in zip(refs, handles, strict=True)
            ],
            camera=butlerQC.get(inputRefs.camera),
            detector=detector,
            masters=masters,
            records=read_records(tables, detector),
            physical_filter=str(butlerQC.quantum.dataId.get("physical_filter", "")),
            threads=butlerQC.resources.num_cores,
        )
        butlerQC.put(outputs, outputRefs)

    def run(
        self,
        *,
        raws: list[Offered],
        camera: Any,
        detector: int,
        masters: dict[str, Master],
        records: Any = (),
        physical_filter: str = "",
        threads: int = 1,
    ) -> Struct:
        """Measure frames.

        Parameters
        ----------
        raws
            The frames that are offered, in any order.
        camera, detector
            What they are of.
        masters
            By kind: that under test, and those used before it.
        records
            What ingest noted of all frames of the days in question.
        physical_filter
            Of flats.
        threads
            Cores to use.

        Returns
        -------
        Struct
            ``measurements``: Arrow table of `fiducial.verify.rows.Row`; ``residuals``: a
            `~fiducial.products.residuals.ResidualStack`.

        Raises
        ------
        CalibrationMismatch
            The masters were made with different gains.
        """
        camera = with_gains_in_force(camera, detector, masters)
        criteria = load_criteria(camera.name, self.config.criteria)
        settings = MeasureSettings(
            kind=self.kind,
            chain=tuple(self.config.chain),
            corrections=self.config.corrections,
            second_overscan=bool(self.config.secondOverscan) and self.kind == "bias",
            expected_outliers=criteria.expected_outliers,
            threads=threads,
            match_state=bool(self.config.matchState),
        )
        rows, stack = measure_frames(
            sorted(raws, key=lambda one: (one.begin, one.exposure)),
            camera=camera,
            detector=detector,
            masters=masters,
            records={record.exposure: record for record in records},
            first=first_exposures_of(list(records), camera, self.config.firstExposures or ()),
            physical_filter=physical_filter,
            settings=settings,
            log=self.log,
        )
        return Struct(measurements=rows_to_arrow(rows), residuals=stack)


class VerifyBiasTask(VerifyTask):
    """Measures biases against a master bias."""

    _DefaultName = "verifyBias"
    kind = "bias"


class VerifyDarkTask(VerifyTask):
    """Measures darks against a master dark."""

    ConfigClass = VerifyDarkConfig
    _DefaultName = "verifyDark"
    kind = "dark"


class VerifyFlatTask(VerifyTask):
    """Measures flats against a master flat."""

    ConfigClass = VerifyFlatConfig
    _DefaultName = "verifyFlat"
    kind = "flat"


def begin_of(ref: Any) -> datetime:
    """When an exposure began (TAI), as the registry says."""
    record = ref.dataId.records["exposure"] if ref.dataId.hasRecords() else None
    if record is None or record.timespan is None or record.timespan.begin is None:
        return datetime.min
    begin = record.timespan.begin
    return datetime(1858, 11, 17) + timedelta(days=float(begin.tai.mjd))
