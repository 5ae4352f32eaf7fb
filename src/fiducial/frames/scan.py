"""Everything a repository wants to know of a raw file, from one read of it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np

from fiducial.cameras import translate
from fiducial.cameras.model import Camera
from fiducial.errors import FrameError
from fiducial.frames.content import measure_content
from fiducial.frames.raw import RawFrame
from fiducial.frames.records import FrameRecord
from fiducial.frames.sources import read_whole


def scan_frame(path: str | os.PathLike[str], camera: Camera) -> tuple[FrameRecord, ...]:
    """Read a raw file once: its hash, its facts, and the content of each detector in it.

    Every pixel is decoded, so that a corrupt compressed tile is found here and not in a production.

    Returns
    -------
    tuple of FrameRecord
        One for each detector whose pixels the file holds.

    Raises
    ------
    FrameError
        Whatever is wrong with the file; the error names file, HDU and keyword as far as it can.
    """
    name = os.fspath(path)
    data = read_whole(name)
    digest = hashlib.sha256(data).hexdigest()
    raw = RawFrame.of_bytes(name, data)
    several = any(detector.hdu is not None for detector in camera.detectors)
    try:
        facts = translate(
            camera,
            raw.header(camera.headers.hdu),
            file=name,
            hdu_headers=raw.hdu_headers() if several else (),
            level=lambda: median_level(raw),
        )
    except FrameError as error:
        if error.hdu is None and error.keyword:
            error.hdu = _place_of(error.keyword, raw)
        raise
    return tuple(
        FrameRecord(
            facts=facts,
            detector=detector,
            file=str(Path(name).absolute()),
            size=len(data),
            sha256=digest,
            content=measure_content(raw, camera, detector),
        )
        for detector in facts.detectors
    )


def _place_of(keyword: str, raw: RawFrame) -> int:
    """The HDU whose header has a keyword; where none has it, the primary one, in which it is missed."""
    return next((i for i, header in enumerate(raw.hdu_headers()) if keyword in header), 0)


def median_level(raw: RawFrame) -> float:
    """Median of the raw pixels (adu) of the first image, from at most some 131,000 of them; NaN if none."""
    if not raw.images:
        return float("nan")
    pixels = raw.read(raw.images[0].index)
    sample = pixels[:: max(1, pixels.size >> 17)].astype(np.float32)
    sample = sample[np.isfinite(sample)]
    return float(np.median(sample)) if sample.size else float("nan")
