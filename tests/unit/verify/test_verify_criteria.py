"""Criteria: the default stands, files go over it value by value, and nothing unknown is accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from fiducial.errors import ConfigurationError
from fiducial.verify.criteria import load_criteria

CHECKS = {
    "bias": {"level", "noise", "noise_certified", "outliers", "structure_blocks", "structure_rows"},
    "dark": {"level", "noise", "noise_certified", "outliers", "structure_blocks", "structure_columns"},
    "flat": {"noise", "outliers", "structure_blocks", "amplifier_ratio", "detector_ratio"},
}


@pytest.mark.parametrize("kind", ["bias", "dark", "flat"])
def test_the_default_limits_every_judged_test(kind: str) -> None:
    criteria = load_criteria()
    for test in CHECKS[kind]:
        assert criteria.limit(kind, test) is not None
    assert criteria.limit(kind, "read_noise") is None
    assert criteria.limit(kind, "gain") is None
    assert criteria.limit(kind, "noise_clean") is None


def test_the_default_is_that_of_the_definitions() -> None:
    criteria = load_criteria()
    level = criteria.limit("bias", "level")
    assert level is not None
    assert (level.read_noise, level.electrons) == (0.1, 0.5)
    assert level.without_overscan is not None
    assert level.without_overscan.read_noise == 0.3
    assert criteria.false_alarm == 0.01
    assert criteria.false_discovery == 0.05
    for kind in ("bias", "dark"):
        assert criteria.limit(kind, "noise").absolute == 0.05  # type: ignore[union-attr]
        assert criteria.limit(kind, "structure_blocks").read_noise == 0.1  # type: ignore[union-attr]
        assert criteria.limit(kind, "structure_rows").read_noise == 0.3  # type: ignore[union-attr]
    assert criteria.limit("flat", "structure_rows").absolute == 1e-3  # type: ignore[union-attr]
    assert criteria.limit("flat", "amplifier_ratio").absolute == 0.005  # type: ignore[union-attr]
    assert criteria.limit("flat", "detector_ratio").absolute == 0.01  # type: ignore[union-attr]


def test_a_camera_has_its_own_values_over_the_default() -> None:
    kast = load_criteria("KastBlue")
    assert kast.limit("flat", "structure_rows").absolute == 3e-3  # type: ignore[union-attr]
    assert kast.limit("flat", "structure_columns").absolute == 1e-3  # type: ignore[union-attr]
    assert load_criteria("LATISS") == load_criteria()


def test_a_file_goes_over_everything(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("tests: {bias: {noise: {absolute: 0.2}}}\nexpected_outliers: {readout_time: 50}\n")
    mine = load_criteria("KastBlue", file)
    assert mine.limit("bias", "noise").absolute == 0.2  # type: ignore[union-attr]
    assert mine.expected_outliers.readout_time == 50
    assert (
        mine.expected_outliers.pixels_per_cosmic_ray
        == load_criteria().expected_outliers.pixels_per_cosmic_ray
    )
    assert mine.limit("flat", "structure_rows").absolute == 3e-3  # type: ignore[union-attr]


def test_a_limit_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """Otherwise the half electron of the default would stay beside the one that was meant to replace it."""
    file = tmp_path / "mine.yaml"
    file.write_text("tests: {bias: {level: {electrons: 0.1}}}\n")
    level = load_criteria(path=file).limit("bias", "level")
    assert level is not None
    assert (level.electrons, level.read_noise, level.without_overscan) == (0.1, None, None)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("tests: {bias: {noise: {absolut: 0.2}}}", "tests.bias.noise"),
        ("tests: {bias: {noise: {absolute: 0.2, poisson: true}}}", "tests.bias.noise"),
        ("tests: {fringe: {noise: {absolute: 0.2}}}", "tests.fringe"),
        ("tests: {ptc: {a00: {absolute: 1.0e-6, low: 1.0e-5}}}", "tests.ptc.a00"),
        ("tests: {ptc: {a00: {absolute: 1.0e-6, low: -1.0, sided: upper}}}", "tests.ptc.a00"),
        ("tests: {ptc: {a00: {electrons: 1.0, low: -1.0}}}", "tests.ptc.a00"),
        ("tests: {linearizer: {residual: {high: 1}}}", "tests.linearizer.residual"),
        ("false_alarms: 0.5", "false_alarms"),
        ("false_alarm: 2", "false_alarm"),
        ("schema: 9", "schema"),
    ],
)
def test_what_is_unknown_is_refused_by_file_and_key(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_criteria(path=file)
    assert str(file) in caught.value.message
    assert named in caught.value.message


@pytest.mark.parametrize("text", ["[1, 2]", "a: [b", "just words"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"mine\.yaml"):
        load_criteria(path=file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml"):
        load_criteria(path=tmp_path / "nowhere.yaml")
