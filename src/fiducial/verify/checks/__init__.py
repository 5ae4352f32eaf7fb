"""One file per verification check: a residual or a product and its references in, measurements out."""

from fiducial.verify.checks.measurement import Measurement, not_applicable
from fiducial.verify.checks.registry import (
    Check,
    amplifier_checks,
    check,
    detector_check,
    detector_checks,
    product_check,
    product_checks,
)

__all__ = [
    "Check",
    "Measurement",
    "amplifier_checks",
    "check",
    "detector_check",
    "detector_checks",
    "not_applicable",
    "product_check",
    "product_checks",
]
