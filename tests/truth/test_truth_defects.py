"""Defects of simulated masters: every class on two layouts of amplifiers, completeness and purity.

Single pixels are planted at 1.2 times their limit or more: 0.6 e-/s, 4 % of the flat and 40 e- beyond it,
which are 54, 9 and 25 sigma, so each has to be found; and with limits of 3 e-/s, 20 % and 200 e- (272, 46 and
126 sigma) no pixel may be flagged by noise. Groups have soft borders and are looked for in bins of four
pixels: of their outermost pixels some may be lost.
"""

from __future__ import annotations

from functools import cache
from math import erf, sqrt
from pathlib import Path

import numpy as np
import pytest

from defects_planted import (
    CLASSES,
    LAYOUTS,
    SIGNIFICANCE,
    TWO_ROWS,
    Row,
    all_rows,
    as_markdown,
    plant,
)
from fiducial.algorithms.defects import find_defects
from fiducial.algorithms.defects_model import Reason, Settings

TABLE = Path(__file__).resolve().parents[2] / "docs" / "runs" / "defects-truth.md"
SOFT = ("rough patches", "dust, told and not masked")


@cache
def rows() -> dict[tuple[str, str], Row]:
    return {(row.layout, row.name): row for row in all_rows()}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", [*CLASSES, "all that is masked"])
def test_every_class_is_complete_and_pure(layout: str, name: str) -> None:
    row = rows()[layout, name]
    assert row.planted >= 1000
    # A shadow of 12 pixels' radius has a tenth of its area in the outermost half pixel and a bit; a patch of
    # 20 x 24 pixels has its border on the bins'.
    assert row.completeness >= (0.95 if name in SOFT else 1.0)
    assert row.purity == 1.0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_significance_finds_the_share_that_its_noise_allows(layout: str) -> None:
    # The share e of planted pixels widens the median deviation by 1.166 e (e / 2 over the density of |x| at
    # its median, 0.636, over that median, 0.674) and lifts the median by e / 2 over 0.399, in sigmas.
    windows = LAYOUTS[layout]
    spoilt = 400 * len(SIGNIFICANCE) / (max(w.x1 for w in windows) * max(w.y1 for w in windows))
    for sigmas in SIGNIFICANCE:
        row = rows()[layout, f"{sigmas:g} sigma, by significance of 5"]
        margin = sigmas - 5 * (1 + 1.166 * spoilt) - spoilt / 2 / 0.399
        expected = (1 + erf(margin / sqrt(2))) / 2
        # Binomial, and one pixel. The noise itself is known to 1.8 % in each of 320 blocks or more.
        allowed = 5 * sqrt(expected * (1 - expected) / row.planted) + 1 / row.planted
        assert abs(row.completeness - expected) < allowed, sigmas
    # 2.9e-7 of 1.3 or 2.6 million pixels: 0.4 or 0.8 are expected; six have a chance below 1e-3.
    assert row.wrong < 6


def test_the_table_of_the_documentation_is_this_one() -> None:
    assert TABLE.read_text("utf-8") == as_markdown(rows().values())


def test_a_dead_amplifier_costs_the_others_nothing() -> None:
    planted = plant(TWO_ROWS, 99)
    flat = next(master for master in planted.masters if master.kind == "flat")
    dead = TWO_ROWS[3]
    whole = find_defects(planted.masters, TWO_ROWS)
    flat.image[dead.slices] = 0.001
    found = find_defects(planted.masters, TWO_ROWS)
    for window in TWO_ROWS:
        own = found.reasons[window.slices]
        if window == dead:
            assert np.all(own & int(Reason.DEAD_AMPLIFIER))
        else:
            assert np.array_equal(own, whole.reasons[window.slices])


@pytest.mark.parametrize("midline", ["level", "mask", "measure"])
def test_a_midline_that_collects_less_light(midline: str) -> None:
    planted = plant(TWO_ROWS, 98)
    for master in planted.masters:
        if master.kind == "flat":
            master.image[255:257] *= 0.7
    found = find_defects(planted.masters, TWO_ROWS, Settings(midline=midline))  # type: ignore[arg-type]
    rows_bad = found.bad[255:257]
    cold = (found.reasons[255:257] & int(Reason.COLD)) != 0
    known = np.logical_or.reduce([planted.truth[name][255:257] for name in planted.truth])
    match midline:
        case "level":
            assert np.array_equal(cold & ~known, np.zeros_like(cold))
        case "mask":
            assert rows_bad.all()
        case "measure":
            assert cold[~known].all()
