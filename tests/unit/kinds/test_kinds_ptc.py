"""Photon transfer of flats in memory: known gains are found, and whatever is wrong is named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from lsst.pipe.base import Pipeline
from numpy.typing import NDArray

from fiducial.corrections.gains_in_force import gains_of_transfer
from fiducial.errors import CalibrationMismatch, ConfigurationError, NothingToDo, UnreadableFrame
from fiducial.execution import PIPELINES
from fiducial.frames.records import FrameRecord
from fiducial.kinds.inputs import Offered
from fiducial.kinds.ptc import PtcConfig, PtcTask
from fiducial.products.ptc import PhotonTransferCurve
from frame_arrays import GAIN, ArrayRaw, Handle, facts, master, raw_pixels, tiny_camera

CAMERA = tiny_camera()
NOISE = 5.0  # adu, of both amplifiers
RATE = 500.0  # electron / s
TIMES = [time for time in (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 17.0, 23.0, 30.0) for _ in range(2)]
PLAIN = ["saturation", "overscan", "assembly", "nan"]
AREA = (96, 20)  # pixels of an amplifier


def flat(time: float, seed: int, scale: dict[str, float] | None = None) -> NDArray[np.uint16]:
    """A flat of so many seconds; ``scale`` is the light of an amplifier, 1 unless said otherwise."""
    rng = np.random.default_rng([seed, 7])
    signal = {
        name: rng.poisson(RATE * time * (scale or {}).get(name, 1.0), AREA) / gain
        for name, gain in GAIN.items()
    }
    pixels = raw_pixels(CAMERA, signal, noise=NOISE, seed=seed)
    return np.clip(np.rint(pixels), 0, 65535).astype(np.uint16)


def flats(times: Sequence[float] = TIMES, **wishes: Any) -> list[Any]:
    return [flat(time, seed, **wishes) for seed, time in enumerate(times)]


def measured(
    frames: Sequence[Any], times: Sequence[float] = TIMES, masters: Any = None, **wishes: Any
) -> PhotonTransferCurve:
    config = PtcConfig()
    config.chain = PLAIN
    config.maxLag = 2
    config.samples = 50
    for name, value in wishes.items():
        if name == "tie":
            config.tie.method = value
        else:
            setattr(config, name, value)
    raws = [frame if isinstance(frame, BaseException) else ArrayRaw(frame) for frame in frames]
    return offered_to(raws, times, config, masters)


def offered_to(
    raws: Sequence[Any],
    times: Sequence[float],
    config: PtcConfig,
    masters: Any = None,
    *,
    backwards: bool = False,
    threads: int = 1,
) -> PhotonTransferCurve:
    records = {
        i + 1: FrameRecord(
            facts=facts(i + 1, exposure_time=time, photodiode=1e-6 * time, frame_type="flat"),
            detector=0,
            file="x",
            size=1,
            sha256=f"{i + 1:064d}",
            content=(),
        )
        for i, time in enumerate(times)
    }
    offered = [Offered(i + 1, Handle(raw)) for i, raw in enumerate(raws)]
    given: dict[str, Any] = {"camera": CAMERA, "detector": 0, "records": records, "masters": masters}
    offered = offered[::-1] if backwards else offered
    found = PtcTask(config=config).run(raws=offered, threads=threads, **given).ptc
    assert isinstance(found, PhotonTransferCurve)
    return found


def reasons(product: PhotonTransferCurve) -> dict[int, str]:
    return {note.exposure: note.reason for note in product.aside}


@pytest.mark.parametrize("model", ["exponential", "polynomial", "covariance"])
def test_gain_and_noise_of_each_amplifier(model: str) -> None:
    product = measured(flats(), fit=model)
    for name, gain in GAIN.items():
        found = product.amplifier(name)
        assert found is not None
        fit = found.fit
        assert (fit.determined, fit.reason, fit.model) == (True, "", model)
        assert abs(fit.gain - gain) < 4 * fit.gain_error
        # 1920 pixels and ten pairs: sqrt(2 / 1920 / 10) = 1 per cent for a straight line, a few with a curve.
        assert 0.002 < fit.gain_error / gain < 0.06
        assert abs(fit.noise - NOISE * gain) < 4 * fit.noise_error
        assert abs(found.read_noise - NOISE) < 4 * found.read_noise_error
        assert abs(fit.a[0, 0]) < 4 * fit.a_error[0, 0]
        assert not found.turnoff_found
        assert found.mean == pytest.approx(RATE * np.array(TIMES[::2]) / gain, rel=0.02)
        assert found.kept.all()


def test_the_table_of_pairs_is_complete() -> None:
    product = measured(flats([*TIMES, 99.0]), [*TIMES, 99.0])
    pairs = product.pairs
    assert pairs.first.tolist() == list(range(1, 20, 2))
    assert pairs.second.tolist() == list(range(2, 21, 2))
    assert pairs.first_time.tolist() == TIMES[::2]
    assert pairs.second_photodiode == pytest.approx(1e-6 * np.array(TIMES[1::2]))
    # One a minute.
    assert pairs.second_mjd - pairs.first_mjd == pytest.approx(np.full(10, 1 / 1440), abs=1e-9)
    assert set(pairs.physical_filter) == {"g"}
    assert reasons(product) == {21: "no other flat has its exposure time 99 s in filter g"}
    keys = product.metadata
    assert (keys["OBSTYPE"], keys["FID WORLD"], keys["FID NINPUT"], keys["FID NASIDE"]) == (
        "ptc",
        "adu",
        20,
        1,
    )
    assert keys["FID INPUT 0 SHA256"] == f"{1:064d}"
    assert keys["FID AMP A GAIN"] == product.amplifiers[0].fit.gain
    again = PhotonTransferCurve.from_hdus(product.to_hdus())
    assert again.content_hash() == product.content_hash()


def test_the_order_of_frames_and_threads_change_nothing() -> None:
    config = PtcConfig()
    config.chain = PLAIN
    raws = [ArrayRaw(frame) for frame in flats()]
    one = offered_to(raws, TIMES, config)
    other = offered_to(raws, TIMES, config, backwards=True, threads=2)
    assert other.content_hash() == one.content_hash()


def test_noise_of_the_overscan_is_no_covariance_of_a_row() -> None:
    times = [1.0] * 24
    product = measured(flats(times), times)
    for found in product.amplifiers:
        assert found.fit.reason.startswith("one level only")
        assert not found.fit.determined
        variance = found.covariances[:, 0, 0].mean()
        # Medians of 9 pixels would add 25 adu^2 * 0.166 = 4 adu^2 to it, seven errors.
        error = variance / np.sqrt(found.counts[:, 0, 1].sum())
        assert abs(found.covariances[:, 0, 1].mean()) < 4 * error
        assert 7 * error * (1 if found.name == "B" else 0.5) < 4.0


def test_frames_that_cannot_be_read_are_named_with_their_partners() -> None:
    frames: list[Any] = flats()
    frames[0] = UnreadableFrame("a.fits is cut short", file="a.fits")
    config = PtcConfig()
    config.chain = PLAIN
    raws: list[Any] = [f if isinstance(f, BaseException) else ArrayRaw(f) for f in frames]
    raws[4] = ArrayRaw(frames[4], corrupt_rows=range(50, 51))
    product = offered_to(raws, TIMES, config)
    assert reasons(product) == {
        1: "a.fits is cut short",
        2: "no other flat has its exposure time 0.5 s in filter g",
        5: "array: a tile is corrupt",
        6: "its partner, exposure 5, could not be used",
    }
    assert len(product.pairs) == 8
    assert all(one.fit.determined for one in product.amplifiers)


def test_a_dead_amplifier_has_its_reason_and_the_other_goes_on() -> None:
    product = measured(flats(scale={"B": 0.0}))
    good, dead = product.amplifiers
    assert abs(good.fit.gain - GAIN["A"]) < 4 * good.fit.gain_error
    assert not dead.fit.determined
    assert dead.fit.reason
    assert np.isnan(dead.fit.gain)
    assert "FID AMP B GAIN" not in product.metadata


def test_saturated_pairs_and_those_of_a_lamp_that_changed_say_so() -> None:
    frames = flats()
    for number in (18, 19):
        frames[number][:96, :20] = 65535
    frames[16] = flat(TIMES[16] * 1.5, 16)
    product = measured(frames)
    good, other = product.amplifier("A"), product.amplifier("B")
    assert good is not None
    assert other is not None
    assert good.reasons[9] == "100% of its pixels are saturated"
    assert good.reasons[8].endswith("the lamp changed")
    assert other.reasons[9] == ""
    assert good.kept.tolist() == [True] * 8 + [False] * 2
    assert np.isnan(good.mean[8:]).all()
    assert abs(good.fit.gain - GAIN["A"]) < 4 * good.fit.gain_error


def test_a_curve_that_turns_off_is_followed_up_to_there() -> None:
    frames = flats()
    for number in (16, 17, 18, 19):  # full pixels lose their noise
        level = frames[number][:96, :20].mean()
        smooth = level + 0.3 * (frames[number][:96, :20] - level)
        frames[number][:96, :20] = np.rint(smooth).astype(np.uint16)
    found = measured(frames).amplifiers[0]
    assert found.turnoff_found
    assert found.turnoff == pytest.approx(found.mean[7])
    assert found.kept.tolist() == [True] * 8 + [False] * 2


def test_nan_columns_do_not_count() -> None:
    frames = [frame.astype(np.float32) for frame in flats()]
    for frame in frames:
        frame[:, 3] = np.nan
    found = measured(frames).amplifiers[0]
    assert found.counts[:, 0, 0].max() <= 96 * 19
    assert abs(found.fit.gain - GAIN["A"]) < 4 * found.fit.gain_error


def test_masters_are_taken_off_and_their_bad_pixels_left_out() -> None:
    mask = np.zeros((96, 40), np.int32)
    mask[:, :2] = 1  # BAD
    product = measured(
        flats(), masters={"bias": master("bias", 20.0, mask=mask)}, chain=[*PLAIN[:-1], "bias", "nan"]
    )
    found = product.amplifiers[0]
    assert found.counts[:, 0, 0].max() <= 96 * 18
    assert found.mean == pytest.approx(RATE * np.array(TIMES[::2]) / GAIN["A"] - 20.0, rel=0.02, abs=1.0)
    with pytest.raises(CalibrationMismatch, match="SEQFILE"):
        measured(
            flats(),
            masters={"bias": master("bias", 0.0, **{"FID STATE SEQFILE": "slow.seq"})},
            chain=[*PLAIN[:-1], "bias", "nan"],
        )


def test_a_gradient_of_the_light_is_divided_out() -> None:
    slope = np.linspace(0.5, 1.5, 96)[:, None] * np.ones(20)
    rng = np.random.default_rng(5)
    frames = []
    for seed, time in enumerate(TIMES):
        signal = {name: rng.poisson(RATE * time * slope) / gain for name, gain in GAIN.items()}
        pixels = raw_pixels(CAMERA, signal, noise=NOISE, seed=seed)
        frames.append(np.rint(pixels).astype(np.uint16))
    product = measured(frames, illumination=16)
    for found in product.amplifiers:
        # The mean of 1 / x over 0.5 to 1.5 is ln 3; extrapolated at the rims.
        assert found.noise_weight == pytest.approx(np.full(10, np.log(3)), rel=0.05)
        assert abs(found.fit.gain - GAIN[found.name]) < 4 * found.fit.gain_error


def test_without_a_pair_there_is_nothing_to_do() -> None:
    with pytest.raises(NothingToDo, match="exposure 1: no other flat has its exposure time 1 s"):
        measured(flats([1.0, 2.0]), [1.0, 2.0])


def test_a_chain_with_a_gain_is_refused() -> None:
    config = PtcConfig()
    config.chain = ["overscan", "gain", "assembly"]
    with pytest.raises(ConfigurationError, match="measures the gain"):
        config.validate()


def test_the_pipeline_reads_and_writes_what_others_expect() -> None:
    task = Pipeline.fromFile(str(PIPELINES / "cpPtc.yaml")).to_graph().tasks["ptc"]
    assert {edge.dataset_type_name for edge in task.inputs.values()} == {"raw", "frameFacts"}
    wanted = {edge.dataset_type_name for edge in task.prerequisite_inputs.values()}
    assert wanted == {"camera", "biasBootstrap"}
    assert {edge.dataset_type_name for edge in task.outputs.values()} == {"ptc"}


def test_gains_are_tied_by_the_levels_of_the_flats() -> None:
    product = measured(flats(), tie="even")
    one, other = product.amplifiers
    # Levels of equal light tell the ratio to 0.2 per cent, which is the light's error that is set.
    assert one.tied_gain / other.tied_gain == pytest.approx(GAIN["A"] / GAIN["B"], rel=4 * 0.003)
    for found in (one, other):
        assert abs(found.tied_gain - GAIN[found.name]) < 4 * found.tied_gain_error
        assert found.tied_gain_error < found.fit.gain_error
    assert product.metadata["FID PTC TIE"] == "even"
    assert product.metadata["FID AMP A TIED GAIN"] == one.tied_gain
    assert gains_of_transfer(product)["A"] == (one.tied_gain, one.tied_gain_error)
    plain = measured(flats())
    assert np.isnan(plain.amplifiers[0].tied_gain)
    assert gains_of_transfer(plain)["A"] == (plain.amplifiers[0].fit.gain, plain.amplifiers[0].fit.gain_error)


def test_two_amplifiers_tell_no_plane_of_light() -> None:
    product = measured(flats(), tie="plane")
    assert product.metadata["FID PTC TIE REASON"] == "too few gains to tell a plane of light"
    assert all(np.isnan(one.tied_gain) for one in product.amplifiers)
    assert all(one.fit.determined for one in product.amplifiers)


def test_a_dead_amplifier_is_not_tied_and_the_other_goes_on() -> None:
    product = measured(flats(scale={"B": 0.0}), tie="even")
    assert product.amplifiers[0].tied_gain == pytest.approx(product.amplifiers[0].fit.gain)
    assert "B" not in gains_of_transfer(product)


def test_a_roll_off_is_found_where_there_is_one() -> None:
    times = [time for time in np.linspace(1.0, 40.0, 24).round(3).tolist() for _ in range(2)]
    level, width = 30.0 * RATE / GAIN["A"], 0.1 * 30.0 * RATE / GAIN["A"]
    frames = flats(times)
    for frame in frames:
        data = frame[:96, :20].astype(float)
        mean = data.mean() - 1000.0
        kept = max(1.0 - 0.01 * np.exp((mean - level) / width), 0.02)
        frame[:96, :20] = np.rint(data.mean() + np.sqrt(kept) * (data - data.mean()))
    product = measured(frames, times, rollOff=True)
    bent, straight = product.amplifiers
    assert bent.fit.determined
    assert np.isfinite(bent.fit.rolloff_error)
    assert abs(bent.fit.rolloff - level) < 4 * bent.fit.rolloff_error
    assert abs(bent.fit.gain - GAIN["A"]) < 4 * bent.fit.gain_error
    assert product.metadata["FID AMP A ROLLOFF"] == bent.fit.rolloff
    assert straight.fit.determined
    assert np.isnan(straight.fit.rolloff)
    config = PtcConfig()
    config.fit, config.rollOff = "covariance", True
    with pytest.raises(ConfigurationError, match="no roll-off"):
        config.validate()
