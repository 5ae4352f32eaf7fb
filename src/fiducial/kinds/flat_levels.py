"""The levels of flats: how bright each exposure is on each amplifier, over exactly the same pixels.

One task a detector and filter; the levels of all detectors are then solved together (`flat_solve`).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lsst.pipe.base import PipelineTask, PipelineTaskConfig, Struct
from lsst.pipe.base import connectionTypes as cT

from fiducial.cameras.model import Camera
from fiducial.corrections.chain import build_chain
from fiducial.corrections.gains_in_force import as_measured
from fiducial.frames.records import FrameRecord
from fiducial.kinds.config import StackConfig
from fiducial.kinds.connections import (
    StackConnections,
    bias_input,
    dark_input,
    defects_input,
    linearizer_input,
    ptc_input,
    stack_master,
)
from fiducial.kinds.flat_measure import measure_levels
from fiducial.kinds.gather import gather
from fiducial.kinds.inputs import Offered, open_frames
from fiducial.kinds.level_table import LevelRow, level_table

if TYPE_CHECKING:
    import pyarrow


class FlatLevelsConnections(StackConnections, dimensions=("instrument", "detector", "physical_filter")):
    """Raw flats and masters in, a table of levels out."""

    bias = stack_master(bias_input())
    dark = stack_master(dark_input())
    defects = stack_master(defects_input())
    linearizer = stack_master(linearizer_input())
    ptc = stack_master(ptc_input())
    levels = cT.Output(
        doc="Level of each exposure on each amplifier.",
        name="flatLevels",
        storageClass="ArrowTable",
        dimensions=("instrument", "detector", "physical_filter"),
    )


class FlatLevelsConfig(StackConfig, PipelineTaskConfig, pipelineConnections=FlatLevelsConnections):
    """Settings of the levels; the chain is that of the flat."""

    def setDefaults(self) -> None:
        """Work in electrons."""
        super().setDefaults()
        self.chain = ["saturation", "overscan", "gain", "assembly", "bias", "dark", "nan"]


class FlatLevelsTask(PipelineTask):
    """Measure the levels of the flats of one detector and filter."""

    ConfigClass = FlatLevelsConfig
    _DefaultName = "flatLevels"
    config: FlatLevelsConfig

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        """Gather, measure, write."""
        butlerQC.put(self.run(**gather(butlerQC, inputRefs)), outputRefs)

    def run(
        self,
        *,
        raws: Sequence[Offered],
        camera: Camera,
        detector: int,
        records: Mapping[int, FrameRecord] | None = None,
        masters: Mapping[str, Any] | None = None,
        threads: int = 1,
    ) -> Struct:
        """Measure; parameters as of `fiducial.kinds.bias.BiasTask.run`.

        Returns
        -------
        Struct
            ``levels``: an Arrow table with a row per exposure and amplifier
            (`fiducial.kinds.level_table`).

        Raises
        ------
        NothingToDo
            Fewer than ``minimumFrames`` frames are usable.
        """
        camera = as_measured(camera, detector, masters)
        chain = build_chain(
            list(self.config.chain),
            self.config.corrections,
            camera=camera,
            detector=detector,
            masters=masters,
        )
        frames, aside = open_frames(raws, camera, detector, records or {})
        measured = measure_levels(
            frames,
            chain,
            self.config.means(
                threads, f"the flat levels of {camera.name} detector {detector}", camera, "flat"
            ),
            aside=aside,
        )
        rows = [
            LevelRow(frame.exposure, detector, amp, float(measured.level[k, a]), int(measured.pixels[a]))
            for k, frame in enumerate(measured.frames)
            for a, amp in enumerate(measured.amplifiers)
        ]
        table: pyarrow.Table = level_table(rows)
        return Struct(levels=table)
