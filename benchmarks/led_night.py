"""A night of LED flats, as ZTF France takes them: a part of it measured, the whole told."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from astropy.io import fits

from benchmarks.frames import raw_header
from benchmarks.ours.repositories import fill
from benchmarks.points import Point
from benchmarks.scene import Scene
from benchmarks.sizes import SIZES, Size
from benchmarks.summary import Row
from benchmarks.tools import Task

LAMPS, FRAMES = ("led1", "led2"), 7
NIGHT = {"CCDs": 16, "quadrants": 4, "lamps": 11}
"""The whole night: 16 CCDs of 4 quadrants, 11 lamps, 7 frames of each."""

_QUADRANTS = {"full": 4, "small": 1}
_SIZES = {
    "full": replace(SIZES["full"], name="led", rows=3080, columns=3072, overscan=15),
    "small": replace(SIZES["small"], name="led", rows=308, columns=306, overscan=15),
}


def points(size: Size, folder: Path) -> Iterator[Point]:
    """The biases of the quadrants, and their flats of all lamps."""
    root, quadrants = folder / "led-repository", _QUADRANTS[size.name]
    fill(root, _SIZES[size.name], _frames(folder / "led", _SIZES[size.name], quadrants), detectors=quadrants)
    told = folder / "told.json"
    for kind in ("bias", "flat"):
        command = (sys.executable, "-m", "benchmarks.ours.led_night", kind, str(root), str(told))
        yield Point(f"scaling-led-{kind}", Task(command, told, (folder, "told.json"), timing=told))


def sentence(rows: Sequence[Row], size: Size) -> str:
    """What the measured part says of the whole night; empty where it was not measured."""
    walls = {row.workload: row.median_s for row in rows}
    try:
        bias, flat = walls["scaling-led-bias"], walls["scaling-led-flat"]
    except KeyError:
        return ""
    led, quadrants = _SIZES[size.name], _QUADRANTS[size.name]
    flats = quadrants * len(LAMPS)
    pixels = led.rows * led.columns * FRAMES
    number = NIGHT["CCDs"] * NIGHT["quadrants"] * NIGHT["lamps"]
    return (
        f"A night of LED flats, {NIGHT['CCDs']} CCDs of {NIGHT['quadrants']} quadrants of {led.rows} ×"
        f" {led.columns} and {NIGHT['lamps']} lamps with {FRAMES} frames each, is {number} flats. {flats} of"
        f" them were made in {flat:.1f} s, so all take {flat / flats * number / 60:.0f} minutes:"
        f" {1e9 * flat / flats / pixels:.1f} ns for each pixel of each frame, where a stack of biases of the"
        f" same frames takes {1e9 * bias / quadrants / pixels:.1f} ns."
    )


def _frames(folder: Path, size: Size, quadrants: int) -> list[Path]:
    """Write biases and flats, where they are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    scene, files = Scene(size), []
    for index in range(FRAMES * (1 + len(LAMPS))):
        lamp = LAMPS[index // FRAMES - 1] if index >= FRAMES else ""
        paths = [folder / f"{lamp or 'bias'}-{index:02d}-{q}.fits" for q in range(quadrants)]
        if not all(path.exists() for path in paths):
            pixels = scene.flat_frame(index) if lamp else scene.bias_frame(index)
            for quadrant, path in enumerate(paths):
                header = raw_header(size, "flat" if lamp else "bias", index, detector=quadrant)
                header["FILTER"] = lamp or "r"
                fits.PrimaryHDU(pixels, header).writeto(path, overwrite=True)
        files += paths
    return files
