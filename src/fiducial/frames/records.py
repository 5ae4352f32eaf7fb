"""What is known of one frame: a row per exposure and detector, and its Arrow schema."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from fiducial.cameras.facts import FrameFacts


class AmplifierContent(BaseModel):
    """What the raw pixels of one amplifier look like, before any correction (adu)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    amplifier: str
    level: float  # median of the data section
    overscan: float | None  # median of the serial overscan (skips applied); None without one
    noise: float  # sigma of one pixel, from differences of row neighbours, outliers clipped
    low: float  # 5th percentile of the data section
    high: float  # 95th percentile
    saturated: float  # fraction at or above the saturation level
    gradient: float  # of row and column medians: largest span, adu


class FrameRecord(BaseModel):
    """One exposure on one detector: facts, content and where it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    facts: FrameFacts
    detector: int
    file: str
    size: int  # bytes
    sha256: str
    content: tuple[AmplifierContent, ...]

    @property
    def exposure(self) -> int:
        """The exposure's id."""
        return self.facts.exposure

    def signal(self) -> float:
        """Level above overscan (adu), the median over amplifiers; above zero without overscan."""
        levels = sorted(a.level - (a.overscan or 0.0) for a in self.content)
        middle = len(levels) // 2
        return levels[middle] if len(levels) % 2 else 0.5 * (levels[middle - 1] + levels[middle])
