"""a00 of photon transfer: the sign and the size of the brighter-fatter effect."""

from __future__ import annotations

import math

from fiducial.verify.checks.measurement import Measurement, not_applicable
from fiducial.verify.checks.registry import product_check
from fiducial.verify.products import TransferSubject

UNIT = "1/electron"


@product_check("ptc")
def ptc_a00(subject: TransferSubject) -> list[Measurement]:
    """a00: negative, as charge repels charge, and small."""
    fit, n = subject.known.fit, int(subject.known.counts[:, 0, 0].sum())
    value, error = float(fit.a[0, 0]), float(fit.a_error[0, 0])
    if not (math.isfinite(value) and math.isfinite(error)):
        return [not_applicable("a00", UNIT, "the fit has none", n)]
    return [Measurement("a00", value, error, UNIT, n)]
