"""Results beside their float64 references: the largest difference over the pixels that both define."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from benchmarks.files import bias_files, master_file, pair_files, science_files
from benchmarks.references import (
    Clipping,
    Masters,
    amplifiers,
    clipped_mean,
    covariances,
    detrended,
    without_overscan,
)
from benchmarks.sixteen import AMPLIFIERS, GAINS, SIXTEEN, Sixteen
from benchmarks.sixteen_reference import chain_reference
from benchmarks.sizes import GAIN, KAPPA, Size
from benchmarks.tools.base import Task

type Float64 = NDArray[np.float64]

_STRIP = 32  # rows
_NOTABLE = 0.01  # of the unit: above rounding, below anything that matters


@dataclass(frozen=True)
class Difference:
    """Largest difference from the reference, and the part of the pixels that differ by more than 0.01.

    In adu (W3: as a fraction of the variance; PTC: of the gain; E2E and CHAIN: in electrons).
    """

    largest: float
    notable: float


def compare(workload: str, task: Task, size: Size) -> Difference | None:
    """Compare a result with the reference of the tool's own definition; references are kept on disk.

    None for a master bias of few frames: it is clipped by the noise that they should have.
    """
    if workload == "PTC":
        found = np.array(json.loads(task.result.read_text())["gains"], np.float64)
        return Difference(difference(found / np.array(GAINS), np.ones(len(GAINS))).largest, 0.0)
    if workload in ("CHAIN", "CHAINd"):
        return chain_difference(task.result, SIXTEEN[size.name], dithered=workload == "CHAINd")
    if workload == "E2E" and size.frames <= KAPPA**2:
        return None
    if workload == "W3":
        expected = _kept(size, "W3", lambda: _covariances(size))
        return difference(np.load(task.result) / expected[..., :1, :1], expected / expected[..., :1, :1])
    if workload == "W2":
        expected = _kept(size, f"W2-{task.model}", lambda: _detrended(size, task.model))
        found = _image(task.result)
        if found.shape == size.raw_shape:
            found = np.hstack([found[:, columns] for columns in size.data])
        factor = task.factor or float(np.vdot(found, expected) / np.vdot(found, found))
        return difference(factor * found, expected)
    clipping = task.clipping
    if clipping is None:
        raise ValueError(f"{workload} is a stack: how is it clipped?")
    if workload == "E2E":
        expected = _kept(size, f"E2E-{_name(clipping)}", lambda: _bias(size, clipping))
        return difference(_image(Path(json.loads(task.result.read_text())["product"])), expected)
    expected = _kept(size, f"W1-{_name(clipping)}", lambda: _stacked(size, clipping))
    return difference(_image(task.result) * (task.factor or 1.0), expected)


def chain_difference(path: Path, size: Sixteen, *, dithered: bool) -> Difference | None:
    """Of the last frame, where no mask is set; None if it is dithered: the noise is the program's own."""
    if dithered:
        return None
    found = np.load(path)
    image = found["image"].astype(np.float64)
    for k in range(AMPLIFIERS):
        image[size.detector(k)] += found["offsets"][k]
    image[found["mask"] != 0] = np.nan
    return difference(image, chain_reference(size))


def difference(found: Float64, expected: Float64) -> Difference:
    """Difference of two arrays of one shape over the elements that are finite in both."""
    if found.shape != expected.shape:
        raise ValueError(f"the result is {found.shape}, the reference {expected.shape}")
    both = np.isfinite(found) & np.isfinite(expected)
    if not both.any():
        raise ValueError("the result and the reference have no element in common")
    apart = np.abs(found[both] - expected[both])
    return Difference(float(apart.max()), float(np.mean(apart > _NOTABLE)))


def _image(path: Path) -> Float64:
    with fits.open(path) as hdus:
        pixels = next(hdu.data for hdu in hdus if hdu.is_image and hdu.data is not None)
        return np.asarray(pixels, np.float64)


def _name(clipping: Clipping) -> str:
    return f"{clipping.centre}-{clipping.ddof}-{clipping.about}-{clipping.rounds}"


def _kept(size: Size, name: str, make: Callable[[], Float64]) -> Float64:
    """The reference from disk, or made and kept there."""
    path = size.folder / "reference" / f"{name}.npy"
    newest = max(file.stat().st_mtime for file in size.frames_folder.glob("*.fits"))
    if not path.exists() or path.stat().st_mtime < newest:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, make())
    return np.asarray(np.load(path), np.float64)


def _strips(size: Size) -> Iterator[tuple[slice, list[NDArray[np.float32]]]]:
    opened = [fits.open(path, do_not_scale_image_data=True) for path in bias_files(size)]
    for first in range(0, size.rows, _STRIP):
        rows = slice(first, min(first + _STRIP, size.rows))
        yield rows, [hdus[0].data[rows].astype(np.float32) + np.float32(32768) for hdus in opened]


def _stacked(size: Size, clipping: Clipping) -> Float64:
    out = np.empty(size.raw_shape)
    for rows, strips in _strips(size):
        out[rows] = clipped_mean(np.stack([s.ravel() for s in strips]), clipping).reshape(out[rows].shape)
    return out


def _bias(size: Size, clipping: Clipping) -> Float64:
    """Master bias in electrons."""
    out = np.empty((size.rows, size.columns))
    gain = np.repeat(np.array(GAIN), size.columns // 2)
    for rows, strips in _strips(size):
        stack = np.stack([without_overscan(strip, size).ravel() for strip in strips])
        out[rows] = clipped_mean(stack, clipping).reshape(out[rows].shape) * gain
    return out


def _detrended(size: Size, model: str) -> Float64:
    """The last science frame."""
    bias, dark, flat, mask = (fits.getdata(master_file(size, k)) for k in ("bias", "dark", "flat", "mask"))
    raw = fits.getdata(science_files(size)[-1])
    return detrended(raw, Masters(bias, dark, flat, mask), size, model)[0]


def _covariances(size: Size) -> Float64:
    out = []
    for first, second in pair_files(size):
        a, b = fits.getdata(first), fits.getdata(second)
        out.append([covariances(a[where], b[where]) for where in amplifiers(a.shape)])
    return np.array(out)
