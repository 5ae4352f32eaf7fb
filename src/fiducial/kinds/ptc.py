"""Photon transfer: gain, read noise and the brighter-fatter effect from pairs of flats of many levels."""

from collections.abc import Mapping, Sequence
from typing import Any

from lsst.pipe.base import PipelineTask, PipelineTaskConfig, Struct
from lsst.pipe.base import connectionTypes as cT

from fiducial.algorithms.flat_pairing import Pairing, pair_flats
from fiducial.cameras.model import Camera
from fiducial.corrections.chain import build_chain
from fiducial.corrections.frame import DetectorFrame
from fiducial.corrections.memory import for_each
from fiducial.errors import NothingToDo
from fiducial.frames.records import FrameRecord
from fiducial.kinds.connections import (
    StackConnections,
    bias_input,
    dark_input,
    defects_input,
    linearizer_input,
    stack_master,
)
from fiducial.kinds.gather import gather
from fiducial.kinds.inputs import Offered, open_frames
from fiducial.kinds.ptc_config import TransferConfig
from fiducial.kinds.ptc_fits import fit_amplifier, overscan_noise
from fiducial.kinds.ptc_measure import MeasuredPairs, PairLimits, measure_pairs
from fiducial.kinds.ptc_product import flat_of, transfer_product
from fiducial.kinds.ptc_tie import with_tied_gains
from fiducial.products.metadata import AsideNote
from fiducial.products.ptc import AmplifierTransfer


class PtcConnections(StackConnections, dimensions=("instrument", "detector")):
    """Raw flats and masters in, a photon transfer curve out."""

    bias = stack_master(bias_input())
    dark = stack_master(dark_input())
    defects = stack_master(defects_input())
    linearizer = stack_master(linearizer_input())
    ptc = cT.Output(
        doc="Photon transfer of the detector's amplifiers.",
        name="ptc",
        storageClass="FiducialProduct",
        dimensions=("instrument", "detector"),
        isCalibration=True,
    )


class PtcConfig(TransferConfig, PipelineTaskConfig, pipelineConnections=PtcConnections):
    """Settings of photon transfer."""


class PtcTask(PipelineTask):
    """Pair the flats of one detector, measure each pair on each amplifier, and fit the curves."""

    ConfigClass = PtcConfig
    _DefaultName = "ptc"
    config: PtcConfig

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        """Gather, measure, write."""
        kind = outputRefs.ptc.datasetType.name
        butlerQC.put(self.run(kind=kind, **gather(butlerQC, inputRefs)), outputRefs)

    def run(
        self,
        *,
        raws: Sequence[Offered],
        camera: Camera,
        detector: int,
        records: Mapping[int, FrameRecord] | None = None,
        masters: Mapping[str, Any] | None = None,
        threads: int = 1,
        kind: str = "ptc",
    ) -> Struct:
        """Measure photon transfer.

        Frames are read pair by pair, so that memory holds two of them however many there are. An
        amplifier that tells nothing has its reason in the product, and the others go on.

        Parameters
        ----------
        raws
            Flats of any filters and exposure times.
        camera, detector, records, masters, threads, kind
            As of `fiducial.kinds.bias.BiasTask.run`; masters are in adu.

        Returns
        -------
        Struct
            ``ptc``: a `~fiducial.products.ptc.PhotonTransferCurve`.

        Raises
        ------
        NothingToDo
            There is no pair of flats that can be read.
        CalibrationMismatch
            No frame fits the masters.
        """
        chain = build_chain(
            list(self.config.chain),
            self.config.corrections,
            camera=camera,
            detector=detector,
            masters=masters,
        )
        frames, aside = open_frames(raws, camera, detector, records or {})
        pairing = self._paired(frames)
        aside += [AsideNote(one.exposure, one.reason) for one in pairing.unpaired]
        for note in aside:
            self.log.warning("exposure %d is set aside: %s", note.exposure, note.reason)
        opened = {frame.exposure: frame for frame in frames}
        pairs = [(opened[one.exposure], opened[other.exposure]) for one, other in pairing.pairs]
        measured = measure_pairs(pairs, chain, self._limits(), threads=threads)
        aside += measured.aside
        if not measured.pairs:
            reason = f": exposure {aside[0].exposure}: {aside[0].reason}" if aside else ""
            raise NothingToDo(
                f"no pair of flats for the {kind} of {camera.name} detector {detector}{reason}",
                hint="Offer two flats or more of each exposure time.",
            )
        fitted, notes = self._fitted(measured, camera, detector, threads), self.config.notes()
        if self.config.tie.method != "none":
            fitted, tied = with_tied_gains(fitted, camera.amplifiers(detector), self.config.tie)
            notes |= tied
        product = transfer_product(kind, measured, fitted, chain, aside, notes)
        return Struct(ptc=product)

    def _paired(self, frames: Sequence[DetectorFrame]) -> Pairing:
        wishes = self.config.pairing
        return pair_flats(
            [flat_of(frame) for frame in frames],
            wishes.method,
            tolerance=float(wishes.tolerance),
            most_separation=wishes.mostSeparation,
        )

    def _limits(self) -> PairLimits:
        own = self.config
        return PairLimits(
            int(own.maxLag),
            float(own.kappa),
            int(own.illumination),
            float(own.mostSaturated),
            float(own.pairing.mostChange),
        )

    def _fitted(
        self, measured: MeasuredPairs, camera: Camera, detector: int, threads: int
    ) -> list[AmplifierTransfer]:
        amplifiers = camera.amplifiers(detector)

        def fit(index: int) -> AmplifierTransfer:
            return fit_amplifier(
                amplifiers[index].name,
                [points[index] for points in measured.points],
                overscan_noise(measured.noise[:, index]),
                model=str(self.config.fit),
                shape=self.config.curve(),
                with_b=bool(self.config.withB),
                rolloff=bool(self.config.rollOff),
                samples=int(self.config.samples),
            )

        found = for_each(fit, range(len(amplifiers)), threads)
        for one in found:
            if not one.fit.determined:
                self.log.warning("detector %d amplifier %s: %s", detector, one.name, one.fit.reason)
        return found
