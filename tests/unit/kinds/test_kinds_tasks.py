"""Tasks of all kinds on arrays: what comes out, in which unit, with which header."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import astropy.units as u
import numpy as np
import pytest
from numpy.typing import NDArray

from fiducial.cameras.model import Camera
from fiducial.errors import NothingToDo, UnreadableFrame
from fiducial.frames.records import FrameRecord
from fiducial.kinds.bias import BiasConfig, BiasTask
from fiducial.kinds.dark import DarkConfig, DarkTask
from fiducial.kinds.detrend import DetrendConfig, DetrendTask
from fiducial.kinds.flat import FlatConfig, FlatTask
from fiducial.kinds.flat_levels import FlatLevelsConfig, FlatLevelsTask
from fiducial.kinds.flat_solve import FlatSolveConfig, FlatSolveTask
from fiducial.kinds.inputs import Offered
from fiducial.products.images import content_hash, planes_of
from fiducial.products.masks import Plane
from fiducial.products.metadata import read_aside, read_inputs
from frame_arrays import GAIN, SHAPE, ArrayRaw, Handle, facts, master, raw_pixels, tiny_camera

RIGHT = np.arange(SHAPE[1]) >= 20
GAINS = np.where(RIGHT, GAIN["B"], GAIN["A"])


def record(exposure: int, **changes: Any) -> FrameRecord:
    return FrameRecord(
        facts=facts(exposure, **changes), detector=0, file="x", size=1, sha256=f"{exposure:064d}", content=()
    )


def offered(frames: Sequence[NDArray[Any] | BaseException]) -> list[Offered]:
    raws = [ArrayRaw(f) if isinstance(f, np.ndarray) else f for f in frames]
    return [Offered(i + 1, Handle(raw)) for i, raw in enumerate(raws)]


def inputs(camera: Camera, frames: Sequence[NDArray[Any] | BaseException], **changes: Any) -> dict[str, Any]:
    """What `run` takes; ``changes`` of the facts may be lists, one value a frame."""
    records = {}
    for i in range(len(frames)):
        own = {k: v[i] if isinstance(v, list) else v for k, v in changes.items()}
        records[i + 1] = record(i + 1, **own)
    return {"raws": offered(frames), "camera": camera, "detector": 0, "records": records}


def noisy(camera: Camera, count: int, signal: Any = 0.0, seed: int = 0) -> list[NDArray[np.float32]]:
    return [raw_pixels(camera, signal, noise=4.0, seed=seed + i) for i in range(count)]


def test_bias() -> None:
    camera = tiny_camera()
    given = inputs(camera, noisy(camera, 12, {"A": 3.0, "B": 5.0}))
    product = BiasTask(config=BiasConfig()).run(**given).bias
    planes = planes_of(product)
    assert product.unit == u.electron
    # 3 adu at a gain of 2, 5 at 4; the mean of 1920 pixels of 12 frames, 4 adu of noise, and what the
    # medians of 96 rows add: 0.05 adu.
    assert planes.image[:, ~RIGHT].mean() == pytest.approx(6.0, abs=0.3)
    assert planes.image[:, RIGHT].mean() == pytest.approx(20.0, abs=0.6)
    keys = product.metadata
    assert (keys["OBSTYPE"], keys["FID WORLD"], keys["FID NINPUT"], keys["FID NASIDE"]) == (
        "bias",
        "electron",
        12,
        0,
    )
    assert keys["FID CHAIN"] == "saturation,overscan,gain,assembly,nan"
    assert keys["FID STATE TEMP_SET"] == -100.0
    assert keys["DET_SER"] == "T-0"
    assert [note.exposure for note in read_inputs(keys)] == list(range(1, 13))
    assert read_inputs(keys)[0].sha256 == f"{1:064d}"
    assert keys["FID AMP A P50"] == pytest.approx(np.median(planes.image[:, ~RIGHT]))


def test_bias_in_adu() -> None:
    camera = tiny_camera()
    config = BiasConfig()
    config.chain = ["saturation", "overscan", "assembly", "nan"]
    product = BiasTask(config=config).run(kind="biasBootstrap", **inputs(camera, noisy(camera, 12, 3.0))).bias
    assert product.unit == u.adu
    assert product.metadata["FID WORLD"] == "adu"
    assert product.metadata["OBSTYPE"] == "biasBootstrap"
    assert planes_of(product).image.mean() == pytest.approx(3.0, abs=0.2)


def test_the_order_of_the_frames_does_not_matter() -> None:
    camera = tiny_camera()
    given = inputs(camera, noisy(camera, 11))
    one = BiasTask(config=BiasConfig()).run(**given).bias
    given["raws"] = given["raws"][::-1]
    other = BiasTask(config=BiasConfig()).run(**given, threads=2).bias
    assert content_hash(one) == content_hash(other)


def test_frames_that_do_not_open_are_named() -> None:
    camera = tiny_camera()
    frames: list[Any] = noisy(camera, 5)
    frames[1] = UnreadableFrame("b.fits is cut short", file="b.fits")
    frames[3] = np.zeros((50, 30), np.uint16)
    product = BiasTask(config=BiasConfig()).run(**inputs(camera, frames)).bias
    aside = read_aside(product.metadata)
    assert [note.exposure for note in aside] == [2, 4]
    assert aside[0].reason == "b.fits is cut short"
    assert "binned 2x2" in aside[1].reason
    assert product.metadata["FID NINPUT"] == 3


def test_no_frames() -> None:
    with pytest.raises(NothingToDo, match="0 frames for the bias of TinyCam detector 0, at least 3"):
        BiasTask(config=BiasConfig()).run(**inputs(tiny_camera(), []))


def test_errors_of_the_middleware_are_not_ours_to_hide() -> None:
    camera = tiny_camera()
    frames: list[Any] = [*noisy(camera, 4), KeyError("no such dataset")]
    with pytest.raises(ValueError, match="middleware"):
        BiasTask(config=BiasConfig()).run(**inputs(camera, frames))


def test_a_level_that_drifts_without_overscan_neither_clips_nor_counts_as_noise() -> None:
    camera = tiny_camera("bare")
    drift = np.linspace(-40.0, 40.0, 12)
    frames = [raw_pixels(camera, d, noise=4.0, seed=i) for i, d in enumerate(drift)]
    product = BiasTask(config=BiasConfig()).run(**inputs(camera, frames)).bias
    planes = planes_of(product)
    assert planes.image.mean() == pytest.approx(2.0 * 1000.0, abs=0.5)
    assert np.median(planes.variance) == pytest.approx((2 * 4.0) ** 2 / 12, rel=0.15)
    levels = np.array([product.metadata[f"FID INPUT {i} LEVEL A"] for i in range(12)])
    # A sample of 100 / 6 rows of 60 pixels: 8 electrons / sqrt(1000).
    assert np.allclose(levels, 2.0 * drift, atol=5 * 0.25)


def test_darks_of_several_times_become_a_rate() -> None:
    camera = tiny_camera()
    times = [10.0, 20.0, 40.0, 80.0, 80.0, 80.0]
    frames = [raw_pixels(camera, 0.5 * t, noise=4.0, seed=i) for i, t in enumerate(times)]
    frames[4][30, 7] += 3000.0  # a cosmic ray
    given = inputs(camera, frames, dark_time=times)
    bias = master("bias", 0.0, world="electron")
    product = DarkTask(config=DarkConfig()).run(**given, masters={"bias": bias}).dark
    planes = planes_of(product)
    assert product.unit == u.electron / u.s
    assert np.allclose(np.median(planes.image, axis=0), 0.5 * GAINS, atol=0.1)
    assert planes.mask[30, 7] == int(Plane.CLIPPED)
    assert abs(planes.image[30, 7] - 1.0) < 6 * np.sqrt(planes.variance[30, 7])
    assert [n.time for n in read_inputs(product.metadata)] == times
    assert product.metadata["FID CHAIN BIAS HASH"] == bias.content_hash
    assert product.metadata["FID RUN MASTER BIAS"] == "0001"


def test_a_dark_without_time_is_set_aside() -> None:
    camera = tiny_camera()
    given = inputs(camera, noisy(camera, 5), dark_time=[10.0, 0.0, 10.0, 10.0, 10.0])
    product = DarkTask(config=DarkConfig()).run(
        **given, masters={"bias": master("bias", 0.0, world="electron")}
    )
    assert [n.exposure for n in read_aside(product.dark.metadata)] == [2]


def test_darks_without_overscan_have_a_level_and_a_rate() -> None:
    camera = tiny_camera("bare")
    times = [10.0, 20.0, 40.0, 80.0, 160.0, 320.0]
    rate = np.random.default_rng(9).exponential(0.5, (100, 60)).astype(np.float32)  # hot pixels and cold ones
    levels = [3.0, 3.4, 2.8, 3.1, 2.9, 3.0]
    frames = [
        raw_pixels(camera, rate * t + x, noise=4.0, seed=i)
        for i, (t, x) in enumerate(zip(times, levels, strict=True))
    ]
    given = inputs(camera, frames, dark_time=times)
    bias = master("bias", 2000.0, world="electron", shape=(100, 60))
    product = DarkTask(config=DarkConfig()).run(**given, masters={"bias": bias}).dark
    keys = product.metadata
    assert keys["FID AMP A LEVEL FITTED"]
    assert abs(keys["FID AMP A LEVEL"] - 2 * np.mean(levels)) < 4 * max(keys["FID AMP A LEVEL ERROR"], 0.1)
    found = [keys[f"FID INPUT {i} LEVEL A"] for i in range(6)]
    assert np.allclose(found, 2 * np.array(levels), atol=1.5)
    z = (planes_of(product).image - 2 * rate) / np.sqrt(planes_of(product).variance)
    assert np.median(np.abs(z)) * 1.4826 < 2.0  # the scatter of 0.1 % Poisson-free charge is not in the noise
    assert abs(np.median(z)) < 0.5


def flats(camera: Camera, levels: Sequence[float], seed: int = 0) -> list[NDArray[np.float32]]:
    """Flats whose right amplifier sees half as many electrons, at four electrons an adu instead of two."""
    rng = np.random.default_rng(seed)
    frames = []
    for i, level in enumerate(levels):
        light = {"A": level * np.ones((96, 20)), "B": 0.5 * level * np.ones((96, 20))}
        signal = {name: rng.poisson(mean) / GAIN[name] for name, mean in light.items()}
        frames.append(raw_pixels(camera, signal, noise=4.0, seed=100 + seed + i))
    return frames


def make_flat(given: dict[str, Any], normalise: str = "exposure") -> tuple[Any, Any]:
    masters = {"bias": master("bias", 0.0, world="electron"), "dark": master("dark", 0.0, world="electron")}
    measured = FlatLevelsTask(config=FlatLevelsConfig()).run(**given, masters=masters).levels
    config = FlatSolveConfig()
    config.normalise = normalise
    scales = FlatSolveTask(config=config).run([measured]).scales
    task = FlatTask(config=FlatConfig())
    return task.run(**given, masters=masters, scales=scales, physical_filter="g").flat, scales


LEVELS = [8000.0, 9000.0, 10000.0, 11000.0, 12000.0, 9500.0, 10500.0, 8500.0, 11500.0, 10000.0, 10200.0]


@pytest.mark.parametrize("normalise", ["exposure", "detector", "amplifier"])
def test_a_flat_keeps_the_level_between_amplifiers(normalise: str) -> None:
    camera = tiny_camera()
    product, scales = make_flat(inputs(camera, flats(camera, LEVELS)), normalise)
    image = planes_of(product).image
    assert product.unit == u.dimensionless_unscaled
    # Weighted by pixels the mean of log response is 0: sqrt(2) and 1 / sqrt(2).
    assert image[:, ~RIGHT].mean() == pytest.approx(np.sqrt(2.0), rel=1e-3)
    assert image[:, RIGHT].mean() == pytest.approx(np.sqrt(0.5), rel=1e-3)
    found = [row["scale"] for row in scales.to_pylist() if row["amplifier"] == "A"]
    assert np.allclose(found, np.array(LEVELS) / np.sqrt(2.0), rtol=2e-3)
    assert product.metadata["FILTER"] == "g"
    assert read_inputs(product.metadata)[0].scale == pytest.approx(LEVELS[0] / np.sqrt(2.0), rel=2e-3)


def test_amplifiers_may_be_normalised_by_themselves() -> None:
    camera = tiny_camera()
    frames = flats(camera, [10000.0] * 11)
    for i, one in enumerate(frames):  # the gain of the right amplifier wanders
        right = one[4:, 40:60]
        right -= 1200.0
        right *= 1.0 + 0.02 * (-1) ** i
        right += 1200.0
    by_exposure, _ = make_flat(inputs(camera, frames))
    by_amplifier, _ = make_flat(inputs(camera, frames), "amplifier")
    scatter = [np.median(planes_of(p).variance[:, RIGHT]) for p in (by_exposure, by_amplifier)]
    photons = 0.5 / 5000.0 / 11  # of a response of 0.7 and 5000 electrons
    assert scatter[1] == pytest.approx(photons, rel=0.2)
    # Half of the 2 % goes into the exposure's level; (0.7 x 0.01)^2 / 11 is left.
    assert scatter[0] == pytest.approx(photons + 0.5e-4 / 11, rel=0.2)
    means = [planes_of(p).image[:, RIGHT].mean() for p in (by_exposure, by_amplifier)]
    assert means[0] == pytest.approx(means[1], rel=2e-3)


def test_a_saturated_flat_does_not_take_pixels_from_the_others() -> None:
    camera = tiny_camera()
    frames = flats(camera, LEVELS)
    frames[0][:, :20] = 65535.0
    product, scales = make_flat(inputs(camera, frames))
    assert [n.exposure for n in read_aside(product.metadata)] == [1]
    rows = {(r["exposure"], r["amplifier"]): r["scale"] for r in scales.to_pylist()}
    assert np.isnan(rows[1, "A"])
    assert np.isfinite(rows[2, "A"])


def test_a_dead_amplifier_has_no_data_and_the_other_its_flat() -> None:
    camera = tiny_camera()
    frames = flats(camera, LEVELS)
    for one in frames:
        one[:, 40:60] = 65535.0
    product, _ = make_flat(inputs(camera, frames))
    planes = planes_of(product)
    assert (planes.mask[:, RIGHT] & int(Plane.NO_DATA) != 0).all()
    assert planes.image[:, ~RIGHT].mean() == pytest.approx(1.0, rel=1e-3)


def test_detrend() -> None:
    camera = tiny_camera()
    pixels = raw_pixels(camera, {"A": 100.0, "B": 50.0})  # 200 electrons
    masters = {
        "bias": master("bias", 20.0, world="electron", variance=1.0),
        "dark": master("dark", 1.0, world="electron", variance=0.01),
        "flat": master("flat", 0.5, world="electron", variance=1e-4),
    }
    task = DetrendTask(config=DetrendConfig())
    product = task.run(
        raw=Offered(1, Handle(ArrayRaw(pixels))), camera=camera, detector=0, record=record(1), masters=masters
    ).detrended
    planes = planes_of(product)
    image = (200.0 - 20.0 - 12.0) / 0.5
    assert np.allclose(planes.image, image, rtol=1e-5)
    assert np.allclose(planes.variance, (180.0 + 64.0 + 1.0 + 1.44 + image**2 * 1e-4) / 0.25, rtol=1e-4)
    assert not planes.mask.any()
    keys = product.metadata
    assert product.unit == u.electron
    assert keys["FID CHAIN"] == "saturation,overscan,gain,assembly,bias,variance,dark,flat,nan"
    for kind, one in masters.items():
        assert keys[f"FID CHAIN {kind.upper()} HASH"] == one.content_hash
        assert keys[f"FID RUN MASTER {kind.upper()}"] == "0001"
    assert keys["FID AMP A OVERSCAN LEVEL"] == pytest.approx(1000.0)
    assert keys["FID AMP B OVERSCAN NOISE"] == pytest.approx(0.0, abs=1e-3)
