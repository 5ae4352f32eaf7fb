"""What is installed beside the Python files: data that the package reads, and what type checkers read."""

from __future__ import annotations

from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "fiducial"
BUILT_FROM = {".cpp", ".hpp"}
"""Sources of the compiled kernels: they are not installed."""

INSTALLED = Path(str(files("fiducial")))


@pytest.mark.parametrize(
    "pattern",
    [
        "cameras/data/*.yaml",
        "kernels/_kernels*.so",
        "kernels/_kernels.pyi",
        "pipelines/*.yaml",
        "py.typed",
        "reports/templates/*.css",
        "reports/templates/*.html.j2",
        "reports/templates/*.js",
        "repository/config/seed.yaml",
        "selection/limits.yaml",
        "verify/criteria/*.yaml",
    ],
)
def test_data_of_every_kind_are_installed(pattern: str) -> None:
    found = sorted(INSTALLED.glob(pattern))
    assert found
    assert all(path.stat().st_size > 0 or path.name == "py.typed" for path in found)


def test_nothing_of_the_source_is_left_out() -> None:
    wanted = {
        path.relative_to(SOURCE)
        for path in SOURCE.rglob("*")
        if path.is_file() and path.suffix not in BUILT_FROM and "__pycache__" not in path.parts
    }
    wanted = {path for path in wanted if path.suffix != ".so"}
    missing = sorted(str(path) for path in wanted if not (INSTALLED / path).is_file())
    assert not missing


def test_the_programs_know_us() -> None:
    scripts = {entry.name: entry.value for entry in entry_points(group="console_scripts")}
    assert scripts["fiducial"] == "fiducial.cli.main:main"
    assert "fiducial" in {entry.name for entry in entry_points(group="butler.cli")}
