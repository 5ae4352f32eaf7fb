"""Where checks are found: the files of this folder, and plug-ins (entry points ``fiducial.checks``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from typing import Any

from fiducial.errors import ConfigurationError
from fiducial.verify.checks.measurement import Measurement
from fiducial.verify.window import Subject

GROUP = "fiducial.checks"

type ProductCheck = Callable[[Any], Sequence[Measurement]]
"""Of one amplifier of a product: see `fiducial.verify.products`."""
type AmplifierCheck = Callable[[Subject], Sequence[Measurement]]
type DetectorCheck = Callable[[Sequence[Subject]], Sequence[Measurement]]


@dataclass(frozen=True, slots=True)
class Check[F]:
    """A check: the kinds of calibration it is for, and its function."""

    name: str
    kinds: tuple[str, ...]
    measure: F


_amplifier: dict[str, Check[AmplifierCheck]] = {}
_detector: dict[str, Check[DetectorCheck]] = {}
_product: dict[str, Check[ProductCheck]] = {}


def check(*kinds: str) -> Callable[[AmplifierCheck], AmplifierCheck]:
    """Decorate a check of one amplifier of one frame."""

    def register(function: AmplifierCheck) -> AmplifierCheck:
        _amplifier[function.__name__] = Check(function.__name__, kinds, function)
        return function

    return register


def detector_check(*kinds: str) -> Callable[[DetectorCheck], DetectorCheck]:
    """Decorate a check that compares the amplifiers of a detector: one measurement for each of them."""

    def register(function: DetectorCheck) -> DetectorCheck:
        _detector[function.__name__] = Check(function.__name__, kinds, function)
        return function

    return register


def product_check(*kinds: str) -> Callable[[ProductCheck], ProductCheck]:
    """Decorate a check of one amplifier of a product that is no image: of what it says, not of frames."""

    def register(function: ProductCheck) -> ProductCheck:
        _product[function.__name__] = Check(function.__name__, kinds, function)
        return function

    return register


def amplifier_checks(kind: str) -> list[Check[AmplifierCheck]]:
    """The checks of single amplifiers for a kind, by name."""
    _discover()
    return [found for _, found in sorted(_amplifier.items()) if kind in found.kinds]


def detector_checks(kind: str) -> list[Check[DetectorCheck]]:
    """The checks that compare amplifiers, for a kind, by name."""
    _discover()
    return [found for _, found in sorted(_detector.items()) if kind in found.kinds]


def product_checks(kind: str) -> list[Check[ProductCheck]]:
    """The checks of products of a kind, by name."""
    _discover()
    return [found for _, found in sorted(_product.items()) if kind in found.kinds]


@cache
def _discover() -> None:
    package = import_module("fiducial.verify.checks")
    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
    for entry_point in entry_points(group=GROUP):
        try:
            entry_point.load()
        except (ImportError, AttributeError) as error:
            raise ConfigurationError(
                f"the plug-in check {entry_point.name} ({entry_point.value}) cannot be loaded: {error}",
                hint="Install the plug-in again, or remove it.",
            ) from error
