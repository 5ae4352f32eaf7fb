"""Ramps of flats, pixel by pixel, of amplifiers of known non-linearity: for linearity through its task.

The cameras are those of `transfer_pixels`. The lamp scatters by a hundredth; the photodiode follows it as
well as is stated.

``python tests/linearity_ramps.py FILE`` writes the table that the documentation quotes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fiducial.algorithms.linearity_packing import unpack_model
from fiducial.frames.records import FrameRecord
from fiducial.kinds.inputs import Offered
from fiducial.kinds.linearizer import LinearizerConfig, LinearizerTask
from fiducial.products.linearizer import AmplifierLinearity
from fiducial.simulation.effects import Curve
from frame_arrays import Handle, facts, master
from transfer_pixels import BIAS, COLUMNS, OVERSCAN, ROWS, Floats, RawHdus, camera, stored

FULL_WELL = 1e5  # electrons
GAIN, NOISE, RESPONSE = 1.9, 7.0, 5e-4
LIGHT = np.sort(np.concatenate([np.geomspace(400, 9e4, 12), np.linspace(4e3, 9.6e4, 12)]))
AT = (2000.0, 10_000.0, 30_000.0, 70_000.0, 90_000.0)  # electrons
NODES = 6


@dataclass(frozen=True)
class Ramp:
    """A camera, how many detectors of it, and how well the photodiode knows the light."""

    layout: str
    detectors: int
    stability: float

    def curves(self, seed: int) -> list[Curve]:
        """Of each amplifier, in electrons: some per cent at full well."""
        rng = np.random.default_rng([seed, 5])
        number = len(camera(self.layout).amplifiers(0))
        return [Curve(high, 2.0, 0.0, 1.0, FULL_WELL) for high in rng.normal(0.03, 0.003, number)]

    def offered(self, seed: int) -> dict[str, Any]:
        """What the task takes."""
        rng = np.random.default_rng([seed, 6])
        light = LIGHT * rng.normal(1, 0.01, len(LIGHT))
        charge = light * rng.normal(1, self.stability, len(light))
        frames = np.stack([self._amplifier(curve, light, rng) for curve in self.curves(seed)], axis=1)
        records = {
            number + 1: FrameRecord(
                facts=facts(number + 1, exposure_time=level / 500, photodiode=float(of), frame_type="flat"),
                detector=0,
                file="x",
                size=1,
                sha256=f"{number + 1:064d}",
                content=(),
            )
            for number, (level, of) in enumerate(zip(LIGHT, charge, strict=True))
        }
        level = 0.0 if self.layout == "sixteen" else BIAS
        return {
            "raws": [
                Offered(number + 1, Handle(RawHdus(stored(self.layout, frame))))
                for number, frame in enumerate(frames)
            ],
            "camera": camera(self.layout),
            "detector": 0,
            "records": records,
            "masters": {"bias": master("bias", level, shape=camera(self.layout).layout(0).shape)},
        }

    def _amplifier(self, curve: Curve, light: Floats, rng: np.random.Generator) -> NDArray[np.uint16]:
        beside = OVERSCAN if self.layout == "sixteen" else 0
        shape = (len(light), ROWS, COLUMNS + beside)
        pixels = rng.standard_normal(shape, np.float32) * np.float32(NOISE / GAIN)
        pixels += rng.normal(BIAS, 2.0, (len(light), 1, 1)).astype(np.float32) if beside else BIAS
        seen = curve.measured(light)
        response = RESPONSE * rng.standard_normal((ROWS, COLUMNS), np.float32)
        response -= response.mean()  # so that the amplifier's light is what it is said to be
        shift = np.sqrt(light)[:, None, None] * rng.standard_normal((len(light), ROWS, COLUMNS), np.float32)
        shift += light[:, None, None] * response
        # What is added to the light shows by the slope of the curve: its bend over the noise is 0.1 electron.
        shown = seen[:, None, None] + shift / curve.slope(seen)[:, None, None]
        pixels[:, :, :COLUMNS] += (shown / GAIN).astype(np.float32)
        return np.clip(np.rint(pixels), 0, 65535).astype(np.uint16)


RAMPS = (Ramp("sixteen", 96, 3e-5), Ramp("four", 512, 1e-4))


def _task(ramp: Ramp) -> LinearizerTask:
    config = LinearizerConfig()
    config.chain = ["saturation", "overscan", "assembly", "bias", "nan"]
    config.abscissa, config.stability, config.model.nodes = "photodiode", ramp.stability, NODES
    return LinearizerTask(config=config)


def fits(ramp: Ramp) -> Iterator[tuple[AmplifierLinearity, Curve]]:
    """What the task makes of each amplifier, and the truth."""
    task = _task(ramp)
    for seed in range(ramp.detectors):
        product = task.run(**ramp.offered(seed)).linearizer
        yield from zip(product.amplifiers, ramp.curves(seed), strict=True)


@cache
def estimates(ramp: Ramp) -> Floats:
    """Corrections at `AT`, their errors, and the true ones, in electrons: (amplifiers, signals, 3)."""
    found = []
    at = np.array(AT)
    for one, curve in fits(ramp):
        assert one.determined, one.reason
        made = unpack_model(one.model, one.parameters).correction(at / GAIN) * GAIN
        error = np.interp(at / GAIN, one.error_signal, one.error_correction) * GAIN
        # By convention the correction is 0 at the reference: the gain is another one there.
        reference = one.reference * GAIN
        gauge = reference / (reference + float(curve.correction(np.array(reference))))
        true = (at + curve.correction(at)) * gauge - at
        found.append(np.stack([made, error, true], axis=-1))
    return np.array(found)


def as_markdown() -> str:
    """The table as the documentation has it."""
    lines = [
        "| amplifiers | light known to | signal, electrons | estimates | correction, of full well "
        "| left of it, of full well | bias, in errors | within one error |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for ramp in RAMPS:
        made, error, true = np.moveaxis(estimates(ramp), -1, 0)
        pulls = (made - true) / error
        for k, signal in enumerate(AT):
            left = np.sqrt(np.mean(np.square(made[:, k] - true[:, k]))) / FULL_WELL
            before = np.sqrt(np.mean(np.square(true[:, k]))) / FULL_WELL
            lines.append(
                f"| {ramp.layout} | {ramp.stability:.0e} | {signal:,.0f} | {len(pulls):,} | {before:.1e} "
                f"| {left:.1e} | {pulls[:, k].mean():+.2f} | {np.mean(np.abs(pulls[:, k]) < 1):.1%} |"
            )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(as_markdown(), "utf-8")
