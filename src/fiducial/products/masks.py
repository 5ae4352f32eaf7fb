"""The mask planes: every name and bit that fiducial writes, in one table."""

from __future__ import annotations

from enum import IntFlag


class Plane(IntFlag):
    """Bits of a mask (int32). The order is part of the file format: append, never reorder."""

    BAD = 1 << 0
    SAT = 1 << 1
    SUSPECT = 1 << 2
    NO_DATA = 1 << 3
    CR = 1 << 4
    INTRP = 1 << 5
    EDGE = 1 << 6
    CROSSTALK = 1 << 7
    VIGNETTED = 1 << 8
    DETECTED = 1 << 9
    UNMASKED_NAN = 1 << 10
    CLIPPED = 1 << 11


DESCRIPTIONS: dict[Plane, str] = {
    Plane.BAD: "A pixel that is not to be used.",
    Plane.SAT: "At or above the saturation level of its amplifier.",
    Plane.SUSPECT: "Close to saturation, or corrected where the correction is uncertain.",
    Plane.NO_DATA: "No input had a usable value here.",
    Plane.CR: "Hit by a cosmic ray.",
    Plane.INTRP: "Filled in from its neighbours.",
    Plane.EDGE: "Too near an edge for what was done.",
    Plane.CROSSTALK: "Carries crosstalk of a bright pixel of another amplifier.",
    Plane.VIGNETTED: "Outside the lit field.",
    Plane.DETECTED: "Part of a detected source.",
    Plane.UNMASKED_NAN: "Not a number, for no reason that a mask gives.",
    Plane.CLIPPED: "At least one input was rejected by the combination.",
}

UNUSABLE = Plane.BAD | Plane.SAT | Plane.NO_DATA | Plane.CR | Plane.UNMASKED_NAN
"""What keeps a pixel out of a combination and out of a measurement."""
