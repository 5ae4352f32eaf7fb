"""From fits to the linearizer, with a header that says what it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fiducial.corrections.linearity_product import MeasuredLevels, linearizer_of
from fiducial.kinds.measured_header import finite, measured_header

if TYPE_CHECKING:
    from fiducial.corrections.chain import Chain
    from fiducial.kinds.linearizer_fits import Curves, Fits
    from fiducial.kinds.linearizer_measure import FrameLevels
    from fiducial.products.linearizer import Linearizer
    from fiducial.products.metadata import AsideNote, Scalar


def linearizer_product(
    kind: str,
    levels: FrameLevels,
    curves: Curves,
    fits: Fits,
    chain: Chain,
    aside: Sequence[AsideNote],
    *,
    abscissa: str,
    notes: Mapping[str, Scalar],
) -> Linearizer:
    """Make the product: levels, fits, and a header like that of other masters."""
    camera, detector = chain.context.camera, chain.context.detector
    names = [amp.name for amp in camera.amplifiers(detector)]
    ordered = sorted(aside, key=lambda note: note.exposure)
    keys = measured_header(kind, levels.frames, chain, ordered) | dict(notes)
    for name, turnoff in zip(names, curves.turnoffs, strict=True):
        keys |= finite({f"FID AMP {name} TURNOFF": turnoff.level})
        keys[f"FID AMP {name} TURNOFF FOUND"] = bool(turnoff.found)
    if curves.reference is not None:
        keys["FID LINEARITY REFERENCE"] = names[curves.reference]
    return linearizer_of(
        fits,
        names,
        MeasuredLevels(
            [frame.exposure for frame in levels.frames],
            curves.light,
            levels.signals,
            levels.errors,
            curves.groups,
        ),
        detector=detector,
        unit=chain.world,
        abscissa=abscissa,
        metadata=keys,
    )
