"""Repositories with the benchmark's frames in them, made anew each time."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits

from benchmarks import sixteen
from benchmarks.frames import raw_header
from benchmarks.ours.camera import camera, camera_of_sixteen
from benchmarks.scene import Scene
from benchmarks.sixteen import Sixteen
from benchmarks.sizes import Size

if TYPE_CHECKING:
    from fiducial.cameras.model import Camera


def fill(root: Path, size: Size, files: Sequence[Path], *, detectors: int = 1) -> None:
    """Make a repository and ingest files of a camera of so many detectors."""
    _fill(root, camera(size, detectors), files)


def fill_transfer(root: Path, size: Sixteen) -> None:
    """Make a repository of the frames that photon transfer takes, and a master bias of them."""
    from fiducial.execution.job import PIPELINES, Job
    from fiducial.execution.run import run_job
    from fiducial.repository import Repository

    files = [*size.bias_files(), *(path for pair in size.flat_files() for path in pair)]
    _fill(root, camera_of_sixteen(size), files)
    where = f"instrument='{sixteen.CAMERA}' AND exposure.observation_type='bias'"
    inputs = (f"{sixteen.CAMERA}/raw/all", f"{sixteen.CAMERA}/calib")
    with Repository.open(root, writeable=True) as opened:
        pipeline = PIPELINES / "cpBiasBootstrap.yaml"
        outcome = run_job(opened, Job(pipeline, inputs, f"{sixteen.CAMERA}/bench/bias", where))
        if not outcome.complete:
            raise RuntimeError(f"{outcome.missing} {outcome.failures}")


def _fill(root: Path, described: Camera, files: Sequence[Path]) -> None:
    from fiducial.repository import Repository

    shutil.rmtree(root, ignore_errors=True)
    with Repository.create(root, described) as made:
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
