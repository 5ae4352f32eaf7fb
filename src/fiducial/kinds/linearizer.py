"""Linearity: how each amplifier's signal departs from proportionality to the light, from flats."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from lsst.pipe.base import PipelineTask, PipelineTaskConfig, Struct
from lsst.pipe.base import connectionTypes as cT

from fiducial.cameras.model import Camera
from fiducial.corrections.chain import Chain, build_chain
from fiducial.corrections.frame import DetectorFrame
from fiducial.corrections.masters import Master
from fiducial.corrections.transfer_master import transfer_master
from fiducial.errors import NothingToDo
from fiducial.frames.records import FrameRecord
from fiducial.kinds.connections import (
    StackConnections,
    bias_input,
    dark_input,
    defects_input,
    ptc_input,
    stack_master,
)
from fiducial.kinds.gather import gather
from fiducial.kinds.inputs import Offered, open_frames
from fiducial.kinds.linearizer_config import LinearitySettings
from fiducial.kinds.linearizer_fits import Curves, fit_amplifiers
from fiducial.kinds.linearizer_levels import groups_of, light_of, reference_of, turnoffs_of
from fiducial.kinds.linearizer_measure import FrameLevels, LevelLimits, measure_frames
from fiducial.kinds.linearizer_product import linearizer_product
from fiducial.products.metadata import AsideNote


class LinearizerConnections(StackConnections, dimensions=("instrument", "detector")):
    """Raw flats and masters in, a linearizer out."""

    bias = stack_master(bias_input())
    dark = stack_master(dark_input())
    defects = stack_master(defects_input())
    ptc = stack_master(ptc_input())
    linearizer = cT.Output(
        doc="Linearity of the detector's amplifiers.",
        name="linearizer",
        storageClass="FiducialProduct",
        dimensions=("instrument", "detector"),
        isCalibration=True,
    )


class LinearizerConfig(LinearitySettings, PipelineTaskConfig, pipelineConnections=LinearizerConnections):
    """Settings of linearity."""


class LinearizerTask(PipelineTask):
    """Measure the levels of flats of one detector, and fit each amplifier's correction."""

    ConfigClass = LinearizerConfig
    _DefaultName = "linearizer"
    config: LinearizerConfig

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        """Gather, measure, write."""
        kind = outputRefs.linearizer.datasetType.name
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
        kind: str = "linearizer",
    ) -> Struct:
        """Measure linearity.

        Frames are read one by one, so that memory holds one of them however many there are. An amplifier
        that tells nothing has its reason in the product, and the others go on.

        Parameters
        ----------
        raws
            Flats of any filters and exposure times.
        camera, detector, records, masters, threads, kind
            As of `fiducial.kinds.bias.BiasTask.run`; masters are in adu.

        Returns
        -------
        Struct
            ``linearizer``: a `~fiducial.products.linearizer.Linearizer`.

        Raises
        ------
        NothingToDo
            No frame has a level.
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
        transfer = self._transfer(chain)
        frames, aside = open_frames(raws, camera, detector, records or {})
        for note in aside:
            self.log.warning("exposure %d is set aside: %s", note.exposure, note.reason)
        levels = self._measured(frames, chain, transfer, threads)
        aside += levels.aside
        if not levels.frames:
            reason = f": exposure {aside[0].exposure}: {aside[0].reason}" if aside else ""
            raise NothingToDo(
                f"no flat for the {kind} of {camera.name} detector {detector}{reason}",
                hint="Offer flats of several levels.",
            )
        return Struct(linearizer=self._product(kind, levels, chain, transfer, aside))

    def _transfer(self, chain: Chain) -> Master | None:
        """Photon transfer, where it gives the turn-off."""
        if self.config.turnoff != "ptc":
            return None
        return transfer_master(chain.context.masters, chain.context, "turnoff=ptc")

    def _measured(
        self, frames: Sequence[DetectorFrame], chain: Chain, transfer: Master | None, threads: int
    ) -> FrameLevels:
        def check(frame: DetectorFrame) -> None:
            light_of(frame, str(self.config.abscissa))
            if transfer is not None:
                transfer.require_state(frame)

        limits = LevelLimits(float(self.config.kappa), float(self.config.mostSaturated))
        return measure_frames(frames, chain, limits, check=check, threads=threads)

    def _product(
        self,
        kind: str,
        levels: FrameLevels,
        chain: Chain,
        transfer: Master | None,
        aside: Sequence[AsideNote],
    ) -> Any:
        own = self.config
        names = [amp.name for amp in chain.context.camera.amplifiers(chain.context.detector)]
        reference = reference_of(levels, names, own.reference) if own.abscissa == "amplifier" else None
        if reference is None:
            light = np.array([light_of(frame, str(own.abscissa)) for frame in levels.frames], np.float64)
        else:
            light = levels.signals[:, reference]
        groups = groups_of(levels, light, str(own.groups), float(own.jump))
        turnoffs = turnoffs_of(
            levels,
            light,
            groups,
            names,
            least_slope=None if own.turnoff == "none" else float(own.leastSlope),
            transfer=None if transfer is None else transfer.product,
            maximum=own.maximum,
        )
        curves = Curves(light, groups, turnoffs, reference)
        fits = fit_amplifiers(levels, curves, own)
        for name, fit in zip(names, fits, strict=True):
            if not fit.determined:
                self.log.warning("detector %d amplifier %s: %s", chain.context.detector, name, fit.reason)
        return linearizer_product(
            kind, levels, curves, fits, chain, aside, abscissa=str(own.abscissa), notes=own.notes()
        )
