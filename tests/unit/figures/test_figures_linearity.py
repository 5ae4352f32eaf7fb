"""The figure of one amplifier's linearity says what it shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from figures_samples import words

from fiducial.algorithms.linearity_fit import fit_linearity, undetermined
from fiducial.algorithms.linearity_forms import spline_form
from fiducial.corrections.linearity_product import MeasuredLevels, linearizer_of
from fiducial.figures.encode import to_png
from fiducial.figures.linearity import draw_linearity
from fiducial.products.linearizer import Linearizer


def sample() -> Linearizer:
    times = np.geomspace(0.5, 60, 30)
    m = 1000 * times - 1e-7 * (1000 * times) ** 2
    m *= 1 + 1e-4 * np.random.default_rng(1).standard_normal(30)
    m[7] *= 1.01
    fit = fit_linearity(m, times, spline_form(m, maximum=5e4), stability=1e-4, maximum=5e4)
    assert fit.outlier.tolist().index(True) == 7
    signals = np.stack([m, np.zeros(30)], axis=1)
    return linearizer_of(
        [fit, undetermined("no signal: the amplifier is dead", 30)],
        ["A$1", "dead"],
        MeasuredLevels(range(30), times, signals, np.ones((30, 2))),
        detector=0,
        unit="adu",
        abscissa="exposure_time",
        metadata={},
    )


def test_a_known_correction_is_drawn_with_its_error_and_levels() -> None:
    figure = draw_linearity(sample(), "A$1")
    text = words(figure)
    for expected in (
        "Linearity of A$1",
        "correction (adu)",
        "signal (adu)",
        "residual (10⁻⁴)",
        "spline",
        "±1σ",
        "rejected",
        "not used",
        "0 by convention",
    ):
        assert expected in text, expected
    above, below = figure.axes
    curve = above.lines[0].get_ydata()
    assert np.ptp(curve) > 50
    low, high = below.get_ylim()
    assert -50 < low < -1
    assert 1 < high < 50
    assert to_png(figure).startswith(b"\x89PNG")


def test_an_unknown_correction_says_why() -> None:
    text = words(draw_linearity(sample(), "dead"))
    assert "no signal: the amplifier is dead" in text
    assert "±1σ" not in text
    nothing = replace(sample(), exposures=np.zeros(0, np.int64))
    with pytest.raises(KeyError):
        draw_linearity(nothing, "B")
