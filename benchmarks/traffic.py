"""Bytes that a workload cannot but read and write."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmarks.files import bias_files, master_file, pair_files, science_files
from benchmarks.sixteen import SIXTEEN
from benchmarks.sizes import GRID, LAGS, Size


def traffic(workload: str, size: Size) -> tuple[int, int]:
    """Bytes read and bytes written by a program that does a workload with the fewest.

    The headers' few kilobytes count where they are read, not where they are written.
    """
    pixels = size.rows * size.columns
    raw_pixels = size.raw_shape[0] * size.raw_shape[1]
    if workload in ("W1", "W1z"):
        return _bytes(bias_files(size, workload == "W1z")), 4 * raw_pixels
    if workload == "W2":
        masters = [master_file(size, kind) for kind in ("bias", "dark", "flat", "mask")]
        return _bytes([*science_files(size), *masters]), size.frames * pixels * (4 + 4 + 1)
    if workload == "W3":
        return _bytes(path for pair in pair_files(size) for path in pair), 8 * size.pairs * _products()
    if workload == "E2E":
        return _bytes(bias_files(size)), pixels * (4 + 4 + 4)
    sixteen = SIXTEEN[size.name]
    if workload == "PTC":
        return _bytes(path for pair in sixteen.flat_files() for path in pair), 0
    if workload in ("CHAIN", "CHAINd"):
        return _bytes(sixteen.science_files()[:1]), 0
    raise ValueError(f"there is no workload {workload}")


def _products() -> int:
    return GRID[0] * GRID[1] * LAGS * LAGS


def _bytes(files: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in files)
