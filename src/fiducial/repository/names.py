"""The names of collections and dataset types, in one place."""

from __future__ import annotations

from datetime import UTC, datetime

RAW = "raw"
FACTS = "frameFacts"
CAMERA = "camera"


def raw_frames(instrument: str) -> str:
    """RUN that holds the raw frames."""
    return f"{instrument}/raw/frames"


def raw_facts(instrument: str) -> str:
    """TAGGED collection of the newest table of frame facts of each day."""
    return f"{instrument}/raw/facts"


def raw_all(instrument: str) -> str:
    """CHAIN of the raw frames and what is known of them: an input of every pipeline."""
    return f"{instrument}/raw/all"


def calib(instrument: str) -> str:
    """CHAIN of everything certified: an input of every pipeline."""
    return f"{instrument}/calib"


def calib_camera(instrument: str) -> str:
    """CALIBRATION collection that holds the camera."""
    return f"{instrument}/calib/camera"


def calib_unbounded(instrument: str) -> str:
    """RUN of what is valid for all time."""
    return f"{instrument}/calib/unbounded"


def timestamp() -> str:
    """The moment, as a part of a collection's name: ``20240326T163518123456Z``."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z"
