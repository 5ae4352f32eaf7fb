"""Linearity of flats in memory: known curves are found, and whatever is wrong is named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from lsst.pipe.base import Pipeline
from numpy.typing import NDArray

from fiducial.algorithms.linearity_packing import unpack_model
from fiducial.errors import CalibrationMismatch, ConfigurationError, NothingToDo, UnreadableFrame
from fiducial.execution import PIPELINES
from fiducial.frames.records import FrameRecord
from fiducial.kinds.inputs import Offered
from fiducial.kinds.linearizer import LinearizerConfig, LinearizerTask
from fiducial.products.linearizer import AmplifierLinearity, Linearizer
from frame_arrays import GAIN, ArrayRaw, Handle, facts, master, raw_pixels, tiny_camera
from transfer_samples import transfer

CAMERA = tiny_camera()
NOISE = 5.0  # adu
RATE = {"A": 1000.0, "B": 700.0}  # adu / s
SQUARE = {"A": 1.5e-6, "B": -1e-6}  # 1/adu: what the light has more than the signal, of its square
TIMES = [round(float(time), 4) for time in np.geomspace(0.5, 45.0, 24)]
PLAIN = ["saturation", "overscan", "assembly", "nan"]
AREA = (96, 20)  # pixels of an amplifier


def signal_of(light: Any, square: float) -> Any:
    """The signal that square makes of a light: m + square m^2 = light."""
    return (np.sqrt(1 + 4 * square * light) - 1) / (2 * square)


def flat(
    time: float, seed: int, scale: dict[str, float] | None = None, shape: Any = 1.0, most: float = 6e4
) -> NDArray[np.uint16]:
    """A flat of so many seconds; ``scale`` is an amplifier's light, and no signal is above ``most``."""
    rng = np.random.default_rng([seed, 11])
    signal = {}
    for name, gain in GAIN.items():
        light = RATE[name] * time * (scale or {}).get(name, 1.0) * shape
        noisy = rng.poisson(np.broadcast_to(light * gain, AREA)) / gain
        signal[name] = np.minimum(signal_of(noisy, SQUARE[name]), most)
    pixels = raw_pixels(CAMERA, signal, noise=NOISE, seed=seed)
    return np.clip(np.rint(pixels), 0, 65535).astype(np.uint16)


def flats(times: Sequence[float] = TIMES, **wishes: Any) -> list[Any]:
    return [flat(time, seed, **wishes) for seed, time in enumerate(times)]


def saturate(frame: NDArray[Any]) -> None:
    frame[:] = 65535  # with its overscan


def configured(**wishes: Any) -> LinearizerConfig:
    config = LinearizerConfig()
    config.chain = PLAIN
    for name, value in wishes.items():
        if name in ("kind", "nodes", "order", "step", "offset"):
            setattr(config.model, name, value)
        else:
            setattr(config, name, value)
    config.validate()
    return config


def measured(
    frames: Sequence[Any],
    times: Sequence[float] = TIMES,
    masters: Any = None,
    *,
    changes: dict[int, dict[str, Any]] | None = None,
    backwards: bool = False,
    threads: int = 1,
    **wishes: Any,
) -> Linearizer:
    raws = [f if isinstance(f, BaseException | ArrayRaw) else ArrayRaw(f) for f in frames]
    records = {
        i + 1: FrameRecord(
            facts=facts(
                i + 1,
                **({"exposure_time": time, "photodiode": 2e-6 * time} | (changes or {}).get(i + 1, {})),
            ),
            detector=0,
            file="x",
            size=1,
            sha256=f"{i + 1:064d}",
            content=(),
        )
        for i, time in enumerate(times)
    }
    offered = [Offered(i + 1, Handle(raw)) for i, raw in enumerate(raws)]
    task = LinearizerTask(config=configured(**wishes))
    found = task.run(
        raws=offered[::-1] if backwards else offered,
        camera=CAMERA,
        detector=0,
        records=records,
        masters=masters,
        threads=threads,
    ).linearizer
    assert isinstance(found, Linearizer)
    return found


def reasons(product: Linearizer) -> dict[int, str]:
    keys = product.metadata
    return {
        int(keys[f"FID ASIDE {i} ID"]): str(keys[f"FID ASIDE {i} REASON"])
        for i in range(int(keys["FID NASIDE"]))
    }


def corrected(one: AmplifierLinearity) -> NDArray[np.float64]:
    """True signals over those that the linearizer makes, over their mean: 1 where it is right."""
    at = np.linspace(0.05, 0.98, 9) * one.maximum
    made = at + unpack_model(one.model, one.parameters).correction(at)
    ratio = (at + SQUARE[one.name] * at**2) / made
    return ratio / ratio.mean()


