"""The settings of linearity."""

from typing import Any

from lsst.pex.config import ChoiceField, Config, ConfigField, Field, RangeField

from fiducial.errors import ConfigurationError
from fiducial.kinds.adu_config import AduConfig
from fiducial.products.metadata import Scalar


class LinearityModelConfig(Config):
    """What the correction may look like."""

    kind = ChoiceField[str](
        doc="The family of curves.",
        default="spline",
        allowed={
            "squared": "The square of the signal.",
            "polynomial": "Powers of the signal from 2 up.",
            "spline": "A cubic spline through nodes where levels are.",
            "table": "The same spline as a table of equal steps.",
            "double_spline": "Each amplifier against a reference amplifier, and that against the light.",
        },
    )
    order = RangeField(dtype=int, doc="Highest power of the polynomial.", default=3, min=2, max=10)
    nodes = RangeField(
        dtype=int,
        doc="Nodes of a spline against the light, the one at 0 included; of few levels fewer come.",
        default=8,
        min=3,
    )
    relativeNodes = RangeField(
        dtype=int, doc="Nodes of a double spline against the reference amplifier.", default=12, min=3
    )
    step = RangeField(dtype=float, doc="Step of a table, adu.", default=1.0, min=0.0, inclusiveMin=False)
    offset = Field[bool](
        doc="Whether there may be signal without light: a shutter's delay, scattered light. Not with "
        "double_spline.",
        default=False,
    )


class LinearitySettings(AduConfig):
    """Settings of linearity, but for what is read and written."""

    what = "a linearizer is in adu"

    model: Any = ConfigField(doc="What the correction may look like.", dtype=LinearityModelConfig)
    abscissa = ChoiceField[str](
        doc="What stands for the light.",
        default="exposure_time",
        allowed={
            "exposure_time": "The exposure time.",
            "photodiode": "The photodiode's charge.",
            "amplifier": "The signal of a reference amplifier, which is taken to be linear.",
        },
    )
    reference = Field[str](
        doc="Name of the reference amplifier; default: the one whose signal reaches highest.",
        optional=True,
        default=None,
    )
    groups = ChoiceField[str](
        doc="Which exposures share one ratio of signal to abscissa.",
        default="filter",
        allowed={
            "one": "All.",
            "filter": "Those of a filter.",
            "exposures": "Those that were taken as one group.",
            "ratio": "Those whose ratios have no gap: lamps and photodiode ranges that no header tells.",
        },
    )
    jump = RangeField(
        dtype=float,
        doc="The gap between groups by ratio, relative.",
        default=0.1,
        min=0.0,
        inclusiveMin=False,
    )
    stability = RangeField(
        dtype=float,
        doc="Relative scatter of the light about the abscissa; default: as the levels show.",
        optional=True,
        default=None,
        min=0.0,
    )
    turnoff = ChoiceField[str](
        doc="Which signals are too high to be fitted, beside saturated ones.",
        default="slope",
        allowed={
            "slope": "Those beyond which the signal hardly follows the light any more.",
            "ptc": "Those above the turn-off of photon transfer; where that found none, as 'slope'.",
            "none": "None.",
        },
    )
    leastSlope = RangeField(
        dtype=float,
        doc="Slope of signal against light, over their ratio, below which a signal does not follow.",
        default=0.5,
        min=0.0,
        max=1.0,
    )
    maximum = RangeField(
        dtype=float,
        doc="Signals above this, adu, are not fitted in any case; default: no such limit.",
        optional=True,
        default=None,
        min=0.0,
        inclusiveMin=False,
    )
    mostSaturated = RangeField(
        dtype=float,
        doc="Share of an amplifier's pixels that may be saturated in a frame; a hundredth of them pulls "
        "the mean of the others down by 3 per cent of a pixel's noise.",
        default=0.005,
        min=0.0,
        max=1.0,
    )
    kappa = RangeField(dtype=float, doc="Limit of rejection of pixels, sigmas.", default=5.0, min=2.0)
    outliers = RangeField(dtype=float, doc="Limit of rejection of levels, sigmas.", default=5.0, min=2.0)

    def masters(self) -> tuple[str, ...]:
        """Those of the chain, and photon transfer where it gives the turn-off."""
        return super().masters() + (("ptc",) if self.turnoff == "ptc" else ())

    def validate(self) -> None:
        """Refuse what does not go together."""
        super().validate()
        double = self.model.kind == "double_spline"
        if "linearity" in list(self.chain):
            raise ConfigurationError(
                "a linearizer is made of signals as they are: its chain cannot have linearity",
                hint="Take 'linearity' out of the chain.",
            )
        if double and self.abscissa == "amplifier":
            raise ConfigurationError(
                "a double spline needs the light, not only a reference amplifier",
                hint="Set abscissa to exposure_time or photodiode, or model.kind to spline.",
            )
        if double and self.model.offset:
            raise ConfigurationError(
                "a double spline has no signal without light", hint="Set model.offset=False."
            )

    def notes(self) -> dict[str, Scalar]:
        """What the product's header says of the settings."""
        return {
            "FID LINEARITY MODEL": str(self.model.kind),
            "FID LINEARITY GROUPS": str(self.groups),
            "FID LINEARITY TURNOFF": str(self.turnoff),
        }
