"""Cameras with known truth: physics in, raw FITS frames out."""

from fiducial.simulation.effects import Effects, EffectsTruth
from fiducial.simulation.faults import (
    DarkLabelledFlat,
    Fault,
    FirstExposureStripes,
    LampFailure,
    SaturatedFlat,
    ShiftedLevel,
    TruncatedFile,
    WrongExposureTime,
)
from fiducial.simulation.night import simulate_night
from fiducial.simulation.plan import NightPlan, Physics
from fiducial.simulation.ramp import Ramp
from fiducial.simulation.truth import DetectorTruth, ExposureTruth, NightSummary, NightTruth, load_truth

__all__ = [
    "DarkLabelledFlat",
    "DetectorTruth",
    "Effects",
    "EffectsTruth",
    "ExposureTruth",
    "Fault",
    "FirstExposureStripes",
    "LampFailure",
    "NightPlan",
    "NightSummary",
    "NightTruth",
    "Physics",
    "Ramp",
    "SaturatedFlat",
    "ShiftedLevel",
    "TruncatedFile",
    "WrongExposureTime",
    "load_truth",
    "simulate_night",
]