@pytest.mark.parametrize("kind", ["squared", "polynomial", "spline", "table", "double_spline"])
@pytest.mark.parametrize("abscissa", ["exposure_time", "photodiode"])
def test_known_curves_are_found(kind: str, abscissa: str) -> None:
    product = measured(flats(), kind=kind, abscissa=abscissa, stability=0.0)
    assert product.abscissa == abscissa
    for one in product.amplifiers:
        assert (one.determined, one.reason) == (True, "")
        # 1,920 pixels of 10,000 adu and 70 adu of noise: 0.016 per cent a level; few nodes share 24 levels.
        assert np.abs(corrected(one) - 1).max() < 1e-3
        assert abs(SQUARE[one.name]) * one.maximum > 0.02  # what there was to be corrected
        assert one.used.all()
        assert one.chi2 / one.freedom == pytest.approx(1.0, abs=5 * np.sqrt(2 / one.freedom))
        assert one.maximum == pytest.approx(one.signal.max(), rel=1e-4)


def test_amplifiers_against_one_of_them() -> None:
    product = measured(flats(), abscissa="amplifier", reference="B")
    first, second = product.amplifiers
    assert product.metadata["FID LINEARITY REFERENCE"] == "B"
    assert np.abs(second.residual).max() < 1e-9
    # The signal of B is light / (1 - 1e-6 signal): A's curve is that and its own.
    at = np.linspace(0.05, 0.98, 9) * first.maximum
    light = (at + SQUARE["A"] * at**2) * RATE["B"] / RATE["A"]
    other = signal_of(light, SQUARE["B"])
    ratio = (at + unpack_model(first.model, first.parameters).correction(at)) / other
    assert ratio / ratio.mean() == pytest.approx(np.ones(9), abs=1e-3)
    with pytest.raises(ConfigurationError, match="no amplifier Z"):
        measured(flats(), abscissa="amplifier", reference="Z")


def test_every_frame_is_in_the_table_or_has_its_reason() -> None:
    frames = flats([*TIMES, 3.0, 4.0, 5.0, 6.0])
    times = [*TIMES, 3.0, 4.0, 0.0, 6.0]
    frames[0] = UnreadableFrame("a.fits is cut short", file="a.fits")
    frames[1] = ArrayRaw(frames[1], corrupt_rows=range(50, 51))
    saturate(frames[24])
    product = measured(frames, times, changes={26: {"state": {"SEQFILE": "slow.seq"}}})
    assert reasons(product) == {
        1: "a.fits is cut short",
        2: "array: a tile is corrupt",
        25: "no amplifier has a level, the first because 100% of its pixels are saturated",
        27: "its exposure time is 0 s",
    }
    assert sorted([*product.exposures.tolist(), *reasons(product)]) == list(range(1, 29))
    keys = product.metadata
    assert (keys["OBSTYPE"], keys["FID WORLD"], keys["FID NINPUT"]) == ("linearizer", "adu", 24)
    assert keys["FID INPUT 0 SHA256"] == f"{3:064d}"
    assert keys["FID CHAIN"] == ",".join(PLAIN)
    assert keys["DET_SER"] == "T-0"
    assert keys["FID STATE TEMP_SET"] == -100.0
    again = Linearizer.from_hdus(product.to_hdus())
    assert again.content_hash() == product.content_hash()
    assert reasons(again) == reasons(product)


def test_a_frame_without_photodiode_is_named() -> None:
    product = measured(flats(), abscissa="photodiode", changes={4: {"photodiode": None}})
    assert reasons(product) == {4: "its header has no charge of the photodiode"}


def test_the_order_of_frames_and_threads_change_nothing() -> None:
    frames = flats()
    one = measured(frames)
    assert measured(frames, backwards=True, threads=2).content_hash() == one.content_hash()


def test_a_dead_amplifier_has_its_reason_and_the_other_goes_on() -> None:
    for kind in ("spline", "double_spline"):
        good, dead = measured(flats(scale={"B": 0.0}), kind=kind).amplifiers
        assert good.determined
        assert not dead.determined
        assert "dead" in dead.reason


def test_one_level_only() -> None:
    product = measured(flats([3.0] * 6), [3.0] * 6)
    assert [one.reason for one in product.amplifiers] == ["one level only"] * 2


