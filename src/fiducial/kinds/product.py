"""From a stack to a product: planes with their unit and the header that says what it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from fiducial.products import metadata as meta
from fiducial.products.images import to_masked_image

if TYPE_CHECKING:
    import astropy.units as u
    from lsst.images import MaskedImage

    from fiducial.corrections.chain import Chain
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.masters import Master
    from fiducial.kinds.stack import Stacked


def make_product(
    kind: str,
    stacked: Stacked,
    chain: Chain,
    *,
    unit: u.UnitBase,
    scale: Callable[[DetectorFrame], float],
    time: Literal["dark_time", "exposure_time"],
    notes: Mapping[str, meta.Scalar] | None = None,
    physical_filter: str = "",
) -> MaskedImage:
    """Make the product of a stack.

    Parameters
    ----------
    kind
        ``bias``, ``dark``, ``flat``; bootstrap ones too.
    stacked
        The planes and the frames behind them.
    chain
        What was done to the frames.
    unit
        Of the image.
    scale
        What a frame was divided by.
    time
        Which time of the frames counts for the kind.
    notes
        Further keys.
    physical_filter
        Of flats.
    """
    camera, detector = chain.context.camera, chain.context.detector
    facts = [frame.facts for frame in stacked.frames]
    serial = next((f.detector_serial for f in facts if f.detector_serial), "")
    used = [
        meta.InputNote(
            frame.exposure,
            frame.facts.begin.isoformat(),
            scale(frame),
            getattr(frame.facts, time),
            frame.record.sha256 if frame.record else "",
        )
        for frame in stacked.frames
    ]
    keys = meta.identity(kind, camera, detector, chain.world, serial=serial, physical_filter=physical_filter)
    keys |= meta.inputs(used, stacked.aside)
    keys |= meta.state(facts, camera)
    keys |= meta.corrections(chain.names, chain.notes())
    keys |= meta.amplifiers(stacked.image, stacked.mask, camera, detector)
    keys |= dict(notes or {})
    keys |= meta.run_notes(_datasets(chain.context.masters))
    return to_masked_image(stacked.image, stacked.variance, stacked.mask, unit=unit, metadata=keys)


def _datasets(masters: Mapping[str, Master]) -> dict[str, str]:
    return {kind: master.dataset for kind, master in masters.items()}
