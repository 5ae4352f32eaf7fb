"""CHAIN: science frames of 16 amplifiers through every correction there is, masters in memory.

``python -m benchmarks.ours.whole_chain SIZE CHAIN|CHAINd OUTPUT_FOLDER`` writes the last frame's planes and
offsets (``last.npz``), and what imports and masters took and what a frame takes, in seconds (``told.json``).
In CHAINd all amplifiers are dithered, in CHAIN none: their read noise is above the limit.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.ours.camera import camera_of_sixteen
from benchmarks.sixteen import AMPLIFIERS, BENT, CAMERA, GAINS, SIXTEEN, Sixteen
from benchmarks.sixteen_scene import SixteenScene
from benchmarks.strips import THREADS

if TYPE_CHECKING:
    from fiducial.corrections.chain import Chain
    from fiducial.corrections.single_pass import CorrectedFrame

CORRECTIONS = (
    *("dither", "noise_check", "saturation", "overscan", "suspect", "gain", "linearity", "assembly"),
    *("edges", "bleeds", "bias", "variance", "dark", "defects", "flat", "nan"),
    *("fill_regions", "interpolate", "amp_offsets", "statistics"),
)


@dataclass(frozen=True)
class Stored:
    """A file, opened when it is asked for."""

    path: Path

    def get(self) -> Any:
        """Open it."""
        from fiducial.frames.raw import RawFrame

        return RawFrame.open(self.path)


def main(size: Sixteen, dithered: bool, folder: Path) -> None:
    """Correct all frames one after the other; the first warms up."""
    started = time.perf_counter()
    from fiducial.corrections.memory import FrameMemory
    from fiducial.corrections.single_pass import correct_frame
    from fiducial.kinds.inputs import Offered, open_frame

    chain = _chain(size, dithered)
    ready, walls, last = time.perf_counter(), [], None
    memory = FrameMemory()  # as the task of detrending has it for one frame after the other
    exposures = range(2026011502001, 2026011502001 + len(size.science_files()))
    for exposure, path in zip(exposures, size.science_files(), strict=True):
        begun = time.perf_counter()
        frame = open_frame(Offered(exposure, Stored(path)), chain.context.camera, 0, None)
        chain.prepare(frame, threads=THREADS)
        last = correct_frame(chain, frame, threads=THREADS, memory=memory)
        walls.append(time.perf_counter() - begun)
    if last is None:
        raise RuntimeError("there are no frames")
    _write(last, {str(key): value for key, value in frame.notes.items()}, folder)
    told = {"imports_s": ready - started, "work_s": median(walls[1:]), "walls": walls}
    (folder / "told.json").write_text(json.dumps(told))


def _chain(size: Sixteen, dithered: bool) -> Chain:
    from fiducial.corrections.chain import build_chain
    from fiducial.corrections.registry import CorrectionsConfig

    config = CorrectionsConfig()
    config.dither.below = 100.0 if dithered else 0.5
    config.suspect.turnoff = 55000.0
    camera, masters = camera_of_sixteen(size), _masters(size)
    return build_chain(list(CORRECTIONS), config, camera=camera, detector=0, masters=masters)


def _masters(size: Sixteen) -> dict[str, Any]:
    import astropy.units as u

    from fiducial.corrections.defects import DefectMaster
    from fiducial.corrections.masters import Master
    from fiducial.products import metadata as meta
    from fiducial.products.defects import DefectSet
    from fiducial.products.images import to_masked_image

    scene, keys = (
        SixteenScene(size).light,
        {meta.INSTRUMENT: CAMERA, meta.DETECTOR: 0, meta.WORLD: "electron"},
    )
    gain = np.empty(size.shape, np.float32)
    for k in range(AMPLIFIERS):
        gain[size.detector(k)] = GAINS[k]
    electron = u.electron
    planes = {
        "bias": (scene.bias * gain, electron),
        "dark": (scene.dark * gain, electron / u.s),
        "flat": (scene.flat, u.dimensionless_unscaled),
    }
    masters: dict[str, Any] = {}
    for kind, (image, unit) in planes.items():
        variance, mask = np.full(size.shape, 1e-4, np.float32), np.zeros(size.shape, np.int32)
        masters[kind] = Master(kind, to_masked_image(image, variance, mask, unit=unit, metadata=keys))
    boxes = {"hot": scene.mask.astype(bool)}
    defects = DefectSet.from_masks(boxes, instrument=CAMERA, detector=0, shape=size.shape)
    masters["defects"] = DefectMaster("defects", defects)  # type: ignore[arg-type]
    masters["linearizer"] = Master("linearizer", _linearizer())  # type: ignore[arg-type]
    return masters


def _linearizer() -> Any:
    from fiducial.algorithms.linearity_fit import fit_linearity
    from fiducial.algorithms.linearity_forms import PolynomialForm
    from fiducial.corrections.linearity_product import MeasuredLevels, linearizer_of

    light = np.geomspace(100.0, 64000.0, 20)
    measured = (np.sqrt(1 + 4 * BENT * light) - 1) / (2 * BENT)
    fit = fit_linearity(measured, light, PolynomialForm(2, float(measured[-1])), stability=1e-6)
    signals = np.repeat(measured[:, None], AMPLIFIERS, axis=1)
    levels = MeasuredLevels(range(20), light, signals, np.ones(signals.shape))
    names = [f"A{k:02d}" for k in range(AMPLIFIERS)]
    return linearizer_of(
        [fit] * AMPLIFIERS, names, levels, detector=0, unit="adu", abscissa="light", metadata={}
    )


def _write(corrected: CorrectedFrame, notes: dict[str, Any], folder: Path) -> None:
    offsets = [notes.get(f"FID AMP A{k:02d} OFFSET", 0.0) for k in range(AMPLIFIERS)]
    planes = {name: getattr(corrected, name) for name in ("image", "variance", "mask")}
    np.savez(folder / "last.npz", offsets=offsets, **planes)


if __name__ == "__main__":
    main(SIXTEEN[sys.argv[1]], sys.argv[2] == "CHAINd", Path(sys.argv[3]))
