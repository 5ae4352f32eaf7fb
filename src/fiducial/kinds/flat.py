"""Flat: the response of each pixel, from frames of even light, one for each filter."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import astropy.units as u
import numpy as np
from lsst.pipe.base import PipelineTask, PipelineTaskConfig, Struct
from lsst.pipe.base import connectionTypes as cT

from fiducial.cameras.model import Amplifier, Camera
from fiducial.corrections.base import Weights
from fiducial.corrections.chain import Chain, build_chain
from fiducial.corrections.frame import DetectorFrame
from fiducial.corrections.gains_in_force import as_measured
from fiducial.frames.records import FrameRecord
from fiducial.kinds.clipping import PER_PIXEL_VARIANCE, combine_batch, uses_scatter
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
from fiducial.kinds.engine import Batch
from fiducial.kinds.gather import gather
from fiducial.kinds.inputs import Offered, open_frames
from fiducial.kinds.level_table import read_scales
from fiducial.kinds.product import make_product
from fiducial.kinds.stack import stack_frames
from fiducial.products.metadata import AsideNote

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.algorithms.combine import Combined


class FlatConnections(StackConnections, dimensions=("instrument", "detector", "physical_filter")):
    """Raw flats, masters and scales in, a master out."""

    bias = stack_master(bias_input())
    dark = stack_master(dark_input())
    defects = stack_master(defects_input())
    linearizer = stack_master(linearizer_input())
    ptc = stack_master(ptc_input())
    scales = cT.Input(
        doc="What each exposure's amplifiers are divided by.",
        name="flatScales",
        storageClass="ArrowTable",
        dimensions=("instrument", "physical_filter"),
    )
    flat = cT.Output(
        doc="Master flat, relative to the focal plane's mean.",
        name="flat",
        storageClass="CalibrationImage",
        dimensions=("instrument", "detector", "physical_filter"),
        isCalibration=True,
    )


class FlatConfig(StackConfig, PipelineTaskConfig, pipelineConnections=FlatConnections):
    """Settings of the flat."""

    def setDefaults(self) -> None:
        """Work in electrons."""
        super().setDefaults()
        self.chain = ["saturation", "overscan", "gain", "assembly", "bias", "dark", "nan"]


class FlatTask(PipelineTask):
    """Combine flats of one detector and filter, divided by their levels; by the clipped mean as a rule."""

    ConfigClass = FlatConfig
    _DefaultName = "flat"
    config: FlatConfig

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        """Gather, combine, write."""
        gathered = gather(butlerQC, inputRefs)
        outputs = self.run(
            scales=butlerQC.get(inputRefs.scales),
            physical_filter=str(butlerQC.quantum.dataId["physical_filter"]),
            kind=outputRefs.flat.datasetType.name,
            **gathered,
        )
        butlerQC.put(outputs, outputRefs)

    def run(
        self,
        *,
        raws: Sequence[Offered],
        camera: Camera,
        detector: int,
        scales: Any,
        physical_filter: str,
        records: Mapping[int, FrameRecord] | None = None,
        masters: Mapping[str, Any] | None = None,
        threads: int = 1,
        kind: str = "flat",
    ) -> Struct:
        """Combine flats.

        Parameters
        ----------
        scales
            Arrow table of what each amplifier of each exposure is divided by.
        physical_filter
            The filter.
        raws, camera, detector, records, masters, threads, kind
            As of `fiducial.kinds.bias.BiasTask.run`.

        Returns
        -------
        Struct
            ``flat``: a MaskedImage without unit, whose mean over the focal plane is about 1.

        Raises
        ------
        NothingToDo
            Fewer than ``minimumFrames`` frames are usable and have a level.
        """
        camera = as_measured(camera, detector, masters)
        chain = build_chain(
            list(self.config.chain),
            self.config.corrections,
            camera=camera,
            detector=detector,
            masters=masters,
        )
        combiner = FlatCombiner(self.config, read_scales(scales, detector))
        frames, aside = open_frames(raws, camera, detector, records or {})
        without = [frame for frame in frames if not combiner.has_level(frame)]
        aside += [
            AsideNote(
                frame.exposure,
                "it has no level: saturated, without light, or not readable (flatLevels says which)",
            )
            for frame in without
        ]
        what = f"the {kind} of {camera.name} detector {detector}, {physical_filter}"
        stacked = stack_frames(
            [frame for frame in frames if frame not in without],
            chain,
            combiner,
            self.config.means(threads, what, camera, kind),
            aside=aside,
        )
        product = make_product(
            kind,
            stacked,
            chain,
            unit=u.dimensionless_unscaled,
            scale=combiner.mean_scale,
            time="exposure_time",
            notes=self.config.notes(),
            physical_filter=physical_filter,
        )
        return Struct(flat=product)


class FlatCombiner:
    """One value of flats, each amplifier of each frame divided by its scale."""

    extra_bytes = 0
    combine_raw = None

    def __init__(self, config: FlatConfig, scales: Mapping[tuple[int, str], float]) -> None:
        self._rule = config.rule()
        self._scales = scales
        self._alive = {amp for (_, amp), scale in scales.items() if scale > 0}

    def has_level(self, frame: DetectorFrame) -> bool:
        """Whether a frame has a scale on every amplifier that has one in any frame."""
        return bool(self._alive) and all(self._scale(frame, name) > 0 for name in self._alive)

    def mean_scale(self, frame: DetectorFrame) -> float:
        """The mean of a frame's scales over its amplifiers."""
        return float(np.mean([self._scale(frame, name) for name in sorted(self._alive)]))

    def prepare(self, frames: Sequence[DetectorFrame], chain: Chain) -> None:
        """Look at the frames' number and dark times."""
        self._world = chain.world
        self._frames = list(frames)
        self._times = np.array([frame.facts.dark_time for frame in frames])
        self.extra_bytes = 0 if uses_scatter(len(frames), self._rule) else PER_PIXEL_VARIANCE

    def offsets(self, amplifier: Amplifier) -> "NDArray[np.float64] | None":
        """None: levels are no matter beside the light."""
        return None

    def combine(self, batch: Batch, threads: int) -> "Combined":
        """Divide and combine; an amplifier that has a level in no frame has no usable pixel."""
        if batch.amplifier.name not in self._alive:
            batch.usable[:] = False
        return combine_batch(
            batch,
            self._rule,
            world=self._world,
            scale=self._of(batch.amplifier),
            light=True,
            threads=threads,
        )

    def weights(self, amplifier: Amplifier) -> Weights:
        """Of the mean of frames, each divided by its scale."""
        inverse = 1.0 / self._of(amplifier)
        return Weights(float(np.mean(inverse)), float(np.mean(inverse * self._times)))

    def _of(self, amplifier: Amplifier) -> "NDArray[np.float64]":
        if amplifier.name not in self._alive:
            return np.ones(len(self._frames))
        return np.array([self._scale(frame, amplifier.name) for frame in self._frames])

    def _scale(self, frame: DetectorFrame, amplifier: str) -> float:
        return self._scales.get((frame.exposure, amplifier), float("nan"))
