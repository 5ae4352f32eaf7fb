"""Fixtures of the report's tests."""

from __future__ import annotations

import pytest
from reports_samples import make_data, two_amplifier_camera

from fiducial.reports.model import ReportData


@pytest.fixture(scope="session")
def passing() -> ReportData:
    """A bias production of two detectors that passes, with every optional part."""
    return make_data()


@pytest.fixture(scope="session")
def small() -> ReportData:
    """The same of one detector and fewer frames, for what needs no more."""
    return make_data(camera=two_amplifier_camera(1, columns=24, rows=24), frames=7)
