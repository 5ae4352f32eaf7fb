"""Dark: the charge that gathers in a second without light, from frames of any times."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import astropy.units as u
import numpy as np
from lsst.pipe.base import PipelineTask, PipelineTaskConfig, Struct
from lsst.pipe.base import connectionTypes as cT

from fiducial.algorithms.dark import combine_dark
from fiducial.cameras.model import Amplifier, Camera
from fiducial.corrections.base import Weights
from fiducial.corrections.chain import Chain, build_chain
from fiducial.corrections.frame import DetectorFrame
from fiducial.corrections.gains_in_force import as_measured
from fiducial.corrections.variance import read_variance
from fiducial.frames.records import FrameRecord
from fiducial.kinds.clipping import combine_batch
from fiducial.kinds.config import StackConfig
from fiducial.kinds.connections import (
    StackConnections,
    bias_input,
    defects_input,
    linearizer_input,
    ptc_input,
    stack_master,
)
from fiducial.kinds.engine import Batch
from fiducial.kinds.gather import gather
from fiducial.kinds.inputs import Offered, open_frames
from fiducial.kinds.levels import DarkLevels, dark_levels, drifting, sample
from fiducial.kinds.product import make_product
from fiducial.kinds.stack import stack_frames
from fiducial.products.metadata import AsideNote

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.algorithms.combine import Combined

UNITS = {"adu": u.adu / u.s, "electron": u.electron / u.s}


class DarkConnections(StackConnections, dimensions=("instrument", "detector")):
    """Raw darks and a master bias in, a master out."""

    bias = stack_master(bias_input())
    defects = stack_master(defects_input())
    linearizer = stack_master(linearizer_input())
    ptc = stack_master(ptc_input())
    dark = cT.Output(
        doc="Master dark, per second.",
        name="dark",
        storageClass="CalibrationImage",
        dimensions=("instrument", "detector"),
        isCalibration=True,
    )


class DarkConfig(StackConfig, PipelineTaskConfig, pipelineConnections=DarkConnections):
    """Settings of the dark."""

    def setDefaults(self) -> None:
        """Work in electrons, reject what a cosmic ray lifts by more than four expected sigmas."""
        super().setDefaults()
        self.chain = ["saturation", "overscan", "gain", "assembly", "bias", "nan"]
        self.kappa = 4.0
        self.iterations = 5


class DarkTask(PipelineTask):
    """Combine darks of one detector into a rate, cosmic rays rejected against the expected noise."""

    ConfigClass = DarkConfig
    _DefaultName = "dark"
    config: DarkConfig

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        """Gather, combine, write."""
        gathered = gather(butlerQC, inputRefs)
        outputs = self.run(kind=outputRefs.dark.datasetType.name, **gathered)
        butlerQC.put(outputs, outputRefs)

    def run(
        self,
        *,
        raws: Sequence[Offered],
        camera: Camera,
        detector: int,
        records: Mapping[int, FrameRecord] | None = None,
        masters: Mapping[str, Any] | None = None,
        threads: int = 1,
        kind: str = "dark",
    ) -> Struct:
        """Combine darks; parameters as of `fiducial.kinds.bias.BiasTask.run`, ``masters`` with a bias.

        Returns
        -------
        Struct
            ``dark``: a MaskedImage in adu/s or electron/s.

        Raises
        ------
        NothingToDo
            Fewer than ``minimumFrames`` frames are usable; those without a dark time are not.
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
        aside += [
            AsideNote(f.exposure, f"its dark time is {f.facts.dark_time} s")
            for f in frames
            if not f.facts.dark_time > 0
        ]
        combiner = DarkCombiner(self.config)
        stacked = stack_frames(
            [frame for frame in frames if frame.facts.dark_time > 0],
            chain,
            combiner,
            self.config.means(threads, f"the {kind} of {camera.name} detector {detector}", camera, kind),
            aside=aside,
        )
        product = make_product(
            kind,
            stacked,
            chain,
            unit=UNITS[chain.world],
            scale=lambda frame: frame.facts.dark_time,
            time="dark_time",
            notes={**self.config.notes(), **combiner.notes(len(stacked.frames))},
        )
        return Struct(dark=product)


class DarkCombiner:
    """Rates weighted by their expected noise; levels that do not grow with time are taken out first.

    Frames of one time only cannot tell level from rate: they are brought to their common mean level,
    which stays in the rate.
    """

    extra_bytes = 0
    combine_raw = None

    def __init__(self, config: DarkConfig) -> None:
        self._rule = config.rule()
        self._levels: dict[str, DarkLevels] = {}

    def prepare(self, frames: Sequence[DetectorFrame], chain: Chain) -> None:
        """Take the frames' times, and fit the levels of amplifiers without overscan."""
        self._world = chain.world
        self._times = np.array([frame.facts.dark_time for frame in frames])
        amplifiers = drifting(chain)
        sampled = sample(frames, chain, amplifiers)
        self._levels = {
            amp.name: dark_levels(sampled[amp.name], self._times, chain, amp) for amp in amplifiers
        }

    def offsets(self, amplifier: Amplifier) -> "NDArray[np.float64] | None":
        """What each frame has beyond rate times time."""
        found = self._levels.get(amplifier.name)
        return None if found is None else found.level

    def combine(self, batch: Batch, threads: int) -> "Combined":
        """Reject and average; medians, and means without extremes, are of rates that all weigh the same."""
        if self._rule.mode not in ("mean", "clipped_mean"):
            return combine_batch(
                batch, self._rule, world=self._world, scale=self._times, light=True, threads=threads
            )
        return combine_dark(
            batch.stack,
            None if batch.usable.all() else batch.usable,
            times=self._times,
            read_variance=self._read_variance(batch.amplifier) + batch.added,
            gain=1.0 if self._world == "electron" else batch.amplifier.gain,
            kappa=self._rule.kappa,
            iterations=0 if self._rule.mode == "mean" else self._rule.iterations,
            threads=threads,
        )

    def weights(self, amplifier: Amplifier) -> Weights:
        """Of frames weighted by t^2 / variance: each enters the rate with t / sum(t^2), at equal variance.

        Rates that weigh the same enter with 1 / (n t).
        """
        if self._rule.mode not in ("mean", "clipped_mean"):
            return Weights(float(np.mean(1.0 / self._times)), 1.0)
        return Weights(float(np.sum(self._times) / np.sum(self._times**2)), 1.0)

    def notes(self, n_frames: int) -> dict[str, float | bool]:
        """Level and rate of each amplifier, and each frame's level, where there is no overscan."""
        keys: dict[str, float | bool] = {}
        for name, found in self._levels.items():
            fit = found.fit
            keys |= {f"FID AMP {name} RATE": fit.rate, f"FID AMP {name} RATE ERROR": fit.rate_error}
            keys[f"FID AMP {name} LEVEL FITTED"] = fit.determined
            if fit.determined:
                keys |= {f"FID AMP {name} LEVEL": fit.level, f"FID AMP {name} LEVEL ERROR": fit.level_error}
            for i in range(n_frames):
                keys[f"FID INPUT {i} LEVEL {name}"] = float(found.level[i])
        return keys

    def _read_variance(self, amplifier: Amplifier) -> float:
        return read_variance(amplifier, self._world)