def test_an_amplifier_that_is_always_saturated() -> None:
    frames = flats()
    for frame in frames:
        frame[:96, :20] = 65535
    first, second = measured(frames).amplifiers
    assert first.reason == "no frame has a level of it: 100% of its pixels are saturated in 24 of 24"
    assert second.determined
    for frame in frames:
        saturate(frame)
    with pytest.raises(NothingToDo, match="exposure 1: no amplifier has a level"):
        measured(frames)


def test_nan_columns_do_not_count() -> None:
    frames = [frame.astype(np.float32) for frame in flats()]
    for frame in frames:
        frame[:, 3] = np.nan
        frame[:, 45:47] = np.nan
    for one in measured(frames).amplifiers:
        assert one.determined
        assert np.abs(corrected(one) - 1).max() < 1e-3
    for frame in frames:
        frame[:96, :20] = np.nan
    first, second = measured(frames).amplifiers
    assert first.reason == "no frame has a level of it: no pixel can be used in 24 of 24"
    assert second.determined


@pytest.mark.parametrize("kind", ["spline", "double_spline", "polynomial"])
def test_what_does_not_follow_the_light_is_not_fitted(kind: str) -> None:
    full = 22_000.0
    product = measured(flats(most=full), kind=kind)
    for one in product.amplifiers:
        beyond = one.signal > 0.98 * full
        assert beyond.sum() >= 2
        assert not one.used[np.flatnonzero(beyond)[1:]].any()
        below = one.signal[one.signal < 0.98 * full].max()
        assert below <= one.maximum * 1.0001
        assert one.maximum <= full * 1.001
        assert product.metadata[f"FID AMP {one.name} TURNOFF FOUND"] is True
        assert product.metadata[f"FID AMP {one.name} TURNOFF"] <= full * 1.001


def test_a_limit_that_is_set() -> None:
    product = measured(flats(), maximum=20_000.0, turnoff="none")
    for one in product.amplifiers:
        assert one.used.tolist() == (one.signal <= 20_000).tolist()
        assert one.maximum <= 20_000
        assert one.determined


def test_filters_have_a_light_each() -> None:
    frames = [*flats(), *(flat(time / 2, 50 + k) for k, time in enumerate(TIMES))]
    changes = {k + 1: {"filter": "r"} for k in range(24, 48)}
    product = measured(frames, [*TIMES, *TIMES], changes=changes)
    for one in product.amplifiers:
        assert set(one.group.tolist()) == {0, 1}
        assert np.abs(corrected(one) - 1).max() < 1e-3
        assert one.used.all()
    # The same without the filter to tell it.
    product = measured(frames, [*TIMES, *TIMES], groups="ratio", jump=0.3)
    for one in product.amplifiers:
        assert one.group.tolist() == [1] * 24 + [0] * 24
        assert np.abs(corrected(one) - 1).max() < 1e-3
    product = measured(frames, [*TIMES, *TIMES], groups="one")
    assert all(one.stability > 0.2 for one in product.amplifiers)  # the light of half of them is half


def test_a_gradient_whose_bright_side_saturates_does_not_bend_the_curve() -> None:
    shape = np.linspace(0.8, 1.2, 96)[:, None]
    frames = flats(shape=shape)
    # Rows of a bright corner that saturate in the upper half of the exposures.
    for frame in frames[12:]:
        frame[:2, :2] = 65535
    product = measured(frames, stability=0.0)
    mean = np.mean(shape)
    one = product.amplifiers[0]
    truth = [signal_of(RATE["A"] * time * shape, SQUARE["A"]).mean() for time in TIMES]
    # 2 of 96 rows, 2 of 20 columns: left out, they would change a mean by (0.8 / 1 - 1) * 0.002 = 4e-4.
    assert mean == pytest.approx(1.0)
    assert one.signal / truth == pytest.approx(np.ones(24), abs=4 * (one.error / one.signal).max())
    assert np.median(one.error[12:] / one.signal[12:]) < 2e-4


def test_cosmic_rays_do_not_count() -> None:
    frames = flats()
    clean = measured([frame.copy() for frame in frames]).amplifiers[0]
    for frame in frames:
        frame[40, 5:9] = 55_000
    hit = measured(frames).amplifiers[0]
    # Four of 1,920 pixels, which would lift the lowest level by a fifth.
    assert np.abs(hit.signal - clean.signal).max() < 3 * clean.error.max()
    assert np.abs(hit.signal[0] - clean.signal[0]) < clean.error[0]


def test_errors_are_those_of_the_levels() -> None:
    times = [5.0] * 40
    product = measured(flats(times), times)
    for one in product.amplifiers:
        spread = np.std(one.signal, ddof=1)
        assert one.error.mean() == pytest.approx(spread, rel=4 / np.sqrt(2 * 39))


