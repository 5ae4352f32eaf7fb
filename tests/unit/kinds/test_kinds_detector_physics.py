"""Chains with linearity, turn-offs and defects, in every kind; what does not fit is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lsst.pipe.base import Pipeline

from fiducial.algorithms.linearity_models import Polynomial
from fiducial.corrections.masters import Master
from fiducial.errors import CalibrationMismatch, ConfigurationError
from fiducial.execution import PIPELINES
from fiducial.frames.records import FrameRecord
from fiducial.kinds.dark import DarkConfig, DarkTask
from fiducial.kinds.detrend import DetrendConfig, DetrendTask
from fiducial.kinds.flat import FlatConfig, FlatTask
from fiducial.kinds.flat_levels import FlatLevelsConfig, FlatLevelsTask
from fiducial.kinds.flat_solve import FlatSolveConfig, FlatSolveTask
from fiducial.kinds.inputs import Offered
from fiducial.products.images import planes_of
from fiducial.products.masks import Plane
from fiducial.verify.detrend import masters_needed
from fiducial.verify.opening import Offered as Verified
from fiducial.verify.tasks_measure import VerifyDarkConfig, VerifyDarkTask
from frame_arrays import GAIN, SHAPE, ArrayRaw, Handle, facts, master, raw_pixels, tiny_camera
from linearity_samples import defect_master, linearity_master
from transfer_samples import transfer

CAMERA = tiny_camera()
CURVE = Polynomial(np.array([0.0, 2e-6]), 5e4)  # 2 per cent at 10,000 adu
CHAIN = [
    "saturation",
    "overscan",
    "gain",
    "suspect",
    "linearity",
    "assembly",
    "bias",
    "defects",
    "dark",
    "nan",
]
HOT = np.zeros(SHAPE, bool)
HOT[:, 7] = True


def measured(light: Any) -> Any:
    """The signal that CURVE makes of a light, adu."""
    return (np.sqrt(1 + 4 * 2e-6 * np.asarray(light)) - 1) / (2 * 2e-6)


def masters(*kinds: str, **keys: Any) -> dict[str, Master]:
    found = {
        "bias": master("bias", 0.0, world="electron"),
        "dark": master("dark", 0.0, world="electron"),
        "flat": master("flat", 1.0, world="electron"),
        "linearizer": linearity_master({"A": CURVE, "B": CURVE}, **keys),
        "defects": defect_master(HOT, **keys),
        "ptc": transfer(GAIN, {"A": 15_000.0, "B": 9_000.0}, **keys),
    }
    return {kind: found[kind] for kind in kinds or found}


def given(light: list[float], **changes: Any) -> dict[str, Any]:
    """Frames of so many true adu above the level."""
    frames = [raw_pixels(CAMERA, float(measured(x)), noise=4.0, seed=i) for i, x in enumerate(light)]
    records = {
        i + 1: FrameRecord(
            facts=facts(i + 1, **{k: v[i] if isinstance(v, list) else v for k, v in changes.items()}),
            detector=0,
            file="x",
            size=1,
            sha256=f"{i + 1:064d}",
            content=(),
        )
        for i in range(len(light))
    }
    raws = [Offered(i + 1, Handle(ArrayRaw(frame))) for i, frame in enumerate(frames)]
    return {"raws": raws, "camera": CAMERA, "detector": 0, "records": records}


def configured(config: Any, chain: list[str]) -> Any:
    config.chain = chain
    config.corrections.suspect.source = "ptc"
    config.corrections.saturation.suspect = 1.0
    config.validate()
    return config


def dark(**wishes: Any) -> Any:
    chain = [name for name in CHAIN if name != "dark"]
    times = [100.0] * 12
    frames = given([10_000.0] * 12, dark_time=times)
    task = DarkTask(config=configured(DarkConfig(), chain))
    return task.run(**frames, masters=masters("bias", "linearizer", "defects", "ptc"), **wishes).dark


def test_a_dark_is_linear_marked_and_without_defects() -> None:
    product = dark()
    planes = planes_of(product)
    good = ~HOT[:, :20]
    # 12 frames of 1,824 pixels with 4 adu: far below 1e-3; the medians of 96 rows add 0.05 adu.
    assert planes.image[:, :20][good].mean() == pytest.approx(100.0 * GAIN["A"], rel=2e-4)
    assert (planes.mask[:, 7] & int(Plane.BAD)).all()
    # 9,804 measured adu are above the turn-off of B, 9,000, and not above that of A.
    assert (planes.mask[:, 20:] & int(Plane.SUSPECT)).all()
    assert not (planes.mask[:, :20] & int(Plane.SUSPECT)).any()
    keys = product.metadata
    assert keys["FID CHAIN"] == "saturation,overscan,gain,suspect,linearity,assembly,bias,defects,nan"
    assert keys["FID CHAIN LINEARITY KNOWN"] == 2
    assert keys["FID CHAIN SUSPECT B"] == 9_000.0
    assert (keys["FID RUN MASTER LINEARIZER"], keys["FID RUN MASTER DEFECTS"]) == ("0008", "0009")


def test_verification_corrects_frames_as_the_masters_inputs_were() -> None:
    product = Master("dark", dark(), "2")
    config = VerifyDarkConfig()
    assert masters_needed("dark", product, (), config.corrections) == ("linearizer", "bias", "defects")
    frames = given([10_000.0, 5_000.0], dark_time=[100.0, 50.0])
    records = frames["records"]
    offered = [Verified(r.exposure, r.handle, records[r.exposure].facts.begin) for r in frames["raws"]]
    used = masters("bias", "linearizer", "defects") | {"dark": product}
    table = (
        VerifyDarkTask(config=config)
        .run(raws=offered, camera=CAMERA, detector=0, masters=used, records=list(records.values()))
        .measurements
    )
    rows = [row for row in table.to_pylist() if row["test"] == "level" and row["amplifier"] == "A"]
    assert len(rows) == 2
    for row in rows:  # without linearity the second would be off by 1 per cent of 10,000 electrons
        assert abs(row["value"]) < 5 * row["uncertainty"] + 0.5
    with pytest.raises(ConfigurationError, match="no linearizer"):
        VerifyDarkTask(config=VerifyDarkConfig()).run(
            raws=offered,
            camera=CAMERA,
            detector=0,
            masters={"bias": used["bias"], "dark": product},
            records=list(records.values()),
        )


def test_flats_of_many_levels_have_ratios_of_their_light() -> None:
    light = [2_000.0, 4_000.0, 8_000.0, 8_000.0]
    frames = given(light, frame_type="flat")
    chain = ["saturation", "overscan", "gain", "linearity", "assembly", "bias", "defects", "nan"]
    used = masters("bias", "linearizer", "defects")
    levels = FlatLevelsTask(config=configured(FlatLevelsConfig(), chain)).run(**frames, masters=used).levels
    found = levels["level"].to_numpy().reshape(4, 2)
    np.testing.assert_allclose(found, np.outer(light, [GAIN["A"], GAIN["B"]]), rtol=2e-4)
    scales = FlatSolveTask(config=FlatSolveConfig()).run(levels=[levels]).scales
    flat = (
        FlatTask(config=configured(FlatConfig(), chain))
        .run(**frames, scales=scales, physical_filter="g", masters=used)
        .flat
    )
    assert flat.metadata["FID CHAIN LINEARITY HASH"] == used["linearizer"].content_hash
    assert (planes_of(flat).mask[:, 7] & int(Plane.BAD)).all()


def test_a_science_frame_is_linear() -> None:
    frames = given([10_000.0])
    chain = [*CHAIN[:-1], "flat", "nan"]
    detrended = (
        DetrendTask(config=configured(DetrendConfig(), chain))
        .run(raw=frames["raws"][0], camera=CAMERA, detector=0, record=frames["records"][1], masters=masters())
        .detrended
    )
    image = planes_of(detrended).image
    assert np.median(image[:, :20]) == pytest.approx(10_000.0 * GAIN["A"], rel=2e-4)


@pytest.mark.parametrize("kind", ["linearizer", "defects", "ptc"])
@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"detector": 1}, "detector 1"),
        ({"camera": "OtherCam"}, "OtherCam"),
        ({"FID STATE SEQFILE": "slow.seq"}, "SEQFILE is fast.seq and slow.seq"),
    ],
)
def test_what_belongs_to_something_else_is_refused(kind: str, keys: dict[str, Any], message: str) -> None:
    used = masters() | {kind: masters(kind, **keys)[kind]}
    frames = given([10_000.0])
    with pytest.raises(CalibrationMismatch, match=message) as caught:
        DetrendTask(config=configured(DetrendConfig(), CHAIN)).run(
            raw=frames["raws"][0], camera=CAMERA, detector=0, record=frames["records"][1], masters=used
        )
    if "SEQFILE" in message:
        name = {"linearizer": "linearity", "defects": "defects", "ptc": "suspect"}[kind]
        assert f"corrections.{name}.matchState=False" in caught.value.hint


@pytest.mark.parametrize("kind", ["bias", "dark", "flat"])
@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"world": "adu"}, r"\(adu\), the chain works in electron"),
        ({"DETECTOR": 1}, "detector 1"),
        ({"FID STATE SEQFILE": "slow.seq"}, "SEQFILE is fast.seq and slow.seq"),
    ],
)
def test_masters_of_something_else_are_refused(kind: str, keys: dict[str, Any], message: str) -> None:
    made = {"world": "electron"} | keys
    used = masters() | {kind: master(kind, 1.0, **made)}
    frames = given([10_000.0])
    with pytest.raises(CalibrationMismatch, match=message):
        DetrendTask(config=configured(DetrendConfig(), [*CHAIN[:-1], "flat", "nan"])).run(
            raw=frames["raws"][0], camera=CAMERA, detector=0, record=frames["records"][1], masters=used
        )


@pytest.mark.parametrize(
    ("pipeline", "label"),
    [
        ("cpBias", "bias"),
        ("cpDark", "dark"),
        ("cpFlat", "flatLevels"),
        ("cpFlat", "flat"),
        ("cpFlatBootstrap", "flatBootstrap"),
        ("Detrend", "detrend"),
    ],
)
def test_calibrations_are_looked_for_where_the_chain_needs_them(pipeline: str, label: str) -> None:
    loaded = Pipeline.fromFile(str(PIPELINES / f"{pipeline}.yaml"))
    loaded.addConfigOverride(label, "chain", ["overscan", "suspect", "linearity", "assembly", "defects"])
    loaded.addConfigOverride(label, "corrections.suspect.source", "ptc")
    task = loaded.to_graph().tasks[label]
    wanted = {edge.dataset_type_name for edge in task.prerequisite_inputs.values()}
    assert wanted == {"camera", "linearizer", "defects", "ptc"}
