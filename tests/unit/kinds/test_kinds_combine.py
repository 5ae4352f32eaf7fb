"""Every way to combine frames, in the task of every kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow
import pytest
from numpy.typing import NDArray

from fiducial.algorithms.combine_by import MODES
from fiducial.errors import NothingToDo
from fiducial.frames.records import FrameRecord
from fiducial.kinds.bias import BiasConfig, BiasTask
from fiducial.kinds.config import StackConfig
from fiducial.kinds.dark import DarkConfig, DarkTask
from fiducial.kinds.flat import FlatConfig, FlatTask
from fiducial.kinds.inputs import Offered
from fiducial.products.images import planes_of
from fiducial.products.masks import Plane
from frame_arrays import GAIN, SHAPE, ArrayRaw, Handle, facts, master, raw_pixels, tiny_camera

NOISE = 4.0  # adu
COUNT = 12
RIGHT = np.arange(SHAPE[1]) >= 20
GAINS = np.where(RIGHT, GAIN["B"], GAIN["A"])
STATE = master("bias", 0.0, world="electron"), master("dark", 0.0, world="electron")


def inputs(signals: list[Any], **changes: list[float]) -> dict[str, Any]:
    camera = tiny_camera()
    frames = [raw_pixels(camera, signal, noise=NOISE, seed=i) for i, signal in enumerate(signals)]
    frames[4][30, 7] += 5000.0  # a cosmic ray
    records = {
        i + 1: FrameRecord(
            facts=facts(i + 1, **{key: values[i] for key, values in changes.items()}),
            detector=0,
            file="x",
            size=1,
            sha256=f"{i:064d}",
            content=(),
        )
        for i in range(len(frames))
    }
    raws = [Offered(i + 1, Handle(ArrayRaw(frame))) for i, frame in enumerate(frames)]
    return {"raws": raws, "camera": camera, "detector": 0, "records": records}


def by(config: Any, mode: str) -> Any:
    config.combine = mode
    return config


def check(product: Any, mode: str, expected: NDArray[np.float64], *, scatter: bool = True) -> None:
    """Against what each column should be; by its scatter the variance is that of the image."""
    planes = planes_of(product)
    assert product.metadata["FID COMBINE"] == mode
    for side in (RIGHT, ~RIGHT):
        calm = np.delete(planes.image, 30, axis=0)[:, side]
        quoted = float(np.mean(np.delete(planes.variance, 30, axis=0)[:, side]))
        # The image's 1900 pixels give its variance to sqrt(2 / 1900) = 3.2 per cent; a tenth of it is the
        # overscan's, of 96 rows that have it to 14 per cent of that: 3.5 in all, and three of those.
        spread = float(calm.var())
        assert not scatter or spread == pytest.approx(quoted, rel=0.11)
        assert calm.mean() == pytest.approx(expected[side].mean(), abs=6 * np.sqrt(quoted / 96))
    error = float(np.sqrt(planes.variance[30, 7]))
    assert abs(planes.image[30, 7] - expected[7]) < 6 * error or mode == "mean"
    assert bool(planes.mask[30, 7] & int(Plane.CLIPPED)) == mode.startswith("clipped")
    assert np.mean((planes.mask & int(Plane.CLIPPED)) > 0) < 0.1


@pytest.mark.parametrize("mode", MODES)
def test_bias(mode: str) -> None:
    product = BiasTask(config=by(BiasConfig(), mode)).run(**inputs([{"A": 3.0, "B": 5.0}] * COUNT)).bias
    check(product, mode, np.where(RIGHT, 5.0, 3.0) * GAINS)
    keys = product.metadata
    if mode == "minmax":
        assert "FID AMP A NOISE" not in keys
    else:  # whatever the mode, of one frame's pixel
        assert keys["FID AMP A NOISE"] == pytest.approx(NOISE * GAIN["A"], rel=0.05)


@pytest.mark.parametrize("mode", MODES)
def test_dark(mode: str) -> None:
    given = inputs([0.5 * 40.0] * COUNT, dark_time=[40.0] * COUNT)
    config = by(DarkConfig(), mode)
    config.kappa = 3.0  # by the scatter of 12 frames nothing deviates by four
    product = DarkTask(config=config).run(**given, masters={"bias": STATE[0]}).dark
    # Weights of means, and their variance, are of the noise that the charge should have and here has not.
    check(product, mode, 0.5 * GAINS, scatter=mode not in ("mean", "clipped_mean"))


@pytest.mark.parametrize("mode", MODES)
def test_flat(mode: str) -> None:
    rows = [
        {"exposure": i + 1, "detector": 0, "amplifier": name, "scale": 8000.0 * GAIN[name], "residual": 0.0}
        for i in range(COUNT)
        for name in GAIN
    ]
    given = inputs([8000.0] * COUNT)
    product = FlatTask(config=by(FlatConfig(), mode)).run(
        **given,
        masters={"bias": STATE[0], "dark": STATE[1]},
        scales=pyarrow.Table.from_pylist(rows),
        physical_filter="g",
    )
    check(product.flat, mode, np.ones(SHAPE[1]))


def test_more_extremes_than_frames_are_too_few_frames() -> None:
    config = by(BiasConfig(), "minmax")
    config.rejectLowest, config.rejectHighest = 5, 7
    with pytest.raises(NothingToDo):
        BiasTask(config=config).run(**inputs([0.0] * COUNT))
    config.rejectLowest = 4
    found = BiasTask(config=config).run(**inputs([0.0] * COUNT)).bias
    assert np.isfinite(planes_of(found).image).all()


def test_only_known_modes() -> None:
    assert BiasConfig().combine == DarkConfig().combine == StackConfig().combine == "clipped_mean"
    with pytest.raises(ValueError, match="mode"):
        BiasConfig().combine = "mode"
