"""Frames of flats, pixel by pixel, whose covariances are known: for photon transfer through its task.

Two cameras: sixteen amplifiers, each an HDU with a serial overscan, flipped as LSST's are; and four
amplifiers of one HDU, mirrored, without overscan. The pixels of a flat are Gaussian with exactly the second
moments of Astier et al. 2019 (A&A 629, A36), equation 20 (or 16 for their variance), to which come read
noise, rounding, cosmic rays, a lamp that scatters, and the pixels' own response.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from fiducial.algorithms.ptc_covariance_model import CovarianceModel, CovarianceParameters
from fiducial.algorithms.ptc_models import exponential_variance
from fiducial.cameras import camera_from_yaml
from fiducial.cameras.model import Camera
from fiducial.cameras.regions import Region
from fiducial.corrections.masters import Master
from fiducial.errors import LayoutMismatch
from fiducial.frames.raw import ImageHdu
from fiducial.frames.records import FrameRecord
from fiducial.kinds.inputs import Offered
from frame_arrays import Handle, facts, master
from transfer_curves import matrices

type Floats = NDArray[np.float64]

ROWS, COLUMNS, OVERSCAN, SKIPPED = 96, 64, 34, 2  # of an amplifier, and of its overscan
BIAS = 1000.0  # adu
LAGS = 3  # rows and columns of the true matrices
_MARGIN = 16  # pixels around an amplifier, so that opposite sides of the transform know nothing of each other
_HEADERS = "headers:\n  recognise: {INSTRUME: TinyCam}\n"
_VALUES = "gain: 1.5, read_noise: 6.0, saturation: 65000"


def _start(rows: int, columns: int) -> list[str]:
    raw = f"    raw_shape: [{rows}, {columns}]"
    return ["name: TinyCam", "layouts:", "  all:", raw, "    amplifiers:"]


def _end(overscan: str) -> list[str]:
    return [
        "detectors:",
        "  - {id: 0, name: S00, layout: all}",
        _HEADERS,
        f"defaults: {{overscan: {overscan}}}",
    ]


def _sixteen() -> str:
    """Two rows of eight: the lower ones mirrored in x, the upper ones in both."""
    lines = _start(ROWS, COLUMNS + OVERSCAN)
    for number in range(16):
        row, column = divmod(number, 8)
        x0, x1 = COLUMNS * column + 1, COLUMNS * (column + 1)
        y0, y1 = ROWS * row + 1, ROWS * (row + 1)
        place = f"{x1}:{x0},{y0}:{y1}" if row == 0 else f"{x1}:{x0},{y1}:{y0}"
        beside = f"[{COLUMNS + 1}:{COLUMNS + OVERSCAN},1:{ROWS}]"
        lines.append(
            f'      - {{name: C{row}{column}, hdu: {number}, data: "[1:{COLUMNS},1:{ROWS}]", '
            f'serial_overscan: "{beside}", detector: "[{place}]", {_VALUES}}}'
        )
    return "\n".join([*lines, *_end(f"{{method: median_per_row, skip_leading: {SKIPPED}}}")])


def _four() -> str:
    """Four quadrants of one HDU, read from its corners."""
    lines = _start(2 * ROWS, 2 * COLUMNS)
    for name, x, y, corner in (("A", 0, 0, "LL"), ("B", 1, 0, "LR"), ("C", 0, 1, "UL"), ("D", 1, 1, "UR")):
        where = f"{COLUMNS * x + 1}:{COLUMNS * (x + 1)},{ROWS * y + 1}:{ROWS * (y + 1)}"
        lines.append(
            f'      - {{name: {name}, data: "[{where}]", detector: "[{where}]", '
            f"read_corner: {corner}, {_VALUES}}}"
        )
    return "\n".join([*lines, *_end("{method: none}")])


@cache
def camera(layout: str) -> Camera:
    """``sixteen`` or ``four``."""
    return camera_from_yaml({"sixteen": _sixteen, "four": _four}[layout](), f"{layout}.yaml")


@dataclass
class RawHdus:
    """A raw frame whose HDUs are arrays."""

    hdus: NDArray[Any]  # (hdus, rows, columns)
    path: str = "arrays"
    compressed: bool = False

    @cached_property
    def images(self) -> tuple[ImageHdu, ...]:
        return tuple(ImageHdu(n, "", pixels.shape, pixels.dtype, False) for n, pixels in enumerate(self.hdus))

    def find(self, hdu: int | str | None = None) -> ImageHdu:
        if not 0 <= int(hdu or 0) < len(self.hdus):
            raise LayoutMismatch(f"{self.path} has no HDU {hdu}", file=self.path, hdu=hdu)
        return self.images[int(hdu or 0)]

    def stored_rows(self, hdu: int | str | None = None) -> None:
        """No file has them."""

    def read(self, hdu: int | str | None = None, region: Region | None = None) -> NDArray[Any]:
        pixels = self.hdus[int(hdu or 0)]
        return (pixels if region is None else pixels[region.slices]).copy()


@dataclass(frozen=True)
class Flats:
    """A ramp of pairs of flats of one detector, and how its pixels are made.

    Parameters
    ----------
    layout
        Of the camera.
    levels
        Electrons of each pair.
    strength
        Of the brighter-fatter effect: -a00 on average, 1/electron; it scatters by 5 per cent.
    equation
        Of Astier et al. 2019 that the variance follows: 20, or 16; covariances follow 20.
    with_b
        Whether the effect changes with the charge (the matrix b).
    rays
        Hit pixels of an amplifier and frame, on average; 3,000 electrons or more, which stand out everywhere.
    lamp
        Relative scatter of the light between exposures.
    response
        Relative scatter of pixels' response to light.
    distort
        What the expected covariances are multiplied by at a mean in electrons; None: nothing.
    """

    layout: str
    levels: Sequence[float]
    gain: float = 1.9
    noise: float = 7.0  # electrons
    strength: float = 5e-6
    equation: int = 20
    with_b: bool = False
    rays: float = 3.0
    lamp: float = 0.005
    response: float = 0.005
    distort: Callable[[Floats], Floats] | None = None

    def truth(self, seed: int) -> list[CovarianceParameters]:
        """What each amplifier is: gain, matrices and noise (adu), the rounding to integers in it."""
        rng = np.random.default_rng([seed, 1])
        found = []
        for _ in camera(self.layout).amplifiers(0):
            gain, noise, strength = np.array([self.gain, self.noise, self.strength]) * rng.normal(
                1, [0.02, 0.05, 0.05]
            )
            own = matrices(LAGS, gain, noise, strength)
            level = np.zeros((LAGS, LAGS))
            level[0, 0] = (noise / gain) ** 2 + 1 / 12
            found.append(CovarianceParameters(gain, own.a, own.c * self.with_b, level))
        return found

    def light(self, seed: int) -> Floats:
        """Electrons of each exposure: (2 pairs,)."""
        rng = np.random.default_rng([seed, 2])
        return np.repeat(self.levels, 2) * rng.normal(1, self.lamp, 2 * len(self.levels))

    def frames(self, seed: int) -> NDArray[np.uint16]:
        """Raw pixels: (exposures, amplifiers, rows, columns with overscan)."""
        rng = np.random.default_rng([seed, 3])
        truth, light = self.truth(seed), self.light(seed)
        beside = OVERSCAN if self.layout == "sixteen" else 0
        shape = (len(light), ROWS, COLUMNS + beside)
        out = np.empty((len(light), len(truth), *shape[1:]), np.uint16)
        for number, own in enumerate(truth):
            sigma = np.float32(np.sqrt(own.noise[0, 0] - 1 / 12))
            pixels = rng.standard_normal(shape, np.float32) * sigma
            pixels += rng.normal(BIAS, 2.0, (len(light), 1, 1)).astype(np.float32) if beside else BIAS
            data = pixels[:, :, :COLUMNS]
            flat = rng.normal(1, self.response, (ROWS, COLUMNS)).astype(np.float32)
            data += flat * (light / own.gain).astype(np.float32)[:, None, None]
            data += self._fluctuations(own, light, rng)
            hit = rng.random(data.shape, np.float32) < self.rays / (ROWS * COLUMNS)
            data[hit] += rng.uniform(3000, 30_000, np.count_nonzero(hit)) / own.gain
            out[:, number] = np.clip(np.rint(pixels), 0, 65535)
        return out

    def _fluctuations(self, own: CovarianceParameters, light: Floats, rng: np.random.Generator) -> Any:
        """Of the light, adu: as a filter of white noise whose power is that of the covariances."""
        shape = (ROWS + _MARGIN, COLUMNS + _MARGIN)
        white = fft.rfft2(rng.standard_normal((len(light), *shape), np.float32))
        white *= np.sqrt(_power(self._covariances(own, light / own.gain), shape)).astype(np.float32)
        return fft.irfft2(white, s=shape)[:, :ROWS, :COLUMNS]

    def _covariances(self, own: CovarianceParameters, means: Floats) -> Floats:
        """All that are not 0: (exposures, lags, lags), of light alone, adu^2."""
        lags = 3 * LAGS - 2  # two convolutions of a with itself
        wide = [np.pad(matrix, (0, lags - LAGS)) for matrix in (own.a, own.c)]
        values, _ = CovarianceModel(means, lags)(
            CovarianceParameters(own.gain, *wide, np.zeros((lags, lags))).packed(with_c=True)
        )
        covariances = values.reshape(-1, lags, lags)
        if self.equation == 16:
            covariances[:, 0, 0] = exponential_variance(means, own.gain, own.a[0, 0], 0.0)[0]
        if self.distort is not None:
            covariances *= self.distort(means * own.gain)[:, None, None]
        return covariances

    def offered(self, seed: int) -> dict[str, Any]:
        """What the task takes: raw frames, the camera, records, masters."""
        raws = [RawHdus(stored(self.layout, frame)) for frame in self.frames(seed)]
        records = {
            number + 1: FrameRecord(
                facts=facts(number + 1, exposure_time=self.levels[number // 2] / 500, frame_type="flat"),
                detector=0,
                file="x",
                size=1,
                sha256=f"{number + 1:064d}",
                content=(),
            )
            for number in range(len(raws))
        }
        return {
            "raws": [Offered(number + 1, Handle(raw)) for number, raw in enumerate(raws)],
            "camera": camera(self.layout),
            "detector": 0,
            "records": records,
            "masters": self.masters(),
        }

    def masters(self) -> Mapping[str, Master]:
        """A bias, where no overscan knows the level."""
        level = 0.0 if self.layout == "sixteen" else BIAS
        return {"bias": master("bias", level, shape=camera(self.layout).layout(0).shape)}


def stored(layout: str, amplifiers: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """The HDUs of a frame; quadrants are put side by side."""
    if layout == "sixteen":
        return amplifiers
    a, b, c, d = amplifiers
    return np.block([[a, b], [c, d]])[None]


def _power(covariances: Floats, shape: tuple[int, int]) -> Floats:
    """Of noise with these covariances, the same on all four sides, on a periodic grid."""
    lags = np.arange(covariances.shape[1])
    twice = np.where(lags == 0, 1.0, 2.0)
    rows = np.cos(2 * np.pi / shape[0] * np.outer(np.arange(shape[0]), lags)) * twice
    columns = np.cos(2 * np.pi / shape[1] * np.outer(np.arange(shape[1] // 2 + 1), lags)) * twice
    return np.einsum("yi,nij,xj->nyx", rows, covariances, columns, optimize=True)
