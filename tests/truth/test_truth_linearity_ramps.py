"""Linearity from pixels, through its task: what is left is below 1e-4 of full well, and as large as it says.

A detector's amplifiers share the light, so that their estimates are not independent: n amplifiers of d
detectors know a mean pull to the root of (s / d + (1 - s) / n), s the light's share of the variance; 0.02 to
0.05 here, both layouts together.
"""

from __future__ import annotations

import numpy as np
import pytest

from linearity_ramps import AT, FULL_WELL, RAMPS, Ramp, estimates

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("linearity of ramps")]


@pytest.mark.parametrize("ramp", RAMPS, ids=lambda ramp: ramp.layout)
def test_what_is_left_is_below_1e_4_of_full_well(ramp: Ramp) -> None:
    made, _, true = np.moveaxis(estimates(ramp), -1, 0)
    assert len(made) >= 1000
    left = np.sqrt(np.mean(np.square(made - true), axis=0)) / FULL_WELL
    assert left.max() < 1e-4
    assert np.abs(np.mean(made - true, axis=0)).max() / FULL_WELL < 1e-5
    assert np.abs(true).max() / FULL_WELL > 1e-2  # what there was to be corrected


def test_corrections_are_unbiased_and_as_uncertain_as_they_say() -> None:
    made, error, true = np.moveaxis(np.concatenate([estimates(ramp) for ramp in RAMPS]), -1, 0)
    pulls = (made - true) / error
    assert pulls.shape[1] == len(AT)
    assert np.abs(pulls.mean(axis=0)).max() < 0.1
    assert np.abs(np.mean(np.abs(pulls) < 1, axis=0) - 0.6827).max() < 0.03
