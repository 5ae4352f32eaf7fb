"""Defects of a real camera from its biases, darks and flats: the hot pixels that its night's notes count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_real_kinds import Night, bias_of, biases_at, dark_of, darks_at, night_of

from fiducial.corrections.masters import Master
from fiducial.kinds.bias import BiasConfig, BiasTask
from fiducial.kinds.defects import DefectsConfig, DefectsTask
from fiducial.kinds.flat import FlatConfig, FlatTask
from fiducial.kinds.flat_levels import FlatLevelsConfig, FlatLevelsTask
from fiducial.kinds.flat_solve import FlatSolveConfig, FlatSolveTask
from fiducial.products.defects import DefectSet
from fiducial.products.defects_comparison import compare_defects
from fiducial.products.images import planes_of

pytestmark = pytest.mark.real

GAIN = 1.934  # electron / adu, of the camera file


@pytest.fixture(scope="module")
def stl(real_data: Path) -> Night:
    return night_of("stl1001", real_data / "stl1001-2017")


@pytest.fixture(scope="module")
def masters(stl: Night) -> dict[str, Master]:
    return masters_of(stl)


def masters_of(stl: Night) -> dict[str, Master]:
    """Bias, dark of ten frames of 60 s, and flat, at -5 C, in adu."""
    bias = bias_of(stl, biases_at(-5.0))
    found = {
        "bias": Master("bias", bias),
        "dark": Master("dark", dark_of(stl, darks_at(-5.0, ten=True), bias)),
    }
    given = stl.given(lambda f: f.frame_type == "flat")
    levels, flat = FlatLevelsConfig(), FlatConfig()
    levels.chain = flat.chain = ["saturation", "overscan", "assembly", "bias", "dark", "nan"]
    measured = FlatLevelsTask(config=levels).run(**given, masters=found).levels
    scales = FlatSolveTask(config=FlatSolveConfig()).run([measured]).scales
    made = FlatTask(config=flat).run(**given, masters=found, scales=scales, physical_filter="clear").flat
    return found | {"flat": Master("flat", made)}


def search(stl: Night, masters: list[Master], **limits: float) -> DefectSet:
    config = DefectsConfig()
    for name, value in limits.items():
        getattr(config.search, name).value = value
    found: Any = DefectsTask(config=config).run(camera=stl.camera, detector=0, masters=masters).defects
    assert isinstance(found, DefectSet)
    return found


def hot_above(stl: Night, masters: dict[str, Master]) -> dict[int, tuple[int, int]]:
    """Hot pixels that exceed the bias by so many adu in 60 s: those of the notes, and those found.

    The search counts from the surroundings, which are above the bias by the dark's level: by so much the
    limit is lower.
    """
    surroundings = float(np.median(planes_of(masters["dark"].product).image)) * 60
    counted = {}
    for above, expected in ((100, 14_440), (200, 6_229), (500, 1_346)):
        found = search(stl, [masters["dark"]], dark=(above - surroundings) * GAIN / 60)
        counted[above] = expected, found.counts()["hot"]
    return counted


def test_hot_pixels_are_those_of_the_dark(stl: Night, masters: dict[str, Master]) -> None:
    """14,440, 6,229 and 1,346 pixels exceed the bias by 100, 200 and 500 adu in 60 s, to their roots.

    The surroundings vary by a few adu, the number at 100 adu by 1 % an adu, up here and down there.
    """
    for expected, found in hot_above(stl, masters).values():
        assert abs(found - expected) < np.sqrt(expected)


def test_all_masters_together(stl: Night, masters: dict[str, Master]) -> None:
    found = search(stl, list(masters.values()))
    counts = found.counts()
    rate = planes_of(masters["dark"].product).image * GAIN
    # 3 e-/s is 93 adu in 60 s; surroundings differ from the median by less than 0.3 e-/s.
    hot = found.mask_of("hot")
    assert hot[rate - np.median(rate) > 3.3].all()
    assert (rate[hot] - np.median(rate) > 2.7).all()
    assert counts["any"] == pytest.approx(13_700, abs=5 * np.sqrt(13_700))
    # The sensor has no bad column; its warm pixels, denser at the sides, make none.
    assert not {"column", "intermittent", "saturated_column", "dead_amplifier", "no_data"} & counts.keys()
    # Pixels off in bias or flat are hot ones but for a handful.
    assert counts["any"] - counts["hot"] < 20
    assert np.array_equal(DefectSet.from_hdus(found.to_hdus()).mask(), found.mask())


def test_cold_frames_lose_hot_pixels_and_gain_few(stl: Night, masters: dict[str, Master]) -> None:
    """At -10 C dark current is less: what is hot there is hot at -5 C, but for single darks' cosmic rays."""
    bias = bias_of(stl, biases_at(-10.0))
    cold = Master("dark", dark_of(stl, darks_at(-10.0, ten=False), bias))
    change = compare_defects(search(stl, [cold]), search(stl, [masters["dark"]])).total
    assert 0.2 < change.now / change.before < 0.8
    assert change.appeared < 0.01 * change.now


@pytest.fixture(scope="module")
def kast(real_data: Path) -> Night:
    return night_of("kast-blue", real_data / "kast-blue")


def test_a_slit_makes_no_defects(kast: Night) -> None:
    """A spectrograph's flat: dark beyond the slit, 0.3 to 17 thousand adu within one amplifier, no darks."""
    bias = Master(
        "bias", BiasTask(config=BiasConfig()).run(**kast.given(lambda f: f.frame_type == "bias")).bias
    )
    given = kast.given(lambda f: f.frame_type == "flat" and f.exposure_time < 20)
    levels, flat = FlatLevelsConfig(), FlatConfig()
    levels.chain = flat.chain = ["saturation", "overscan", "gain", "assembly", "bias", "nan"]
    measured = FlatLevelsTask(config=levels).run(**given, masters={"bias": bias}).levels
    scales = FlatSolveTask(config=FlatSolveConfig()).run([measured]).scales
    task = FlatTask(config=flat)
    made = task.run(**given, masters={"bias": bias}, scales=scales, physical_filter="dome").flat
    found = search(kast, [bias, Master("flat", made)])
    counts = found.counts()
    # 22 rows at one side and 23 at the other get no light over both amplifiers: they are told.
    assert counts["unlit"] == pytest.approx(45 * 2048, rel=0.15)
    assert "dead_amplifier" not in counts
    assert counts["any"] < 0.005 * 350 * 2048