def test_unequal_pixels_are_no_error_of_levels() -> None:
    response = 1 + 0.03 * np.random.default_rng(8).standard_normal(AREA)
    times = [time for time in (1.0, 2.0, 5.0, 10.0, 20.0, 30.0) for _ in range(8)]
    product = measured(flats(times, shape=response), times)
    for one in product.amplifiers:
        levels, errors = one.signal.reshape(6, 8), one.error.reshape(6, 8).mean(axis=1)
        spread = np.sqrt(np.mean(np.var(levels, axis=1, ddof=1) / errors**2))
        assert spread == pytest.approx(1.0, abs=4 / np.sqrt(2 * 6 * 7))
        # By the scatter within a frame, those of the highest would be several times as large.
        assert 0.03 * levels[-1].mean() / np.sqrt(1920) > 2.5 * errors[-1]


def test_masters_are_taken_off_and_their_bad_pixels_left_out() -> None:
    mask = np.zeros((96, 40), np.int32)
    mask[:, :2] = 1  # BAD
    frames = flats()
    for frame in frames:
        frame[:, :2] = 0
    chain = [*PLAIN[:-1], "bias", "nan"]
    found = measured(frames, masters={"bias": master("bias", 20.0, mask=mask)}, chain=chain)
    plain = measured(flats())
    lower = plain.amplifiers[1].signal - found.amplifiers[1].signal
    assert lower == pytest.approx(np.full(24, 20.0), abs=1e-3)
    assert found.amplifiers[0].determined
    assert found.metadata["FID RUN MASTER BIAS"] == "0001"
    with pytest.raises(CalibrationMismatch, match="SEQFILE"):
        measured(
            frames, masters={"bias": master("bias", 0.0, **{"FID STATE SEQFILE": "slow.seq"})}, chain=chain
        )


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"chain": ["overscan", "gain", "assembly"]}, "a linearizer is in adu"),
        ({"chain": ["overscan", "linearity", "assembly"]}, "signals as they are"),
        ({"kind": "double_spline", "abscissa": "amplifier"}, "needs the light"),
        ({"kind": "double_spline", "offset": True}, "signal without light"),
    ],
)
def test_what_cannot_work_is_refused(wishes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        configured(**wishes)


def test_a_turn_off_by_photon_transfer_needs_one() -> None:
    with pytest.raises(ConfigurationError, match="turnoff=ptc needs photon transfer"):
        measured(flats(), turnoff="ptc")
    curve = transfer(GAIN, {"A": 20_000.0})
    product = measured(flats(), masters={"ptc": curve}, turnoff="ptc")
    first, second = product.amplifiers
    assert first.used.tolist() == (first.signal <= 20_100).tolist()
    assert first.maximum <= 20_100
    assert second.used.all()
    assert product.metadata["FID RUN MASTER PTC"] == "0007"
    keys = product.metadata
    assert (keys["FID AMP A TURNOFF FOUND"], keys["FID AMP B TURNOFF FOUND"]) == (True, False)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"detector": 1}, "TinyCam detector 1"),
        ({"camera": "OtherCam"}, "OtherCam"),
        ({"FID STATE SEQFILE": "slow.seq"}, "SEQFILE"),
    ],
)
def test_photon_transfer_of_something_else_is_refused(keys: dict[str, Any], message: str) -> None:
    curve = transfer(GAIN, {"A": 20_000.0}, **keys)
    with pytest.raises(CalibrationMismatch, match=message):
        measured(flats(), masters={"ptc": curve}, turnoff="ptc")


def test_the_pipeline_reads_and_writes_what_others_expect() -> None:
    pipeline = Pipeline.fromFile(str(PIPELINES / "cpLinearizer.yaml"))
    task = pipeline.to_graph().tasks["linearizer"]
    assert {edge.dataset_type_name for edge in task.inputs.values()} == {"raw", "frameFacts"}
    wanted = {edge.dataset_type_name for edge in task.prerequisite_inputs.values()}
    assert wanted == {"camera", "biasBootstrap"}
    assert {edge.dataset_type_name for edge in task.outputs.values()} == {"linearizer"}
    pipeline.addConfigOverride("linearizer", "turnoff", "ptc")
    pipeline.addConfigOverride(
        "linearizer", "chain", ["overscan", "assembly", "bias", "dark", "defects", "nan"]
    )
    task = pipeline.to_graph().tasks["linearizer"]
    wanted = {edge.dataset_type_name for edge in task.prerequisite_inputs.values()}
    assert wanted == {"camera", "biasBootstrap", "darkBootstrap", "defects", "ptc"}
