"""How fast the machine moves bytes, from the page cache, in memory, into files: the least time of a job."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

_PIECE = 1 << 20  # bytes read at once: stays in the processor's cache
_WRITTEN = 1 << 29  # bytes of the file that is written
_REPEATS = 5


@dataclass(frozen=True)
class Bandwidth:
    """Bytes per second with all cores; copy and triad count what is read and what is written."""

    read: float
    copy: float
    triad: float
    write: float

    def roofline(self, read: int, written: int) -> float:
        """Least seconds of work that reads so many bytes from the page cache and writes so many anew."""
        return read / self.read + written / self.write

    def as_dict(self) -> dict[str, float]:
        """Bytes per second by name."""
        return asdict(self)


def measure_bandwidth(files: Sequence[Path], scratch: Path) -> Bandwidth:
    """Measure it; ``files`` (in the page cache) are read, a file in ``scratch`` is written and removed."""
    threads = os.cpu_count() or 1
    size = sum(path.stat().st_size for path in files)
    values = np.ones(1 << 26, np.float32)
    copied, total = np.ones_like(values), np.ones_like(values)
    parts = [slice(*edge) for edge in _halves(values.size, threads)]

    def copy(part: slice) -> None:
        np.copyto(copied[part], values[part])

    def triad(part: slice) -> None:
        for begin in range(part.start, part.stop, 1 << 14):
            piece = slice(begin, min(begin + (1 << 14), part.stop))
            np.multiply(copied[piece], np.float32(3), out=total[piece])
            np.add(total[piece], values[piece], out=total[piece])

    with ThreadPoolExecutor(threads) as pool:
        read = _seconds(lambda: _all(pool.map(_read, files)))
        copying = _seconds(lambda: _all(pool.map(copy, parts)))
        adding = _seconds(lambda: _all(pool.map(triad, parts)))
        writing = _seconds(lambda: _write(pool, scratch / "bandwidth.bin", threads))
    return Bandwidth(
        read=size / read,
        copy=2 * values.nbytes / copying,
        triad=3 * values.nbytes / adding,
        write=_WRITTEN / writing,
    )


def _seconds(work: Callable[[], None]) -> float:
    """Least time of some repeats: a limit is what could be reached."""
    times = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def _all(results: Iterable[None]) -> None:
    for _ in results:
        pass


def _halves(length: int, parts: int) -> list[tuple[int, int]]:
    edges = [length * k // parts for k in range(parts + 1)]
    return list(pairwise(edges))


def _read(path: Path) -> None:
    piece = bytearray(_PIECE)
    descriptor = os.open(path, os.O_RDONLY)
    while os.readv(descriptor, [piece]):
        pass
    os.close(descriptor)


def _write(pool: ThreadPoolExecutor, path: Path, threads: int) -> None:
    """Write a new file of known size from all threads, as a program does that knows its output's size."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    os.ftruncate(descriptor, _WRITTEN)
    piece = bytes(_PIECE)

    def fill(edges: tuple[int, int]) -> None:
        for offset in range(*edges, _PIECE):
            os.pwrite(descriptor, piece[: edges[1] - offset], offset)

    _all(pool.map(fill, _halves(_WRITTEN, threads)))
    os.close(descriptor)
    path.unlink()
