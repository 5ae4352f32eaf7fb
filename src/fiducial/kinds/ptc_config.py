"""The settings of photon transfer."""

from typing import Any

from lsst.pex.config import ChoiceField, Config, ConfigField, Field, RangeField

from fiducial.algorithms.ptc_models import VarianceCurve
from fiducial.errors import ConfigurationError
from fiducial.kinds.adu_config import AduConfig
from fiducial.products.metadata import Scalar


class PairingConfig(Config):
    """Which flats go together."""

    method = ChoiceField[str](
        doc="How flats are paired.",
        default="time",
        allowed={
            "time": "Neighbours in time, of equal exposure times.",
            "level": "Flats of equal levels, which ingest measured.",
            "order": "Each with the next one taken, if that has the same exposure time.",
        },
    )
    tolerance = RangeField(
        dtype=float, doc="Relative difference of equal exposure times or levels.", default=0.01, min=0.0
    )
    mostSeparation = RangeField(
        dtype=float,
        doc="Flats further apart in time than this, s, are not paired; default: any.",
        optional=True,
        default=None,
        min=0.0,
    )
    mostChange = RangeField(
        dtype=float,
        doc="Flats whose levels differ by more, relative to their mean, say nothing: the lamp changed.",
        default=0.1,
        min=0.0,
    )


class TieConfig(Config):
    """Gains of amplifiers tied to one another by the levels of flats, which all of them see."""

    method = ChoiceField[str](
        doc="Whether ratios of gains are those of levels, and what the light on the amplifiers is like.",
        default="none",
        allowed={
            "none": "Each amplifier's gain is its own.",
            "even": "All amplifiers have the same light.",
            "plane": "The light is a plane over the detector, which gains by photon transfer tell.",
        },
    )
    lightError = RangeField(
        dtype=float, doc="Relative error of the light on an amplifier.", default=0.002, min=0.0
    )
    mostChange = RangeField(
        dtype=float,
        doc="A gain that is off by more, and by more than 5 errors, has no say in the common factor.",
        default=0.05,
        min=0.0,
    )


class TransferConfig(AduConfig):
    """Settings of photon transfer, but for what is read and written."""

    what = "photon transfer measures the gain"

    pairing: Any = ConfigField(doc="Which flats go together.", dtype=PairingConfig)
    maxLag = RangeField(
        dtype=int, doc="Largest lag of covariances, rows and columns.", default=8, min=0, max=100
    )
    kappa = RangeField(dtype=float, doc="Limit of rejection in a difference, sigmas.", default=5.0, min=2.0)
    illumination = RangeField(
        dtype=int,
        doc="Where the light has a gradient: side of the blocks, pixels, whose light the differences are "
        "normalised by; 0: they are not.",
        default=0,
        min=0,
    )
    mostSaturated = RangeField(
        dtype=float,
        doc="Share of an amplifier's pixels that may be saturated in a pair.",
        default=0.1,
        min=0.0,
        max=1.0,
    )
    fit = ChoiceField[str](
        doc="What is fitted.",
        default="exponential",
        allowed={
            "exponential": "Variances: Astier et al. 2019, equation 16.",
            "polynomial": "Variances: a polynomial.",
            "covariance": "All covariances: Astier et al. 2019, equation 20.",
        },
    )
    order = RangeField(dtype=int, doc="Degree of the polynomial.", default=2, min=1, max=6)
    withB = Field[bool](
        doc="Whether the fit of covariances has the matrix b, which says how a changes with the charge.",
        default=True,
    )
    rollOff = Field[bool](
        doc="Whether the curve of variances has a roll-off, where pixels begin to share their charge; pairs "
        "beyond the turn-off that have half of their variance take part then.",
        default=False,
    )
    tie: Any = ConfigField(doc="Gains tied by the levels of flats.", dtype=TieConfig)
    samples = RangeField(dtype=int, doc="Resampled curves for errors; 0: none.", default=50, min=0)

    def validate(self) -> None:
        """Refuse a roll-off of what has none."""
        super().validate()
        if self.rollOff and self.fit == "covariance":
            raise ConfigurationError(
                "the fit of covariances has no roll-off", hint="Set rollOff=False, or fit=exponential."
            )

    def curve(self) -> VarianceCurve:
        """The curve of variances."""
        if self.fit == "polynomial":
            return VarianceCurve("polynomial", int(self.order))
        return VarianceCurve()

    def notes(self) -> dict[str, Scalar]:
        """What the product's header says of the settings."""
        return {
            "FID PTC PAIRING": str(self.pairing.method),
            "FID PTC FIT": str(self.fit),
            "FID PTC MAXLAG": int(self.maxLag),
            "FID PTC KAPPA": float(self.kappa),
            "FID PTC ILLUMINATION": int(self.illumination),
            "FID PTC TIE": str(self.tie.method),
        }
