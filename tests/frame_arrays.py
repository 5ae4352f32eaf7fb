"""Frames in memory for tests of corrections and kinds: a tiny camera, its facts, its masters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import astropy.units as u
import numpy as np
from numpy.typing import NDArray

from fiducial.cameras import camera_from_yaml
from fiducial.cameras.facts import FrameFacts
from fiducial.cameras.model import Camera
from fiducial.cameras.regions import Region
from fiducial.corrections.frame import DetectorFrame
from fiducial.corrections.masters import Master
from fiducial.errors import LayoutMismatch, UnreadableFrame
from fiducial.frames.raw import ImageHdu
from fiducial.products import metadata as meta
from fiducial.products.images import to_masked_image

RAW_SHAPE = (100, 60)
SHAPE = (96, 40)
LEVEL = {"A": 1000.0, "B": 1200.0}
GAIN = {"A": 2.0, "B": 4.0}
READ_NOISE = 8.0

YAML = """
name: TinyCam
layouts:
  # A is read from its lower left, B from its upper right: its rows run the other way, its parallel overscan
  # (four rows) lies below.
  two:
    raw_shape: [100, 60]
    amplifiers:
      - {name: A, data: "[1:20,1:96]", serial_overscan: "[21:30,1:96]", parallel_overscan: "[1:20,97:100]",
         detector: "[1:20,1:96]", read_corner: LL, gain: 2.0, read_noise: 8.0, saturation: 60000}
      - {name: B, data: "[41:60,5:100]", serial_overscan: "[31:40,5:100]", parallel_overscan: "[41:60,1:4]",
         detector: "[40:21,96:1]", read_corner: UR, gain: 4.0, read_noise: 8.0, saturation: 60000}
  bare:
    raw_shape: [100, 60]
    amplifiers:
      - {name: A, data: "[1:60,1:100]", detector: "[1:60,1:100]", gain: 2.0, read_noise: 8.0,
         saturation: 60000}
detectors:
  - {id: 0, name: S00, layout: LAYOUT, serial: T-0}
  - {id: 1, name: S01, layout: LAYOUT}
filters: {g: g}
headers:
  recognise: {INSTRUME: TinyCam}
  state:
    TEMP_SET: {tolerance: 0.5}
    SEQFILE: {}
defaults:
  overscan: {method: METHOD, skip_leading: 1}
"""


def tiny_camera(layout: str = "two", method: str = "median_per_row") -> Camera:
    """Two detectors of two amplifiers with overscan ("two"), or of one without ("bare")."""
    return camera_from_yaml(YAML.replace("LAYOUT", layout).replace("METHOD", method), "tiny.yaml")


@dataclass
class ArrayRaw:
    """A raw frame whose pixels are an array; it counts what is read, and fails where it is told to."""

    pixels: NDArray[Any]
    path: str = "array"
    compressed: bool = False
    corrupt_rows: range = range(0)
    read_pixels: int = 0
    images: tuple[ImageHdu, ...] = field(init=False)

    def __post_init__(self) -> None:
        shape = (self.pixels.shape[0], self.pixels.shape[1])
        self.images = (ImageHdu(0, "", shape, self.pixels.dtype, self.compressed),)

    def find(self, hdu: int | str | None = None) -> ImageHdu:
        if hdu not in (None, 0):
            raise LayoutMismatch(f"{self.path} has no HDU {hdu}", file=self.path, hdu=hdu)
        return self.images[0]

    def read(self, hdu: int | str | None = None, region: Region | None = None) -> NDArray[Any]:
        ny, nx = self.pixels.shape
        area = region or Region(0, nx, 0, ny)
        if any(area.y0 <= row < area.y1 for row in self.corrupt_rows):
            raise UnreadableFrame(f"{self.path}: a tile is corrupt", file=self.path, hdu=0)
        self.read_pixels += area.shape[0] * area.shape[1]
        return self.pixels[area.slices].copy()


@dataclass
class Handle:
    """A deferred handle, as the middleware gives one."""

    raw: Any

    def get(self) -> Any:
        if isinstance(self.raw, BaseException):
            raise ValueError("the middleware wraps what a formatter raises") from self.raw
        return self.raw


def facts(exposure: int = 1, **changes: Any) -> FrameFacts:
    """Facts of a frame; one a minute."""
    begin = datetime(2026, 1, 15, 20) + timedelta(minutes=exposure)
    values: dict[str, Any] = {
        "camera": "TinyCam",
        "exposure": exposure,
        "obs_id": f"T{exposure}",
        "detectors": (0,),
        "day_obs": 20260115,
        "seq_num": exposure,
        "group": "1",
        "begin": begin,
        "end": begin + timedelta(seconds=10),
        "exposure_time": 10.0,
        "dark_time": 12.0,
        "frame_type": "bias",
        "filter": "g",
        "state": {"TEMP_SET": -100.0, "SEQFILE": "fast.seq"},
    }
    return FrameFacts(**(values | changes))


def raw_pixels(
    camera: Camera,
    signal: Mapping[str, NDArray[Any] | float] | float = 0.0,
    *,
    noise: float = 0.0,
    seed: int = 0,
    ramp: float = 0.0,
    detector: int = 0,
) -> NDArray[np.float32]:
    """Raw pixels: an amplifier's level with a ramp along its rows, noise, and a signal (adu) in its data."""
    rng = np.random.default_rng(seed)
    pixels = np.zeros(RAW_SHAPE)
    for amp in camera.amplifiers(detector):
        level = LEVEL[amp.name] + ramp * np.arange(RAW_SHAPE[0])[:, None] / RAW_SHAPE[0]
        for area in (amp.data, amp.serial_overscan):  # parallel overscan rows are read like all others
            if area is not None:
                pixels[:, area.x0 : area.x1] = level
        value = signal[amp.name] if isinstance(signal, Mapping) else signal
        pixels[amp.data.slices] += value
    pixels += noise * rng.standard_normal(RAW_SHAPE)
    return pixels.astype(np.float32)


def frame(
    camera: Camera, pixels: NDArray[Any] | None = None, detector: int = 0, **changes: Any
) -> DetectorFrame:
    """A frame of an array."""
    raw: Any = ArrayRaw(raw_pixels(camera) if pixels is None else pixels)
    return DetectorFrame(raw, camera, detector, facts(**changes))


def master(
    kind: str,
    image: NDArray[Any] | float,
    *,
    world: str = "adu",
    variance: NDArray[Any] | float = 0.0,
    mask: NDArray[Any] | None = None,
    shape: tuple[int, int] = SHAPE,
    **keys: Any,
) -> Master:
    """A master calibration of TinyCam."""
    base = u.adu if world == "adu" else u.electron
    unit = {"bias": base, "dark": base / u.s, "flat": u.dimensionless_unscaled}[kind]
    metadata = {meta.INSTRUMENT: "TinyCam", meta.DETECTOR: 0, meta.WORLD: world} | keys
    product = to_masked_image(
        np.broadcast_to(np.float32(image), shape).copy(),
        np.broadcast_to(np.float32(variance), shape).copy(),
        np.zeros(shape, np.int32) if mask is None else mask,
        unit=unit,
        metadata=metadata,
    )
    return Master(kind, product, "0001")
