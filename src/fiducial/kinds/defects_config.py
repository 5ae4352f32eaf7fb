"""The settings of the search for defects."""

from typing import Any

from lsst.pex.config import ChoiceField, Config, ConfigField, Field, ListField, RangeField

from fiducial.algorithms.defects_model import BlobLimits, ColumnLimits, Limit, Settings


class LimitConfig(Config):
    """How far from its surroundings a pixel may be: beyond both it is a defect."""

    value = RangeField(dtype=float, doc="In physical units; 0: by significance alone.", default=0.0, min=0.0)
    sigmas = RangeField(dtype=float, doc="Times the local noise; 0: by value alone.", default=5.0, min=0.0)

    def limit(self) -> Limit:
        """As the algorithm takes it."""
        return Limit(float(self.value), float(self.sigmas))


class ColumnConfig(Config):
    """What makes a column bad."""

    segment = RangeField(dtype=int, doc="Rows of a part whose median is looked at.", default=64, min=8)
    share = Field[float](doc="Part of a pixel's limit that such a median may be off.", default=0.5)
    sigmas = Field[float](doc="And times its own error.", default=7.0)
    bad = RangeField(dtype=int, doc="Bad pixels of an intermittent column, at least.", default=10, min=2)
    gap = RangeField(dtype=int, doc="So many good pixels in a row stay good in it.", default=30, min=1)
    fill = Field[float](doc="Share of bad pixels from which a whole column is bad.", default=0.5)
    saturated = RangeField(
        dtype=int, doc="Saturated pixels that make a column bad; 0: never.", default=20, min=0
    )
    spread = RangeField(dtype=int, doc="Columns beside it that are bad too.", default=0, min=0)

    def limits(self) -> ColumnLimits:
        """As the algorithm takes them."""
        return ColumnLimits(**self.toDict())


class BlobConfig(Config):
    """What makes a shadow, and what a vampire."""

    depth = Field[float](doc="Fraction of light that a group of pixels lacks.", default=0.01)
    bins = RangeField(dtype=int, doc="Side of the bins in which it is looked for, pixels.", default=4, min=1)
    size = RangeField(dtype=int, doc="Bins of a group, at least.", default=9, min=1)
    background = RangeField(dtype=int, doc="Side of its background's blocks, pixels.", default=256, min=8)
    roughness = Field[float](doc="Noise between neighbours inside to that outside.", default=2.0)
    vampire = Field[float](doc="Excess of a vampire's brightest pixel over the flat.", default=0.5)
    radius = RangeField(dtype=int, doc="Pixels around it that lose charge to it.", default=8, min=1)
    ring = Field[float](doc="Fraction of light that they lack.", default=0.02)

    def limits(self) -> BlobLimits:
        """As the algorithm takes them."""
        return BlobLimits(**self.toDict())


class SearchConfig(Config):
    """What a defect is."""

    dark: Any = ConfigField(doc="Dark, electron / s above the surroundings.", dtype=LimitConfig)
    bias: Any = ConfigField(doc="Bias, electron off the surroundings.", dtype=LimitConfig)
    cold: Any = ConfigField(doc="Flat, fraction that a pixel lacks.", dtype=LimitConfig)
    bright: Any = ConfigField(doc="Flat, fraction that it has too much.", dtype=LimitConfig)
    columns: Any = ConfigField(doc="Columns.", dtype=ColumnConfig)
    blobs: Any = ConfigField(doc="Shadows and vampires.", dtype=BlobConfig)
    block = RangeField(
        dtype=int, doc="Side of the blocks of background and noise, pixels.", default=64, min=8
    )
    edges = ListField[int](
        doc="Pixels at the left, right, bottom and top that are defects.",
        default=[0, 0, 0, 0],
        length=4,
        itemCheck=lambda width: width >= 0,
    )
    midline = ChoiceField[str](
        doc="Rows where amplifiers meet.",
        default="level",
        allowed={
            "level": "what they have in common is no defect: the flat corrects it",
            "mask": "they are defects",
            "measure": "they are treated as any other row",
        },
    )
    midlineRows = RangeField(dtype=int, doc="Rows on each side of a midline.", default=1, min=0)
    dead = RangeField(
        dtype=float,
        doc="Share of pixels without a value in a master that makes an amplifier dead.",
        default=0.5,
        min=0.0,
        max=1.0,
    )
    darkFlat = RangeField(
        dtype=float,
        doc="Share of the detector's light below which an amplifier is dead.",
        default=0.01,
        min=0.0,
        max=1.0,
    )

    def setDefaults(self) -> None:
        """Take the algorithm's."""
        super().setDefaults()
        defaults = Settings()
        for name in ("dark", "bias", "cold", "bright"):
            own, limit = getattr(self, name), getattr(defaults, name)
            own.value, own.sigmas = limit.value, limit.sigmas

    def settings(self) -> Settings:
        """As the algorithm takes them."""
        left, right, bottom, top = self.edges
        midline: Any = self.midline  # one of the choices
        return Settings(
            dark=self.dark.limit(),
            bias=self.bias.limit(),
            cold=self.cold.limit(),
            bright=self.bright.limit(),
            block=int(self.block),
            edges=(left, right, bottom, top),
            midline=midline,
            midline_rows=int(self.midlineRows),
            dead=float(self.dead),
            dark_flat=float(self.darkFlat),
            columns=self.columns.limits(),
            blobs=self.blobs.limits(),
        )
