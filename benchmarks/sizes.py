"""How large the frames are, and where the benchmark keeps what it writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "bench"


@dataclass(frozen=True)
class Size:
    """Frames of one detector of two amplifiers side by side: data | overscan | overscan | data."""

    name: str
    rows: int
    columns: int  # sensitive to light, both amplifiers
    overscan: int  # columns of each amplifier
    frames: int
    pair_rows: int  # of a flat pair, which has no overscan and `GRID` amplifiers
    pair_columns: int
    pairs: int

    @property
    def raw_shape(self) -> tuple[int, int]:
        """Rows and columns of a raw frame."""
        return self.rows, self.columns + 2 * self.overscan

    @property
    def data(self) -> tuple[slice, slice]:
        """Raw columns of the light-sensitive pixels of each amplifier."""
        half = self.columns // 2
        return slice(0, half), slice(half + 2 * self.overscan, self.columns + 2 * self.overscan)

    @property
    def bias_columns(self) -> tuple[slice, slice]:
        """Raw columns of the overscan of each amplifier."""
        half = self.columns // 2
        middle = half + self.overscan
        return slice(half, middle), slice(middle, middle + self.overscan)

    @property
    def detector(self) -> tuple[slice, slice]:
        """Columns of each amplifier in the trimmed image."""
        half = self.columns // 2
        return slice(0, half), slice(half, self.columns)

    @property
    def folder(self) -> Path:
        """Where everything of this size is."""
        return BUILD / self.name

    @property
    def frames_folder(self) -> Path:
        """Where the frames are: `build/bench/data` for those of full size."""
        return BUILD / "data" if self.name == "full" else self.folder / "data"


CAMERA = "BenchCam"
GRID = (8, 2)  # amplifiers of a flat pair, rows x columns
LAGS = 8  # covariances at lags 0..7 in rows and columns
GAIN = (1.5, 1.6)  # electrons per adu of each amplifier
READ_NOISE = (5.0, 6.0)  # electrons
SATURATION = 60000  # adu
EXPOSURE = 120.0  # seconds of a science frame
KAPPA = 3.0  # clipping of stacks, sigmas
PAIR_KAPPA = 5.0  # clipping of the differences of pairs, sigmas
PAIR_ROUNDS = 3

SIZES = {
    "full": Size("full", 4096, 4096, 64, 20, 4096, 2048, 20),
    "small": Size("small", 1024, 960, 64, 5, 512, 512, 5),
}
