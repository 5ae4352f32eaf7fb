"""Nights of real cameras, each ingested and made once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import fiducial
from real_nights import Night, Numbers, begin_night


@pytest.fixture(scope="session")
def numbers() -> Iterator[Numbers]:
    """Collects what the documentation quotes."""
    collected = Numbers(os.environ.get("FIDUCIAL_WRITE_RESULTS"))
    yield collected
    collected.write()


@pytest.fixture(scope="session")
def kast_night(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Night:
    """The Kast blue night: bias and flat; exit code 3, since a saturated flat is set aside."""
    root, folder = tmp_path_factory.mktemp("kast") / "repo", real_data / "kast-blue"
    fiducial("init", root, "--camera", "kast-blue")
    night = Night(root, folder, fiducial("ingest", root, folder, "--json").json())
    night.make("bias", "flat", "--night", 20150519, code=3)
    return night


@pytest.fixture(scope="session")
def stl_night(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Night:
    """The night of the STL-1001E: bias, dark and flat at -5 C, bias and dark at -10 C."""
    night = begin_night(tmp_path_factory.mktemp("stl") / "repo", "stl1001", real_data / "stl1001-2017")
    cold, warm = {"SET-TEMP": -10}, {"SET-TEMP": -5}
    night.make_here("bias", "dark", "flat", night=20170908, state=warm, tag="minus5")
    night.make_here("bias", "dark", night=20170908, state=cold, tag="minus10", suffix=" -10")
    return night


@pytest.fixture(scope="session")
def esis_night(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Night:
    """Frames of ESIS: a flat from the pair of LED frames, without bias and dark."""
    night = begin_night(tmp_path_factory.mktemp("esis") / "repo", "esis", real_data / "esis")
    chain = "parameters:chain=['saturation','overscan','gain','assembly','nan']"
    night.make_here("flat", night=20170712, overrides=(chain,))
    return night
