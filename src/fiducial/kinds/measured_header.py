"""The header of what is measured on frames of one detector: what it is, and made of what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fiducial.products import metadata as meta

if TYPE_CHECKING:
    from fiducial.corrections.chain import Chain
    from fiducial.corrections.frame import DetectorFrame


def measured_header(
    kind: str, frames: Sequence[DetectorFrame], chain: Chain, aside: Sequence[meta.AsideNote]
) -> dict[str, meta.Scalar]:
    """Identity, inputs, state of the camera, corrections with their masters.

    Parameters
    ----------
    kind
        Of the product.
    frames
        That were measured.
    chain
        What was done to them.
    aside
        Frames that were offered and not used.
    """
    camera, detector = chain.context.camera, chain.context.detector
    facts = [frame.facts for frame in frames]
    serial = next((f.detector_serial for f in facts if f.detector_serial), "")
    used = [
        meta.InputNote(
            frame.exposure,
            frame.facts.begin.isoformat(),
            1.0,
            frame.facts.exposure_time,
            frame.record.sha256 if frame.record else "",
        )
        for frame in frames
    ]
    keys = meta.identity(kind, camera, detector, chain.world, serial=serial)
    keys |= meta.inputs(used, aside)
    keys |= meta.state(facts, camera)
    keys |= meta.corrections(chain.names, chain.notes())
    keys |= meta.run_notes({name: master.dataset for name, master in chain.context.masters.items()})
    return keys


def finite(keys: dict[str, float]) -> dict[str, float]:
    """Those that are numbers: NaN has no place in a header."""
    return {key: float(value) for key, value in keys.items() if abs(value) < float("inf")}
