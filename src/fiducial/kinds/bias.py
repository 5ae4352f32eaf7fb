"""Bias: what the electronics add to every pixel, from frames without light or time."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import astropy.units as u
import numpy as np
from lsst.pex.config import ChoiceField
from lsst.pipe.base import PipelineTask, PipelineTaskConfig, Struct
from lsst.pipe.base import connectionTypes as cT

from fiducial.algorithms.combine_by import loss_of_median
from fiducial.cameras.model import Amplifier, Camera
from fiducial.corrections.base import Context, Weights
from fiducial.corrections.chain import Chain, build_chain, world_of
from fiducial.corrections.frame import DetectorFrame
from fiducial.corrections.gains_in_force import gain_keys, gains_of_transfer, with_gains
from fiducial.corrections.masters import Master
from fiducial.corrections.measured_noise import noise_keys
from fiducial.corrections.transfer_master import curve_of, transfer_master
from fiducial.errors import ConfigurationError
from fiducial.frames.records import FrameRecord
from fiducial.kinds.clipping import combine_batch, combine_raw_batch, uses_scatter
from fiducial.kinds.config import StackConfig
from fiducial.kinds.connections import (
    StackConnections,
    defects_input,
    linearizer_input,
    ptc_input,
    stack_master,
)
from fiducial.kinds.engine import Batch
from fiducial.kinds.gather import gather
from fiducial.kinds.inputs import Offered, open_frames
from fiducial.kinds.levels import bias_levels, drifting, sample
from fiducial.kinds.product import make_product
from fiducial.kinds.setting_aside import fitting
from fiducial.kinds.stack import Stacked, stack_frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.algorithms.combine import Combined
    from fiducial.kinds.raw_batches import RawBatch

UNITS = {"adu": u.adu, "electron": u.electron}


class BiasConnections(StackConnections, dimensions=("instrument", "detector")):
    """Raw biases in, and photon transfer if its gains are wanted; a master out."""

    defects = stack_master(defects_input())
    linearizer = stack_master(linearizer_input())
    ptc = stack_master(ptc_input())
    bias = cT.Output(
        doc="Master bias.",
        name="bias",
        storageClass="CalibrationImage",
        dimensions=("instrument", "detector"),
        isCalibration=True,
    )


class BiasConfig(StackConfig, PipelineTaskConfig, pipelineConnections=BiasConnections):
    """Settings of the bias."""

    gains = ChoiceField[str](
        doc="The gains of this bias in electrons, and through its header of all that is made with it.",
        default="camera",
        allowed={
            "camera": "Those of the camera file.",
            "ptc": "Those of photon transfer; the camera file's of amplifiers that it does not determine.",
        },
        optional=False,
    )

    def setDefaults(self) -> None:
        """Work in electrons, with overscan."""
        super().setDefaults()
        self.chain = ["saturation", "overscan", "gain", "assembly", "nan"]

    def masters(self) -> tuple[str, ...]:
        """Those of the chain, and photon transfer where it gives the gains."""
        return super().masters() + (("ptc",) if self.gains == "ptc" else ())

    def validate(self) -> None:
        """Refuse gains for a bias that has none."""
        super().validate()
        if self.gains == "ptc" and world_of(list(self.chain)) == "adu":
            raise ConfigurationError(
                "gains=ptc is for a bias in electrons, and this chain works in adu",
                hint="Put 'gain' into the chain, or set gains=camera.",
            )


class BiasTask(PipelineTask):
    """Combine biases of one detector: by the clipped mean if not asked otherwise, variance by the scatter."""

    ConfigClass = BiasConfig
    _DefaultName = "bias"
    config: BiasConfig

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        """Gather, combine, write."""
        gathered = gather(butlerQC, inputRefs)
        outputs = self.run(kind=outputRefs.bias.datasetType.name, **gathered)
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
        kind: str = "bias",
    ) -> Struct:
        """Combine biases.

        Parameters
        ----------
        raws
            The frames that are offered.
        camera, detector
            What they are of.
        records
            What ingest noted of them, by exposure.
        masters
            By kind, where the chain or the gains need any.
        threads
            Cores to use.
        kind
            Name of the product.

        Returns
        -------
        Struct
            ``bias``: a MaskedImage in adu or electron.

        Raises
        ------
        NothingToDo
            Fewer than ``minimumFrames`` frames are usable.
        CalibrationMismatch
            The photon transfer curve is of another detector, or of another camera state than all frames.
        """
        transfer = self._transfer(camera, detector, masters or {})
        measured = None if transfer is None else gains_of_transfer(curve_of(transfer))
        camera = with_gains(camera, detector, {name: gain for name, (gain, _) in (measured or {}).items()})
        chain = build_chain(
            list(self.config.chain),
            self.config.corrections,
            camera=camera,
            detector=detector,
            masters=masters,
        )
        frames, aside = open_frames(raws, camera, detector, records or {})
        if transfer is not None:
            frames, others = fitting(frames, transfer.require_state)
            aside += others
        combiner = BiasCombiner(self.config)
        stacked = stack_frames(
            frames,
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
            scale=lambda _: 1.0,
            time="exposure_time",
            notes=self.config.notes()
            | combiner.notes(stacked.frames)
            | self._noise(stacked, chain)
            | (gain_keys(camera, detector, measured) if chain.world == "electron" else {}),
        )
        return Struct(bias=product)

    def _transfer(self, camera: Camera, detector: int, masters: Mapping[str, Any]) -> Master | None:
        """Photon transfer, where it gives the gains."""
        if self.config.gains != "ptc":
            return None
        return transfer_master(masters, Context(camera, detector, "electron"), "gains=ptc")

    def _noise(self, stacked: Stacked, chain: Chain) -> dict[str, float]:
        """Read noise from the scatter, for the variances of what comes after; none from too few frames."""
        n_frames = len(stacked.frames)
        rule = self.config.rule()
        if rule.mode == "minmax" or not uses_scatter(n_frames, rule):
            return {}
        means = n_frames / loss_of_median(n_frames) if "median" in rule.mode else n_frames
        camera, detector = chain.context.camera, chain.context.detector
        return noise_keys(stacked.variance, stacked.mask, means, camera, detector, chain.notes())


class BiasCombiner:
    """One value of biases; the drift of levels that no overscan shows is taken out first.

    Without overscan each frame is brought to the mean level of all frames, so that the drift does
    not widen the clipping and the variance; the levels taken off stand in the header.
    """

    extra_bytes = 0

    def __init__(self, config: BiasConfig) -> None:
        self._rule = config.rule()
        self._offsets: dict[str, NDArray[np.float64]] = {}

    def prepare(self, frames: Sequence[DetectorFrame], chain: Chain) -> None:
        """Measure the levels of amplifiers without overscan."""
        self._world = chain.world
        self._scatter = uses_scatter(len(frames), self._rule)
        sampled = sample(frames, chain, drifting(chain))
        self._offsets = {name: bias_levels(pixels) for name, pixels in sampled.items()}

    def offsets(self, amplifier: Amplifier) -> "NDArray[np.float64] | None":
        """Levels above the mean level."""
        return self._offsets.get(amplifier.name)

    def combine(self, batch: Batch, threads: int) -> "Combined":
        """Reject and combine."""
        return combine_batch(batch, self._rule, world=self._world, scale=None, light=False, threads=threads)

    @property
    def combine_raw(self) -> "Callable[[RawBatch, int], Combined] | None":
        """Where no level is taken off but the overscan's, and the scatter tells the outliers."""
        if self._offsets or not self._scatter:
            return None
        return lambda batch, threads: combine_raw_batch(batch, self._rule, world=self._world, threads=threads)

    def weights(self, amplifier: Amplifier) -> Weights:
        """A plain mean."""
        return Weights(1.0, 0.0)

    def notes(self, frames: Sequence[DetectorFrame]) -> dict[str, float]:
        """The drift of each frame, where there is no overscan."""
        return {
            f"FID INPUT {i} LEVEL {name}": float(values[i])
            for name, values in self._offsets.items()
            for i in range(len(frames))
        }
