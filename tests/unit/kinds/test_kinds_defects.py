"""The task of defects on masters in memory, and what its product says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
import pytest

from fiducial.corrections.defects import DefectMaster
from fiducial.corrections.masters import Master
from fiducial.errors import AlgorithmError, CalibrationMismatch, ConfigurationError
from fiducial.kinds.defects import DefectsConfig, DefectsTask
from fiducial.products import metadata as meta
from fiducial.products.defects import DefectSet
from fiducial.products.images import to_masked_image
from fiducial.products.masks import Plane
from frame_arrays import SHAPE, tiny_camera

CAMERA = tiny_camera()
RIGHT = np.arange(SHAPE[1]) >= 20


def made(kind: str, image: Any, *, mask: Any = None, world: str = "electron", detector: int = 0) -> Master:
    unit = {"bias": u.electron, "dark": u.electron / u.s, "flat": u.dimensionless_unscaled}[kind]
    keys = meta.identity(kind, CAMERA, detector, world, physical_filter="g" if kind == "flat" else "")
    keys |= {"FID STATE SEQFILE": "fast.seq"}
    image = np.asarray(image, np.float32)
    product = to_masked_image(
        image,
        np.full(image.shape, 1e-6, np.float32),
        np.zeros(image.shape, np.int32) if mask is None else mask,
        unit=unit,
        metadata=keys,
    )
    return Master(kind, product, f"{kind}-id")


def noise(level: float, sigma: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(level, sigma, SHAPE).astype(np.float32)


def search(*masters: Master, **wishes: Any) -> DefectSet:
    config = DefectsConfig()
    for name, value in wishes.items():
        setattr(config, name, value)
    found = DefectsTask(config=config).run(camera=CAMERA, detector=0, masters=masters).defects
    assert isinstance(found, DefectSet)
    return found


def test_defects_of_all_masters_are_one_product() -> None:
    dark, flat = noise(0.1, 0.02), noise(1.0, 0.003, 1)
    dark[10, 10], flat[20, 30] = 9.0, 0.5
    mask = np.zeros(SHAPE, np.int32)
    mask[50, 5] = int(Plane.NO_DATA | Plane.BAD | Plane.SAT)
    found = search(made("bias", noise(0, 1.5, 2)), made("dark", dark, mask=mask), made("flat", flat))
    assert found.counts() == {"hot": 2, "cold": 1, "any": 3}
    assert np.argwhere(found.mask_of("hot")).tolist() == [[10, 10], [50, 5]]
    keys = found.metadata
    assert (keys["OBSTYPE"], keys["FID WORLD"], keys["DET_SER"]) == ("defects", "electron", "T-0")
    assert [keys[f"FID MASTER {i} NAME"] for i in range(3)] == ["bias", "dark", "flat g"]
    assert keys["FID AMP A N HOT"] == 2
    assert keys["FID AMP B N ANY"] == 1
    assert keys["FID LIMIT DARK"] == 3.0
    assert keys["FID STATE SEQFILE"] == "fast.seq"
    assert keys["FID RUN MASTER 1"] == "dark-id"
    again = DefectSet.from_hdus(found.to_hdus())
    assert again.metadata == keys


def test_masters_in_adu_are_held_against_limits_in_electrons() -> None:
    dark = noise(0.0, 0.02)
    dark[10, 10] = dark[10, 30] = 1.2  # adu/s: 2.4 e-/s on A and 4.8 on B
    assert np.argwhere(search(made("dark", dark, world="adu")).mask()).tolist() == [[10, 30]]


def test_manual_defects_are_joined(tmp_path: Path) -> None:
    file = tmp_path / "manual.csv"
    file.write_text("x0,y0,width,height\n3,0,1,96\n")
    found = search(made("dark", noise(0.1, 0.02)), manual=str(file))
    assert found.counts() == {"manual": 96, "any": 96}
    assert found.metadata["FID MANUAL FILE"] == "manual.csv"
    file.write_text("x0,y0,width,height\n3,0,1,97\n")
    with pytest.raises(ConfigurationError, match=r"manual.csv: row 1, column height: 97"):
        search(made("dark", noise(0.1, 0.02)), manual=str(file))


def test_settings_reach_the_search() -> None:
    config = DefectsConfig()
    config.search.edges = [1, 2, 3, 4]
    config.search.columns.spread = 2
    config.search.blobs.radius = 5
    config.search.midline = "mask"
    config.search.cold.value = 0.4
    config.validate()
    settings = config.search.settings()
    assert settings.edges == (1, 2, 3, 4)
    assert (settings.columns.spread, settings.blobs.radius, settings.midline) == (2, 5, "mask")
    assert (settings.cold.value, settings.cold.sigmas, settings.bright.value) == (0.4, 5.0, 0.2)
    config.search.edges = [1, 2]
    with pytest.raises(ValueError, match="edges"):
        config.validate()


def test_bad_masters_have_named_reasons() -> None:
    empty = made("flat", np.full(SHAPE, np.nan))
    found = search(empty, made("dark", noise(0.1, 0.02)))
    assert found.metadata["FID NOTE 0"] == "flat g has no usable pixel: it was left out"
    with pytest.raises(AlgorithmError, match="flat g"):
        search(empty)
    with pytest.raises(AlgorithmError, match="no master"):
        search()
    half = noise(1.0, 0.003)
    half[:, RIGHT] = np.nan
    half[5, 5] = 0.3
    found = search(made("flat", half))
    assert found.counts() == {"cold": 1, "dead_amplifier": 96 * 20, "any": 96 * 20 + 1}
    assert "amplifier B is dead" in str(found.metadata["FID NOTE 0"])


def test_masters_of_something_else_are_refused() -> None:
    with pytest.raises(CalibrationMismatch, match="detector 1"):
        search(made("dark", noise(0, 1), detector=1))
    with pytest.raises(CalibrationMismatch, match="10 x 10"):
        search(made("dark", np.zeros((10, 10))))


def test_equal_defects_have_equal_hashes() -> None:
    dark = noise(0.1, 0.02)
    dark[10, 10] = 9.0
    one, two = (DefectMaster("defects", search(made("dark", dark))) for _ in range(2))
    dark[11, 11] = 9.0
    other = DefectMaster("defects", search(made("dark", dark)))
    assert one.content_hash == two.content_hash != other.content_hash
