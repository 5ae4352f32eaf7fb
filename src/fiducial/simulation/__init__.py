"""Cameras with known truth: physics in, raw FITS frames out."""

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
from fiducial.simulation.truth import DetectorTruth, ExposureTruth, NightSummary, NightTruth, load_truth

__all__ = [
    "DarkLabelledFlat",
    "DetectorTruth",
    "ExposureTruth",
    "Fault",
    "FirstExposureStripes",
    "LampFailure",
    "NightPlan",
    "NightSummary",
    "NightTruth",
    "Physics",
    "SaturatedFlat",
    "ShiftedLevel",
    "TruncatedFile",
    "WrongExposureTime",
    "load_truth",
    "simulate_night",
]
