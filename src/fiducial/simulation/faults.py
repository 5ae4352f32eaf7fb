"""Faults that can be planted in a simulated night, each at one exposure, each told in the truth."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fiducial.errors import UsageError
from fiducial.simulation.plan import ExposurePlan
from fiducial.simulation.settings import Strict

Kind = Literal["bias", "dark", "flat", "science"]


class _Planted(Strict):
    """Where a fault is: the exposure's number among those of its kind (and filter, if given), from 0."""

    kind: Kind
    index: int = Field(default=0, ge=0)
    filter: str | None = None
    detector: int | None = None  # None: all detectors

    def hits(self, exposure: ExposurePlan, detector: int | None = None) -> bool:
        """Whether this exposure (on this detector) has the fault."""
        if exposure.kind != self.kind or (self.filter is not None and exposure.filter != self.filter):
            return False
        if detector is not None and self.detector not in (None, detector):
            return False
        return self.index == (exposure.number if self.filter is None else exposure.number_in_filter)


class FirstExposureStripes(_Planted):
    """The first exposure of a set has horizontal stripes and a bright corner that the overscan lacks."""

    fault: Literal["first_exposure_stripes"] = "first_exposure_stripes"
    kind: Kind = "bias"
    adu: float = 8.0  # amplitude
    period: float = Field(default=37.0, gt=2)  # rows


class DarkLabelledFlat(_Planted):
    """The shutter stayed closed, the header says flat."""

    fault: Literal["dark_labelled_flat"] = "dark_labelled_flat"
    kind: Literal["flat"] = "flat"


class LampFailure(_Planted):
    """The lamp gave only a fraction of its light."""

    fault: Literal["lamp_failure"] = "lamp_failure"
    kind: Literal["flat"] = "flat"
    fraction: float = Field(default=0.02, ge=0, lt=1)


class SaturatedFlat(_Planted):
    """So much light that every pixel saturates."""

    fault: Literal["saturated_flat"] = "saturated_flat"
    kind: Literal["flat"] = "flat"


class WrongExposureTime(_Planted):
    """The shutter was open ``factor`` times as long as the header says (flat, dark or science)."""

    fault: Literal["wrong_exposure_time"] = "wrong_exposure_time"
    kind: Kind = "dark"
    factor: float = Field(default=3.0, gt=0)


class ShiftedLevel(_Planted):
    """The image's bias level is off; the overscan follows it only if ``in_overscan``."""

    fault: Literal["shifted_level"] = "shifted_level"
    kind: Kind = "bias"
    adu: float = 25.0
    in_overscan: bool = False


class TruncatedFile(_Planted):
    """The file was cut short when it was copied."""

    fault: Literal["truncated_file"] = "truncated_file"
    kind: Kind = "bias"
    fraction: float = Field(default=0.6, ge=0, lt=1)  # of its bytes that are left


type Fault = Annotated[
    FirstExposureStripes
    | DarkLabelledFlat
    | LampFailure
    | SaturatedFlat
    | WrongExposureTime
    | ShiftedLevel
    | TruncatedFile,
    Field(discriminator="fault"),
]


def check_faults(faults: tuple[Fault, ...], exposures: tuple[ExposurePlan, ...]) -> None:
    """Raise UsageError for a fault that hits no exposure of the night."""
    for fault in faults:
        if not any(fault.hits(exposure) for exposure in exposures):
            raise UsageError(
                f"the fault {fault.fault} needs {fault.kind} {fault.index}, and there is no such exposure",
                hint="Numbers count from 0 among the exposures of a kind; raise the plan's count.",
            )
