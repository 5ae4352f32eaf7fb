"""Undetermined: whether a product says anything at all of an amplifier (photon transfer, linearity)."""

from __future__ import annotations

from fiducial.verify.checks.measurement import Measurement
from fiducial.verify.checks.registry import product_check
from fiducial.verify.products import ProductSubject

UNDETERMINED, STILL = "undetermined", "undetermined_still"


@product_check("ptc", "linearizer")
def undetermined(subject: ProductSubject) -> list[Measurement]:
    """0 of an amplifier that is determined, 1 of one that is not; ``note`` says why.

    One that was not determined in what is certified either has the test ``undetermined_still``.
    """
    still = bool(subject.problem) and subject.before is not None and subject.was is None
    return [
        Measurement(
            STILL if still else UNDETERMINED, float(bool(subject.problem)), 0.0, "", 0, note=subject.problem
        )
    ]
