"""What defects are called, where they are looked for, and what counts as one."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag
from typing import Literal

from fiducial.algorithms.arrays import Flags, Int32, Numbers


class Reason(IntFlag):
    """Why a pixel is a defect; several may hold. Append, never reorder."""

    HOT = 1 << 0  # bright in the dark, or saturated there
    COLD = 1 << 1  # answers less to light than its neighbours
    BRIGHT = 1 << 2  # more
    BIAS = 1 << 3  # off in the bias
    COLUMN = 1 << 4  # in a bad column, or a bad part of one
    INTERMITTENT = 1 << 5  # in a column that is bad here and there
    SATURATED_COLUMN = 1 << 6  # in a column with saturated pixels
    EDGE = 1 << 7
    MIDLINE = 1 << 8  # where two halves of the detector meet
    VAMPIRE = 1 << 9  # bright, and takes the charge of its surroundings; with these
    BLOB = 1 << 10  # in a group of pixels that lack light and whose shape is no shadow's
    NO_DATA = 1 << 11  # without a usable value in a master
    DEAD_AMPLIFIER = 1 << 12
    DUST = 1 << 13  # in a smooth shadow: it moves, so it is told and is no defect
    UNLIT = 1 << 14  # at the side, where a slit or a mount lets no light through


REPORTED = Reason.DUST | Reason.UNLIT
"""What is told only, as it is no property of the detector."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How far from its surroundings a pixel may be.

    A pixel is a defect if it deviates by more than ``value`` and by more than ``sigmas`` of the local
    noise: by value alone with ``sigmas`` 0, by significance alone with ``value`` 0. With both, a noisy
    master makes no defects of good pixels, and a deep one none of pixels that do no harm.
    """

    value: float
    sigmas: float = 5.0


@dataclass(frozen=True, slots=True)
class ColumnLimits:
    """What makes a column bad.

    Attributes
    ----------
    segment : int
        Rows of a part of a column whose median is looked at.
    share : float
        Part of a pixel's limit that the median of a part of a column may deviate by.
    sigmas : float
        And by how many of its own errors.
    bad : int
        Bad pixels in a column, at least, that make it an intermittent one.
    gap : int
        Good pixels between bad ones of such a column, at least, that stay good.
    fill : float
        Share of bad pixels from which the whole column (of the amplifier) is bad.
    saturated : int
        Saturated pixels in a column, at least, that make the whole of it bad; 0: never.
    spread : int
        Columns on both sides of a saturated one that are bad with it.
    """

    segment: int = 64
    share: float = 0.5
    sigmas: float = 7.0
    bad: int = 10
    gap: int = 30
    fill: float = 0.5
    saturated: int = 20
    spread: int = 0


@dataclass(frozen=True, slots=True)
class BlobLimits:
    """What makes a shadow, and what a vampire.

    Attributes
    ----------
    depth : float
        Fraction of light that a group of pixels lacks, at least.
    bins : int
        Side of the bins in which it is looked for, pixels.
    size : int
        Bins that belong together, at least.
    background : int
        Side of the blocks of the background for it, pixels: larger than what is looked for. Small
        amplifiers have smaller blocks, four along each side.
    roughness : float
        Noise between neighbours inside to that outside: a shadow has that of its surroundings.
    vampire : float
        Relative excess of a vampire's brightest pixel over the local flat.
    radius : int
        Pixels around a vampire that lose charge to it.
    ring : float
        Fraction of light that they lack on average, at least.
    """

    depth: float = 0.01
    bins: int = 4
    size: int = 9
    background: int = 256
    roughness: float = 2.0
    vampire: float = 0.5
    radius: int = 8
    ring: float = 0.02


@dataclass(frozen=True, slots=True)
class Settings:
    """All that decides what a defect is.

    Attributes
    ----------
    dark : Limit
        Of the rate above the surroundings, electron / s.
    bias : Limit
        Of the level off the surroundings, electron.
    cold, bright : Limit
        Of the fraction of the local flat that a pixel lacks, or has too much.
    block : int
        Side of the blocks in which background and noise are measured, pixels.
    edges : (left, right, bottom, top)
        Columns and rows of the detector's edges that are defects.
    midline : str
        Of rows where amplifiers meet: "level" takes out what they have in common, as a flat does,
        "mask" makes them defects, "measure" treats them as any.
    midline_rows : int
        How many on each side.
    dead : float
        An amplifier is dead if more than this share of it has no value in a master,
    dark_flat : float
        or if the median of its flat is below this share of the detector's. Spectra light amplifiers
        unevenly.
    columns, blobs
        See there.
    """

    dark: Limit = Limit(3.0, 5.0)
    bias: Limit = Limit(200.0, 5.0)
    cold: Limit = Limit(0.2, 5.0)
    bright: Limit = Limit(0.2, 5.0)
    block: int = 64
    edges: tuple[int, int, int, int] = (0, 0, 0, 0)
    midline: Literal["level", "mask", "measure"] = "level"
    midline_rows: int = 1
    dead: float = 0.5
    dark_flat: float = 0.01
    columns: ColumnLimits = field(default_factory=ColumnLimits)
    blobs: BlobLimits = field(default_factory=BlobLimits)


@dataclass(frozen=True, slots=True)
class Window:
    """Where the pixels of an amplifier are: rows ``y0 <= y < y1``, columns ``x0 <= x < x1``."""

    name: str
    x0: int
    x1: int
    y0: int
    y1: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of its pixels in an array of the detector."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)


@dataclass(frozen=True, slots=True, eq=False)
class MasterPlanes:
    """A master as defects are looked for in it.

    Attributes
    ----------
    kind : str
        "bias" (electron), "dark" (electron / s) or "flat" (of any level).
    name : str
        What messages call it: "flat g".
    image : (ny, nx)
        Pixels that are not finite have no value.
    variance : (ny, nx) or None
        Of ``image``; a floor of the local noise.
    unusable : (ny, nx) bool or None
        Pixels that the master's mask keeps out.
    saturated : (ny, nx) bool or None
        Pixels that were saturated in the frames.
    """

    kind: Literal["bias", "dark", "flat"]
    name: str
    image: Numbers
    variance: Numbers | None = None
    unusable: Flags | None = None
    saturated: Flags | None = None


@dataclass(frozen=True, slots=True)
class Blob:
    """A group of pixels that lack light.

    Attributes
    ----------
    x, y : float
        Its centre, weighted by depth, pixels.
    area : int
        Pixels.
    depth : float
        Fraction of light that is lacking, on average.
    deepest : float
        And where most is lacking, in a bin.
    roughness : float
        Noise between neighbours inside to that of the amplifier.
    dust : bool
        Whether it looks like a shadow.
    master : str
        In which it was found.
    """

    x: float
    y: float
    area: int
    depth: float
    deepest: float
    roughness: float
    dust: bool
    master: str


@dataclass(frozen=True, slots=True, eq=False)
class Defects:
    """The defects of a detector.

    Attributes
    ----------
    reasons : (ny, nx) int32
        Bits of `Reason`; 0 is a good pixel.
    counts : dict
        Pixels of each reason, by amplifier: ``counts["A"]["hot"]``; ``any`` counts pixels with a reason
        that makes a defect.
    blobs : tuple of Blob
        Shadows and blobs, by master.
    notes : tuple of str
        What could not be used, and why.
    """

    reasons: Int32
    counts: dict[str, dict[str, int]]
    blobs: tuple[Blob, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def bad(self) -> Flags:
        """(ny, nx) bool: whether a pixel is a defect."""
        bad: Flags = (self.reasons & ~int(REPORTED)) != 0
        return bad
