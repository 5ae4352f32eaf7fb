"""A tiny camera, its raw frames and its calibrations, for tests of the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.io import fits

from fiducial.cameras import camera_from_yaml
from fiducial.cameras.model import Camera
from fiducial.products.images import to_masked_image

YAML = """
name: {name}
layouts:
  ccd:
    raw_shape: [24, 40]
    amplifiers:
      - {{name: A, data: "[1:16,1:24]", detector: "[1:16,1:24]", serial_overscan: "[17:20,1:24]",
          gain: 2.0, read_noise: 6.0, saturation: 60000}}
      - {{name: B, data: "[21:36,1:24]", detector: "[17:32,1:24]", serial_overscan: "[37:40,1:24]",
          gain: 4.0, read_noise: 6.0, saturation: 60000}}
detectors:
  - {{id: 0, name: S00, layout: ccd}}
  - {{id: 1, name: S01, layout: ccd}}
filters: {{none: "", g: g}}
headers:
  recognise: {{INSTRUME: {name}}}
  frame_types:
    - {{type: bias, when: {{IMGTYPE: bias}}}}
    - {{type: dark, when: {{IMGTYPE: dark}}}}
    - {{type: flat, when: {{IMGTYPE: flat}}}}
  detector: DETECTOR
  obs_id: OBSID
  day_obs: DAYOBS
  seq_num: SEQNUM
  begin: {{key: DATE-BEG, scale: tai}}
  exposure_time: EXPTIME
  filter: FILTER
  target: TARGET
  temperature: CCDTEMP
"""

SHAPE = (24, 32)
"""Of the assembled detector."""

RAW_SHAPE = (24, 40)


def tiny_camera(name: str = "TinyCam", **changes: str) -> Camera:
    """Two detectors of two amplifiers; ``changes`` replaces texts of the YAML."""
    text = YAML.format(name=name)
    for old, new in changes.items():
        text = text.replace(old, new)
    return camera_from_yaml(text, f"{name}.yaml")


def write_frame(
    path: Path,
    *,
    detector: int = 0,
    day: int = 20240326,
    number: int = 1,
    kind: str = "bias",
    level: float = 1000.0,
    instrument: str = "TinyCam",
    **cards: Any,
) -> Path:
    """One raw frame; equal arguments give equal pixels. A card given as None is left out."""
    rng = np.random.default_rng([day, number, detector, int(level)])
    pixels = rng.normal(level, 3.0, RAW_SHAPE).round().astype(np.uint16)
    date = f"{str(day)[:4]}-{str(day)[4:6]}-{str(day)[6:]}"
    header = {
        "INSTRUME": instrument,
        "DETECTOR": detector,
        "OBSID": f"T_{day}_{number:05d}",
        "DAYOBS": day,
        "SEQNUM": number,
        "IMGTYPE": kind,
        "EXPTIME": 0.0,
        "FILTER": "none",
        "DATE-BEG": f"{date}T20:{number // 60:02d}:{number % 60:02d}",
        "TARGET": "FlatField position",
        "CCDTEMP": -100.0,
    } | {name.replace("_", "-"): value for name, value in cards.items()}
    hdu = fits.PrimaryHDU(pixels)
    for name, value in header.items():
        if value is not None:
            hdu.header[name] = value
    hdu.writeto(path, overwrite=True)
    return path


def write_night(
    folder: Path, *, numbers: range = range(1, 4), day: int = 20240326, **cards: Any
) -> list[Path]:
    """A file for each exposure and detector."""
    folder.mkdir(exist_ok=True)
    return [
        write_frame(folder / f"t{day}_{n:05d}_{d}.fits", detector=d, day=day, number=n, **cards)
        for n in numbers
        for d in (0, 1)
    ]


def exposure_id(number: int, day: int = 20240326) -> int:
    """What the camera's rules make of day and number."""
    return day * 100_000 + number


def calibration(seed: int = 1, kind: str = "bias", detector: int = 0) -> Any:
    """A calibration image."""
    rng = np.random.default_rng(seed)
    return to_masked_image(
        rng.normal(0, 1, SHAPE).astype(np.float32),
        np.full(SHAPE, 0.25, np.float32),
        np.zeros(SHAPE, np.int32),
        unit=u.electron,
        metadata={"OBSTYPE": kind, "DETECTOR": detector, "FID KIND": kind, "FID NINPUT": 3},
    )


def put_bias(repository: Any, run: str, detectors: tuple[int, ...] = (0, 1), seed: int = 1) -> list[Any]:
    """A hand-made bias of each detector in a RUN."""
    repository.butler.collections.register(run)
    return [
        repository.butler.put(
            calibration(seed + d, detector=d), "bias", instrument=repository.instrument, detector=d, run=run
        )
        for d in detectors
    ]
