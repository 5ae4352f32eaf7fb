"""A detector of 16 amplifiers, two rows of eight with overscan: for photon transfer and whole chains."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.sizes import BUILD

ROWS_OF_AMPLIFIERS, ACROSS = 2, 8
AMPLIFIERS = ROWS_OF_AMPLIFIERS * ACROSS
GAINS = tuple(1.4 + 0.02 * k for k in range(AMPLIFIERS))  # electrons per adu
NOISE = 5.0  # electrons
FULL_WELL = 58000.0  # adu, of the brightest flats
CAMERA = "SixteenCam"
BENT = 2e-7  # 1/adu: what the light is more than the signal, of the signal's square


@dataclass(frozen=True)
class Sixteen:
    """Frames of one size: of each amplifier data, then overscan; the upper eight are read from the top."""

    name: str
    rows: int
    columns: int  # sensitive to light, all amplifiers
    overscan: int  # columns of each amplifier
    pairs: int  # of flats
    science: int  # frames
    lag: int  # largest of covariances

    @property
    def raw_shape(self) -> tuple[int, int]:
        """Rows and columns of a raw frame."""
        return self.rows, self.columns + ACROSS * self.overscan

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the detector."""
        return self.rows, self.columns

    def rows_of(self, amplifier: int) -> slice:
        """Rows of an amplifier, in the file and on the detector."""
        height, row = self.rows // ROWS_OF_AMPLIFIERS, amplifier // ACROSS
        return slice(row * height, (row + 1) * height)

    def data(self, amplifier: int) -> tuple[slice, slice]:
        """Where an amplifier's pixels are in the file."""
        width, column = self.columns // ACROSS, amplifier % ACROSS
        first = column * (width + self.overscan)
        return self.rows_of(amplifier), slice(first, first + width)

    def bias_region(self, amplifier: int) -> tuple[slice, slice]:
        """Where its overscan is in the file."""
        rows, columns = self.data(amplifier)
        return rows, slice(columns.stop, columns.stop + self.overscan)

    def detector(self, amplifier: int) -> tuple[slice, slice]:
        """Where its pixels are on the detector."""
        width, column = self.columns // ACROSS, amplifier % ACROSS
        return self.rows_of(amplifier), slice(column * width, (column + 1) * width)

    def flat_files(self) -> list[tuple[Path, Path]]:
        """Flats, two of each level."""
        return [
            (self.folder / f"flat{i:02d}a.fits", self.folder / f"flat{i:02d}b.fits")
            for i in range(self.pairs)
        ]

    def bias_files(self) -> list[Path]:
        """Raw biases."""
        return [self.folder / f"bias{i:02d}.fits" for i in range(5)]

    def science_files(self) -> list[Path]:
        """Raw science frames."""
        return [self.folder / f"science{i:02d}.fits" for i in range(self.science)]

    @property
    def folder(self) -> Path:
        """Where the frames are."""
        return BUILD / "sixteen" if self.name == "full" else BUILD / self.name / "sixteen"


SIXTEEN = {
    "full": Sixteen("full", 4096, 4096, 32, 30, 5, 10),
    "small": Sixteen("small", 512, 1024, 16, 10, 2, 3),
}
