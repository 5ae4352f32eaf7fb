"""How our time and memory grow: with frames, pixels, threads, detectors, and the graph with what it holds."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from astropy.io import fits

from benchmarks import led_night
from benchmarks.bandwidth import Bandwidth
from benchmarks.contest import run_task
from benchmarks.files import bias_files
from benchmarks.measure import Cost
from benchmarks.ours.repositories import fill, many_biases
from benchmarks.points import Point
from benchmarks.scene import Scene
from benchmarks.sizes import SIZES, Size
from benchmarks.summary import Row, summarise
from benchmarks.table import seconds
from benchmarks.tools import OURS, Task
from benchmarks.tools.fiducial import Fiducial

_TINY = replace(SIZES["small"], name="tiny", rows=16, columns=48, overscan=8)


@dataclass(frozen=True)
class Reach:
    """How far each number goes."""

    frames: tuple[int, ...]
    edges: tuple[int, ...]  # rows and columns of square frames, of which 20 are stacked
    detectors: tuple[int, ...]
    exposures: tuple[int, ...]  # of graphs, each for every number of detectors
    graph_detectors: tuple[int, ...]


REACH = {
    "full": Reach((10, 30, 100, 300, 1000), (512, 1024, 2048, 4096), (1, 2, 4), (20, 200), (2, 8)),
    "small": Reach((10, 30), (256, 512), (1, 2), (5, 10), (1, 2)),
}


def measure_scaling(size: Size, repeats: int, version: str, bandwidth: Bandwidth) -> list[Row]:
    """Measure all curves, point after point in turn."""
    reach, folder = REACH[size.name], size.folder / "scaling"
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    curves = (_frames(reach, folder), _pixels(reach, folder), _threads(size), _detectors(reach, folder))
    for curve in (*curves, _graphs(reach, folder), led_night.points(size, folder)):
        points = list(curve)
        costs: dict[str, list[Cost]] = {point.name: [] for point in points}
        for turn in range(repeats + 1):
            for point in points:
                cost = run_task(OURS, "scaling", point.task, size)
                costs[point.name] += [cost] if turn else []  # the first warms up
        for point in points:
            limit = bandwidth.roofline(point.read, point.written) if point.read else None
            row = summarise(point.name, OURS, version, costs[point.name], roofline_s=limit)
            rows.append(replace(row, ratio_to_ours=1.0))
            print(f"{point.name:24} {seconds(row.median_s):>7} s {row.rss_mb:6.0f} MiB", flush=True)
    return rows


def _frames(reach: Reach, folder: Path) -> Iterator[Point]:
    files = _square(folder, 512, max(reach.frames))
    for number in reach.frames:
        yield _stack(f"scaling-frames-{number}", files[:number], folder, 512 * 512)


def _pixels(reach: Reach, folder: Path) -> Iterator[Point]:
    for edge in reach.edges:
        files = _square(folder, edge, 20)
        yield _stack(f"scaling-pixels-{edge}x{edge}", files, folder, edge * edge)


def _threads(size: Size) -> Iterator[Point]:
    number = 1
    while number <= (os.cpu_count() or 1):
        folder = size.folder / "scaling"
        name = f"scaling-threads-{number}"
        yield _stack(name, bias_files(size), folder, size.raw_shape[0] * size.raw_shape[1], number)
        number *= 2


def _detectors(reach: Reach, folder: Path) -> Iterator[Point]:
    """Master biases of 20 frames of 1024 x 1088 pixels of each detector, in a repository."""
    size, most = SIZES["small"], max(reach.detectors)
    root, out = folder / "detectors-repository", folder / "detectors-out"
    out.mkdir(exist_ok=True)
    fill(root, size, many_biases(folder / "detectors", size, exposures=20, detectors=most), detectors=most)
    for number in reach.detectors:
        yield Point(f"scaling-detectors-{number}", Fiducial().make_bias(root, number, out))


def _graphs(reach: Reach, folder: Path) -> Iterator[Point]:
    """Graphs of exposures x detectors; no pixel is read."""
    exposures, detectors = max(reach.exposures), max(reach.graph_detectors)
    root = folder / "graph-repository"
    files = many_biases(folder / "graph", _TINY, exposures=exposures, detectors=detectors)
    fill(root, _TINY, files, detectors=detectors)
    told = folder / "told.json"
    module = "benchmarks.ours.build_graph"
    for exposure in reach.exposures:
        for detector in reach.graph_detectors:
            command = (sys.executable, "-m", module, str(root), str(exposure), str(detector), str(told))
            task = Task(command, told, (folder, "told.json"), timing=told)
            yield Point(f"scaling-graph-{exposure}x{detector}", task)


def _stack(name: str, files: Sequence[Path], folder: Path, pixels: int, threads: int = 0) -> Point:
    out = folder / "stacked.fits"
    number = threads or os.cpu_count() or 1
    words = (sys.executable, "-m", "benchmarks.ours.stack_files", str(out), str(number), *map(str, files))
    read = sum(path.stat().st_size for path in files)
    return Point(name, Task(words, out, (folder, "stacked.fits")), read, 4 * pixels)


def _square(folder: Path, edge: int, number: int) -> list[Path]:
    """Square biases, written where they are missing."""
    frames = folder / f"square-{edge}"
    frames.mkdir(parents=True, exist_ok=True)
    size = replace(SIZES["small"], name="square", rows=edge, columns=edge - 32, overscan=16)
    scene, files = Scene(size), [frames / f"bias{i:04d}.fits" for i in range(number)]
    for i, path in enumerate(files):
        if not path.exists():
            fits.PrimaryHDU(scene.bias_frame(i)).writeto(path)
    return files
