"""The frames that a camera file is drafted from, and the evidence that is gathered on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from fiducial.cameras.facts import StateValue
from fiducial.cameras.source import Source

_SAMPLE = 1 << 17  # pixels that a level is the median of, at most


@dataclass(frozen=True)
class DraftInput:
    """One raw frame to draft from.

    Parameters
    ----------
    file
        Its path: names of files and folders are evidence too.
    header
        The primary header and that of the first image as one.
    hdus
        For each image: name (or index) of its HDU, its header, its pixels (rows, columns) in adu.
    """

    file: str
    header: Mapping[str, Any]
    hdus: Sequence[tuple[str | int, Mapping[str, Any], np.ndarray]]


@dataclass(frozen=True)
class Evidence:
    """Why a drafted value is what it is."""

    key: str  # path in the camera file: layouts.ccd.amplifiers[L].gain
    value: str
    reason: str
    sure: bool = True  # False: a guess that somebody should look at

    def __str__(self) -> str:
        return f"{self.key} = {self.value}: {self.reason}" + ("" if self.sure else " (CHECK)")


@dataclass
class Notebook:
    """The evidence, collected while a camera is drafted."""

    entries: list[Evidence] = field(default_factory=list)

    def note(self, key: str, value: object, reason: str, *, sure: bool = True) -> None:
        """Write down why ``key`` has this value."""
        self.entries.append(Evidence(key, str(value), reason, sure))


class DraftFrame:
    """One frame as drafting sees it: keywords, first image, level."""

    def __init__(self, given: DraftInput) -> None:
        self.file = given.file
        self.source = Source(given.header, given.file)
        self.header = given.header
        self.hdus = [(name, header, _filled(pixels)) for name, header, pixels in given.hdus]
        self.exposure_time: float | None = None  # s; set once its keyword is known
        self.begin: float | None = None  # s since some moment; set once its keyword is known
        self.detector: str = ""  # value of the keyword that names the detector

    def get(self, key: str) -> StateValue | None:
        """The value of a keyword, ``$FILENAME`` or ``$FOLDER``."""
        return self.source.get(key)

    def comment(self, key: str) -> str:
        """The comment of a keyword, in lower case; empty where the header keeps none."""
        comments = getattr(self.header, "comments", None)
        if comments is None or not self.source.has(key):
            return ""
        return str(comments[key]).lower()

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns of the first image."""
        return self.hdus[0][2].shape

    @property
    def pixels(self) -> np.ndarray:
        """The first image."""
        return self.hdus[0][2]

    @cached_property
    def level(self) -> float:
        """Median of the first image (adu), as ``$LEVEL`` has it."""
        sample = self.pixels.ravel()[:: max(1, self.pixels.size // _SAMPLE)]
        return float(np.median(sample))


def _filled(pixels: np.ndarray) -> np.ndarray:
    """Pixels with the median of all in place of those that are no number; most raw frames have none."""
    if pixels.dtype.kind != "f" or (good := np.isfinite(pixels)).all():
        return pixels
    return np.where(good, pixels, np.median(pixels[good]) if good.any() else 0.0)


def usable_frames(inputs: Sequence[DraftInput], notebook: Notebook) -> list[DraftFrame]:
    """Frames with an image, all of the most common shape; what is left out is noted."""
    ordered = sorted(inputs, key=lambda given: given.file)  # what is found does not hang on their order
    frames = [DraftFrame(given) for given in ordered if given.hdus and given.hdus[0][2].ndim == 2]
    if not frames:
        return []
    shapes = [frame.shape for frame in frames]
    common = max(set(shapes), key=shapes.count)
    kept = [frame for frame in frames if frame.shape == common]
    if len(kept) < len(inputs):
        left = len(inputs) - len(kept)
        notebook.note(
            "layouts", f"{common[1]} x {common[0]}", f"{left} frames of another shape or none left out"
        )
    return kept


def mean_image(frames: Sequence[DraftFrame], hdu: int = 0) -> np.ndarray:
    """Mean of one image of some frames, float64."""
    total = np.zeros(frames[0].hdus[hdu][2].shape)
    for frame in frames:
        total += frame.hdus[hdu][2]
    return total / len(frames)
