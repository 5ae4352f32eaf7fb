"""Gains by photon transfer: taken by the bias, and through its header by all that is made with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fiducial.corrections.masters import Master
from fiducial.errors import CalibrationMismatch, ConfigurationError
from fiducial.frames.records import FrameRecord
from fiducial.kinds.bias import BiasConfig, BiasConnections, BiasTask
from fiducial.kinds.dark import DarkConfig, DarkTask
from fiducial.kinds.detrend import DetrendConfig, DetrendTask
from fiducial.kinds.flat_levels import FlatLevelsConfig, FlatLevelsTask
from fiducial.kinds.inputs import Offered
from fiducial.products.images import planes_of
from fiducial.verify.opening import Offered as Verified
from fiducial.verify.tasks_measure import VerifyBiasTask, VerifyConfig
from frame_arrays import GAIN, ArrayRaw, Handle, facts, raw_pixels, tiny_camera
from transfer_samples import transfer

CAMERA = tiny_camera()
SIGNAL = {"A": 30.0, "B": 50.0}  # adu
PTC = 2.2  # of A, where the camera file says 2


def given(count: int = 12, signal: Any = 0.0, **changes: Any) -> dict[str, Any]:
    frames = [raw_pixels(CAMERA, signal, noise=4.0, seed=i) for i in range(count)]
    records = {
        i + 1: FrameRecord(
            facts=facts(i + 1, **changes), detector=0, file="x", size=1, sha256=f"{i + 1:064d}", content=()
        )
        for i in range(count)
    }
    raws = [Offered(i + 1, Handle(ArrayRaw(frame))) for i, frame in enumerate(frames)]
    return {"raws": raws, "camera": CAMERA, "detector": 0, "records": records}


def bias_with(curve: Master | None, **wishes: Any) -> Any:
    config = BiasConfig()
    config.gains = "ptc"
    masters = {} if curve is None else {"ptc": curve}
    return BiasTask(config=config).run(**given(signal=SIGNAL, **wishes), masters=masters).bias


def dark_with(bias: Any) -> Any:
    masters = {"bias": Master("bias", bias, "1")}
    dark = DarkTask(config=DarkConfig()).run(**given(signal=SIGNAL, dark_time=10.0), masters=masters).dark
    return Master("dark", dark, "2")


def test_a_bias_takes_the_gains_of_photon_transfer() -> None:
    bias = bias_with(transfer({"A": PTC, "B": None}))
    keys = bias.metadata
    assert (keys["FID AMP A GAIN"], keys["FID AMP B GAIN"]) == (PTC, GAIN["B"])
    assert (keys["FID GAINS"], keys["FID AMP A GAIN SOURCE"], keys["FID AMP B GAIN SOURCE"]) == (
        "ptc",
        "ptc",
        "camera",
    )
    assert keys["FID AMP A GAIN ERROR"] == 0.01
    assert keys["FID RUN MASTER PTC"] == "0007"
    image = planes_of(bias).image
    plain = planes_of(BiasTask(config=BiasConfig()).run(**given(signal=SIGNAL)).bias).image
    np.testing.assert_allclose(image[:, :20], plain[:, :20] * (PTC / GAIN["A"]), rtol=1e-6)
    np.testing.assert_array_equal(image[:, 20:], plain[:, 20:])
    assert keys["FID AMP A NOISE"] == pytest.approx(4.0 * PTC, rel=0.05)


def test_without_photon_transfer_the_camera_file_is_in_force() -> None:
    keys = BiasTask(config=BiasConfig()).run(**given()).bias.metadata
    assert keys["FID GAINS"] == "camera"
    assert keys["FID AMP A GAIN"] == GAIN["A"]
    assert "FID AMP A GAIN SOURCE" not in keys


def test_all_that_is_made_with_the_bias_has_its_gains() -> None:
    bias = Master("bias", bias_with(transfer({"A": PTC, "B": 4.4})), "1")
    dark = dark_with(bias.product)
    assert (dark.metadata["FID AMP A GAIN"], dark.metadata["FID AMP B GAIN"]) == (PTC, 4.4)
    config = DetrendConfig()
    config.chain = ["overscan", "gain", "assembly", "bias", "variance", "dark", "nan"]
    one = given(1, signal={"A": 1030.0, "B": 50.0}, dark_time=0.0)
    detrended = (
        DetrendTask(config=config)
        .run(
            raw=one["raws"][0],
            camera=CAMERA,
            detector=0,
            record=one["records"][1],
            masters={"bias": bias, "dark": dark},
        )
        .detrended
    )
    assert detrended.metadata["FID AMP A GAIN"] == PTC
    planes = planes_of(detrended)
    # 1000 adu above the bias; 4 adu of noise in 1920 pixels, twelve biases, and the medians of 96 rows.
    assert planes.image[:, :20].mean() == pytest.approx(1000 * PTC, abs=1.5)
    assert np.median(planes.variance[:, :20]) == pytest.approx(1000 * PTC + (4 * PTC) ** 2, rel=0.02)
    levels = FlatLevelsConfig()
    levels.chain = ["overscan", "gain", "assembly", "bias", "nan"]
    table = (
        FlatLevelsTask(config=levels)
        .run(**given(4, signal={"A": 1030.0, "B": 1050.0}), masters={"bias": bias})
        .levels
    )
    assert np.mean(table["level"].to_numpy()[::2]) == pytest.approx(1000 * PTC, abs=1.5)


def test_masters_of_other_gains_are_refused() -> None:
    bias = bias_with(transfer({"A": PTC, "B": 4.4}))
    other = dark_with(bias_with(transfer({"A": 2.3, "B": 4.4})))
    config = DetrendConfig()
    config.chain = ["overscan", "gain", "assembly", "bias", "dark", "nan"]
    one = given(1)
    with pytest.raises(CalibrationMismatch, match=r"2\.3 e-/adu in amplifier A, the bias with 2\.2"):
        DetrendTask(config=config).run(
            raw=one["raws"][0],
            camera=CAMERA,
            detector=0,
            record=one["records"][1],
            masters={"bias": Master("bias", bias, "1"), "dark": other},
        )


def test_photon_transfer_has_to_be_there_and_to_fit() -> None:
    with pytest.raises(ConfigurationError, match="gains=ptc needs photon transfer"):
        bias_with(None)
    with pytest.raises(CalibrationMismatch, match="TinyCam detector 1"):
        bias_with(transfer({"A": PTC}, detector=1))
    with pytest.raises(CalibrationMismatch, match="OtherCam"):
        bias_with(transfer({"A": PTC}, camera="OtherCam"))
    with pytest.raises(CalibrationMismatch, match=r"SEQFILE is fast\.seq and slow\.seq"):
        bias_with(transfer({"A": PTC}, **{"FID STATE SEQFILE": "slow.seq"}))


def test_verification_takes_the_gains_of_the_master() -> None:
    one = given(2, signal=SIGNAL)
    records = one["records"]
    offered = [Verified(raw.exposure, raw.handle, records[raw.exposure].facts.begin) for raw in one["raws"]]

    def noises(bias: Any) -> dict[str, float]:
        table = (
            VerifyBiasTask(config=VerifyConfig())
            .run(
                raws=offered,
                camera=CAMERA,
                detector=0,
                masters={"bias": Master("bias", bias, "1")},
                records=list(records.values()),
            )
            .measurements
        )
        rows = [row for row in table.to_pylist() if (row["test"], row["exposure"]) == ("level", 1)]
        return {row["amplifier"]: row["read_noise"] for row in rows}

    before = noises(BiasTask(config=BiasConfig()).run(**given(signal=SIGNAL)).bias)
    after = noises(bias_with(transfer({"A": PTC, "B": None})))
    assert after["A"] == pytest.approx(before["A"] * PTC / GAIN["A"], rel=1e-6)
    assert after["B"] == before["B"]


def test_gains_for_a_bias_in_adu_are_refused() -> None:
    config = BiasConfig()
    config.gains = "ptc"
    config.validate()
    config.chain = ["overscan", "assembly"]
    with pytest.raises(ConfigurationError, match="bias in electrons"):
        config.validate()


def test_photon_transfer_is_looked_for_only_where_it_is_wanted() -> None:
    config = BiasConfig()
    assert BiasConnections(config=config).prerequisiteInputs == {"camera"}
    config.gains = "ptc"
    connections = BiasConnections(config=config)
    assert connections.prerequisiteInputs == {"camera", "ptc"}
    assert list(connections.masters_of_exposures) == ["ptc"]
