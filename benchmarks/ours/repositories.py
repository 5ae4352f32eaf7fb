"""Repositories with the benchmark's frames in them, made anew each time."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from astropy.io import fits

from benchmarks.frames import raw_header
from benchmarks.ours.camera import camera
from benchmarks.scene import Scene
from benchmarks.sizes import Size


def fill(root: Path, size: Size, files: Sequence[Path], *, detectors: int = 1) -> None:
    """Make a repository and ingest files of a camera of so many detectors."""
    from fiducial.repository import Repository

    shutil.rmtree(root, ignore_errors=True)
    with Repository.create(root, camera(size, detectors)) as made:
        report = made.ingest([str(path) for path in files], processes=1)
        if len(report.used) != len(files):
            raise RuntimeError(
                f"{len(report.used)} of {len(files)} frames were ingested: {report.refused[:3]}"
            )


def many_biases(folder: Path, size: Size, *, exposures: int, detectors: int) -> list[Path]:
    """Write biases of several detectors, where they are not there yet: the same pixels but for a shift."""
    folder.mkdir(parents=True, exist_ok=True)
    files, scene = [], Scene(size)
    for exposure in range(exposures):
        paths = [folder / f"bias{exposure:04d}-{detector}.fits" for detector in range(detectors)]
        if not all(path.exists() for path in paths):
            pixels = scene.bias_frame(exposure)
            for detector, path in enumerate(paths):
                header = raw_header(size, "bias", exposure, detector=detector)
                fits.PrimaryHDU(np.roll(pixels, detector, axis=0), header).writeto(path, overwrite=True)
        files += paths
    return files
