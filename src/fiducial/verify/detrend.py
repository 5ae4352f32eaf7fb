"""Frames corrected for verification: the chain that the master's own inputs went through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fiducial.algorithms.order_statistics import median_variance
from fiducial.corrections.chain import Chain, build_chain, masters_of
from fiducial.corrections.frame import DetectorFrame, WholeImages
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.corrections.strips import BLOCK, plan_strips
from fiducial.products import metadata as meta
from fiducial.products.masks import UNUSABLE, Plane
from fiducial.verify.expected import OverscanError, ReadNoise, overscan_error

if TYPE_CHECKING:
    from fiducial.cameras.model import Camera
    from fiducial.corrections.masters import Master
    from fiducial.corrections.segment import Segment

DEFAULT_CHAINS: dict[str, tuple[str, ...]] = {
    "bias": ("saturation", "overscan", "gain", "assembly", "nan"),
    "dark": ("saturation", "overscan", "gain", "assembly", "bias", "nan"),
    "flat": ("saturation", "overscan", "gain", "assembly", "bias", "dark", "nan"),
}
"""For masters that do not say how their inputs were corrected."""

NOT_MEASURED = np.int32(UNUSABLE | Plane.SUSPECT)


@dataclass(frozen=True)
class CorrectedAmplifier:
    """One amplifier of a corrected frame, in its place on the detector.

    Parameters
    ----------
    segment
        Its pixels, mask and overscan model.
    usable
        Pixels that the frame's mask does not exclude, shape (ny, nx).
    own
        Read noise of its overscan; None without one.
    overscan
        What the overscan model added; None without one.
    """

    segment: Segment
    usable: NDArray[np.bool_]
    own: ReadNoise | None
    overscan: OverscanError | None


def chain_names(kind: str, master: Master, wanted: Sequence[str], world: str) -> tuple[str, ...]:
    """The corrections of the frames: those wanted, else those of the master's inputs, else the usual ones.

    Parameters
    ----------
    kind
        ``bias``, ``dark`` or ``flat``.
    master
        Under test.
    wanted
        Given by the user; empty: nothing.
    world
        Unit of the master; in adu the gain is left out of the usual chain.
    """
    if wanted:
        return tuple(wanted)
    said = str(master.metadata.get(meta.CHAIN, ""))
    names = tuple(name for name in said.split(",") if name) or DEFAULT_CHAINS[kind]
    drop = {kind, "variance"} | ({"gain"} if world == "adu" and not said else set())
    return tuple(name for name in names if name not in drop)


def world_of_master(master: Master) -> str:
    """``adu`` or ``electron``: the unit that the frames are compared in."""
    if said := master.metadata.get(meta.WORLD):
        return str(said)
    unit = str(master.product.unit)
    return "adu" if "adu" in unit else "electron"


def masters_needed(kind: str, master: Master, wanted: Sequence[str], config: Any) -> tuple[str, ...]:
    """The kinds of masters that the chain of frames needs; parameters as of `chain_names`."""
    names = chain_names(kind, master, wanted, world_of_master(master))
    return masters_of(names, config)


def settings_as_master(config: Any, master: Master) -> Any:
    """Settings of the corrections as the master's inputs had them, where no others are asked for."""
    return turnoffs_as_master(overscan_as_master(config, master), master)


def turnoffs_as_master(config: Any, master: Master) -> Any:
    """Settings with the turn-offs that the master's inputs were marked by, unless others are asked for."""
    start = f"{meta.CHAIN} SUSPECT "
    own = config.suspect
    if own.turnoffs or own.turnoff is not None or own.source != "settings":
        return config
    said = {key.removeprefix(start): value for key, value in master.metadata.items() if key.startswith(start)}
    turnoffs = {name: float(value) for name, value in said.items() if isinstance(value, int | float)}
    if not turnoffs:
        return config
    changed = copy_settings(config)
    changed.suspect.update(turnoffs=turnoffs, unit=str(said.get("UNIT", "adu")))
    return changed


def overscan_as_master(config: Any, master: Master) -> Any:
    """Settings with the overscan model of the master's inputs, unless another is asked for."""
    method = master.metadata.get(f"{meta.CHAIN} OVERSCAN METHOD")
    if method is None or config.overscan.method != "camera":
        return config
    changed = copy_settings(config)
    changed.overscan.method = str(method)
    changed.overscan.order = int(master.metadata[f"{meta.CHAIN} OVERSCAN ORDER"])
    leading, trailing = str(master.metadata[f"{meta.CHAIN} OVERSCAN SKIP"]).split(",")
    changed.overscan.skipLeading, changed.overscan.skipTrailing = int(leading), int(trailing)
    changed.overscan.parallel = bool(master.metadata[f"{meta.CHAIN} OVERSCAN PARALLEL"])
    return changed


def copy_settings(config: Any) -> Any:
    """A copy of the corrections' settings that may be changed."""
    changed = CorrectionsConfig()
    for name in changed:
        getattr(changed, name).update(**getattr(config, name).toDict())
    return changed


def second_method(first: str) -> str:
    """An overscan model as unlike the first as may be, so that an artefact of either shows."""
    return "clipped_mean" if first.endswith("_per_row") else "median_per_row"


class Detrender:
    """Corrects whole detectors, one frame at a time.

    Parameters
    ----------
    names
        Of the corrections, in order.
    config
        Their settings.
    camera, detector
        What the frames are of.
    masters
        By kind, those that the chain needs.
    """

    def __init__(
        self,
        names: Sequence[str],
        config: Any,
        *,
        camera: Camera,
        detector: int,
        masters: Mapping[str, Master],
    ) -> None:
        self.chain: Chain = build_chain(names, config, camera=camera, detector=detector, masters=masters)
        self.method = str(self.chain.notes().get("OVERSCAN METHOD", "none"))
        self.unit_per_adu = {
            amp.name: amp.gain if self.chain.world == "electron" else 1.0
            for amp in camera.amplifiers(detector)
        }

    def correct(self, frame: DetectorFrame) -> list[CorrectedAmplifier]:
        """Correct a frame; its file is read once, and kept until the frame is let go.

        Raises
        ------
        FrameError, CalibrationMismatch
            The frame cannot be read, or does not belong to the masters of the chain.
        """
        if not isinstance(frame.pixels, WholeImages):
            frame.pixels = WholeImages(frame.raw)
        self.chain.prepare(frame)
        (strip,) = plan_strips(frame.amplifiers)
        return [self._corrected(segment) for segment in self.chain.run(frame, strip)]

    def _corrected(self, segment: Segment) -> CorrectedAmplifier:
        usable = ((segment.mask & NOT_MEASURED) == 0) & np.isfinite(segment.image)
        model = segment.models.get("serial")
        if model is None or not np.isfinite(model.noise):
            return CorrectedAmplifier(segment, usable, None, None)
        unit = self.unit_per_adu[segment.amplifier.name]
        rows = segment.image.shape[0]
        freedom = max(1, (model.used - 1) * rows)
        blocks = max(1, -(-rows // BLOCK)) if self.method.endswith("_per_row") else 1
        # Row by row the noise is the median over blocks of rows: it is less certain than their mean.
        loss = blocks * median_variance(blocks)
        error = model.noise * float(np.sqrt(loss / (2.0 * freedom)))
        own = ReadNoise(model.noise * unit, error * unit, "overscan")
        added = overscan_error(self.method, model.variance, model.noise, model.used, unit)
        column = float(np.mean(segment.column_variance))
        if column > 0:
            added = OverscanError(added.pixel + column, added.row, added.level, column)
        return CorrectedAmplifier(segment, usable, own, added)
