"""Names of the benchmark's files; nothing heavy is imported here: the programs that are timed import it."""

from __future__ import annotations

from pathlib import Path

from benchmarks.sizes import Size


def bias_files(size: Size, compressed: bool = False) -> list[Path]:
    """Raw biases."""
    end = ".fits.fz" if compressed else ".fits"
    return [size.frames_folder / f"bias{i:02d}{end}" for i in range(size.frames)]


def science_files(size: Size) -> list[Path]:
    """Raw science frames."""
    return [size.frames_folder / f"science{i:02d}.fits" for i in range(size.frames)]


def pair_files(size: Size) -> list[tuple[Path, Path]]:
    """Trimmed flats, two of each level."""
    folder = size.frames_folder
    return [(folder / f"pair{i:02d}a.fits", folder / f"pair{i:02d}b.fits") for i in range(size.pairs)]


def master_file(size: Size, kind: str) -> Path:
    """Master bias (adu), dark (adu per second), flat (1 in the median) or mask (1: bad), trimmed."""
    return size.frames_folder / f"master-{kind}.fits"
