"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

# The same examples in every run: a failure is there for whoever looks into it.
hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis.settings.load_profile("fixed")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with raw frames of real cameras, beside the checkout.

    Where continuous integration runs, their absence is a failure: nothing may be skipped there.
    """
    folder = Path(os.environ.get("FIDUCIAL_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "README.md").is_file():
        message = f"no real frames at {folder} (set FIDUCIAL_REAL_DATA)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


SLOW_FILES = (
    "test_e2e_bad_input.py",
    "test_e2e_kill.py",
    "test_e2e_memory_io.py",
    "test_e2e_same_content.py",
    "test_e2e_seed_commands.py",
    "test_e2e_storage.py",
    "test_real_nights_",
)
"""End-to-end tests that take minutes each: they belong to `make test-slow`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name.startswith(SLOW_FILES):
            item.add_marker(pytest.mark.slow)
