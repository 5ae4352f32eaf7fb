"""Photon transfer from pixels, through its task: unbiased within 0.1 sigma, errors that cover 68 per cent.

Two layouts (`transfer_pixels`) of 1,024 amplifiers each. Both together know the mean pull to 0.022 and the
coverage to 1.03 per cent, so that the limits of 0.1 and 3 per cent are not met by luck. One layout alone
fails where it is surely beyond those limits, by three of its own standard deviations: 0.194 and 7.4 per cent.
(The roll-off and its width on sixteen amplifiers are off by 0.12 and 0.13, on four amplifiers by 0.00: why is
not known.)
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from transfer_estimates import LAYOUTS, Row, bright_only, bright_rows, rows_of, variances

OVERSCAN = "noise of the overscan"
TIED = "tied gain, one of a detector"


@cache
def rows(fit: str) -> dict[tuple[str, str], Row]:
    return {(row.layout, row.name): row for row in rows_of(fit)}


def judge(fit: str, expected: set[str]) -> None:
    found = rows(fit)
    assert expected <= {name for layout, name in found if layout == "both"}
    for (layout, name), row in found.items():
        if name == OVERSCAN:
            continue
        unsure = 3.0 / np.sqrt(row.number)
        if layout == "both" and name != TIED:
            assert row.number >= 1000
            unsure = 0.0
        assert abs(row.bias) < 0.1 + unsure, row
        assert abs(row.coverage - 0.6827) < 0.03 + unsure * np.sqrt(0.6827 * 0.3173), row


@pytest.mark.slow
@pytest.mark.xdist_group("variances of pixels")
class TestVariances:
    """Fits of variances, whose flats go beyond full well."""

    def test_gain_noise_a00_and_tied_gains(self) -> None:
        # A tied gain of each detector: its amplifiers share the error of the common factor.
        judge("variances", {"gain", "read noise", "a00", "ratio of tied gains", TIED})

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_the_turn_off_is_the_highest_level_that_follows(self, layout: str) -> None:
        level, error, top = variances(layout)["turn-off, adu"].T
        # Half the way to the full well, 8 per cent on; a few amplifiers saturate there and say nothing.
        assert np.mean(level == top) > 0.995
        assert np.mean(np.isfinite(error)) > 0.98
        assert np.nanmax(np.abs(error / top - 0.04)) < 0.02

    def test_the_noise_of_the_overscan(self) -> None:
        # Clipping 3,000 pixels at 3.5 of their own sigmas leaves a bias of the order of 1 in so many; the
        # quoted error is never below a thousandth.
        noise, _, truth = variances("sixteen")[OVERSCAN].T
        assert abs(np.mean(noise / truth) - 1) < 1e-3
        assert abs(rows("variances")["sixteen", OVERSCAN].coverage - 0.6827) < 0.058


@pytest.mark.slow
@pytest.mark.xdist_group("covariances of pixels")
class TestCovariances:
    """Fits of all covariances."""

    def test_gain_noise_and_the_a_matrix(self) -> None:
        matrix = {f"a{i}{j}" for i, j in np.ndindex(3, 3)}
        judge("covariances", {"gain", "read noise"} | matrix)


@pytest.mark.slow
@pytest.mark.xdist_group("roll-off of pixels")
class TestRollOff:
    """Fits of variances that roll off."""

    def test_gain_and_roll_off(self) -> None:
        judge("variances that roll off", {"gain", "roll-off, adu", "width of the roll-off"})


@pytest.mark.slow
@pytest.mark.xdist_group("bright pixels")
class TestBrightLevels:
    """The curve tells the noise to worse than a tenth: that of the overscan takes part."""

    def test_gain_noise_and_a00(self) -> None:
        assert len(bright_only()["gain"]) >= 1000
        for row in bright_rows():
            assert abs(row.bias) < 0.1, row
            # 1,024 estimates: known to 1.5 per cent.
            assert abs(row.coverage - 0.6827) < 0.03, row
            assert row.number >= 1000
