"""Interpolation on real frames: pixels are hidden, filled in, and held against what they were.

Noise is that of the hidden pixels. The wander beyond the noise, which quoted variances hold, is known to a
few per cent from the frame itself, and pixels of a flat differ by themselves instead: shares are good to 4
per cent.
"""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import pytest

from real_interpolation import HIDDEN, METHODS, Frame, frames, judged

pytestmark = pytest.mark.real

COVERAGE = 0.04
BIAS = 0.05  # of a pixel's noise


@pytest.fixture(scope="module")
def kast(real_data: Path) -> dict[str, Frame]:
    return frames(real_data / "kast-blue")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("what", HIDDEN)
@pytest.mark.parametrize("name", ["flat", "science"])
def test_values_and_variances(kast: dict[str, Frame], name: str, what: str, method: str) -> None:
    found = judged(kast[name], what, method)
    if found is None:  # groups too large for a process
        assert method == "process"
        assert what not in ("single", "3 × 3")
        return
    assert found.number > 100
    # At its sides a pixel has neighbours on one side only, and a flat its steepest gradients.
    limit = 0.3 if what == "sides" else BIAS
    assert abs(found.bias) < limit + 4 * found.bias_error
    assert abs(found.covered - 0.6827) < COVERAGE + 4 * sqrt(0.22 / found.number)
    # Two neighbours of equal noise leave sqrt(1.5), one of them sqrt(2), many of them 1; wander is added.
    least = {"process": 1.0, "linear": sqrt(2) if what == "sides" else sqrt(1.5)}[method]
    assert 0.93 * least < found.quoted < 1.3 * least
    assert found.scatter == pytest.approx(
        found.quoted, rel=0.08, abs=4 * found.quoted / sqrt(2 * found.number)
    )
