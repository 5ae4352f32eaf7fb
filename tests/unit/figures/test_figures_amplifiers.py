"""Figures of many amplifiers, and the map of defects, say what they show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from figures_samples import amplifiers, words
from test_figures_linearity import sample as linearizer
from test_figures_ptc import sample as transfer

from fiducial.figures.amplifier_sheet import curve_sheet
from fiducial.figures.amplifier_values import AmplifierValues, draw_amplifier_values
from fiducial.figures.defect_map import Layer, draw_defect_map, paint_layers
from fiducial.figures.encode import to_png
from fiducial.figures.linearity_sheet import draw_linearity_sheet
from fiducial.figures.ptc_sheet import draw_area_changes, draw_transfer_sheet


def test_a_value_far_from_all_others_stands_on_the_edge_with_its_number() -> None:
    value = np.array([1.5, 1.51, 1.49, 97.5, np.nan])
    panel = AmplifierValues("gain", "electron/adu", value, np.full(5, 0.01))
    nothing = AmplifierValues("turn-off", "adu", np.full(5, np.nan), np.full(5, np.nan))
    figure = draw_amplifier_values(
        ["A", "B$1", "C", "D", "E"], [panel, nothing], missing=frozenset("E"), failed=frozenset("D")
    )
    (axes,) = figure.axes  # a panel without a value is left out
    text = words(figure)
    assert "gain (electron/adu)" in text
    assert "97.5" in text
    assert "not determined" in text
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["A", "B$1", "C", "! D", "✕ E"]
    low, high = axes.get_xlim()
    assert 1.4 < low < 1.49
    assert 1.51 < high < 1.6


def test_amplifiers_of_which_nothing_is_known_are_drawn_all_the_same() -> None:
    nothing = AmplifierValues("gain", "", np.array([np.nan]), np.array([np.nan]))
    assert "not determined" in words(draw_amplifier_values(["A"], [nothing], missing=frozenset("A")))


@pytest.mark.parametrize(("number", "columns"), [(1, 1), (3, 3), (16, 4)])
def test_a_sheet_has_two_axes_an_amplifier(number: int, columns: int) -> None:
    sheet = curve_sheet(number)
    assert (len(sheet.upper), len(sheet.lower)) == (number, number)
    lefts = {round(axes.get_position().x0, 6) for axes in sheet.upper}
    assert len(lefts) == columns
    boxes = [axes.get_position() for axes in (*sheet.upper, *sheet.lower)]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_curves_of_all_amplifiers_have_the_same_axes() -> None:
    product = transfer("covariance")
    figure = draw_transfer_sheet(product, failed=frozenset({"A$1"}))
    text = words(figure)
    for part in (
        "! A$1   1.5",
        "dead",
        "no pair of",
        "mean (adu)",
        "variance (adu²)",
        "residual (σ)",
        "turn-off",
    ):
        assert part in text, part
    assert len({axes.get_xlim() for axes in figure.axes}) == 1
    assert to_png(figure).startswith(b"\x89PNG")
    assert "a (10⁻⁶ / electron)" in words(draw_area_changes(product))


def test_corrections_of_all_amplifiers_have_the_same_axes() -> None:
    figure = draw_linearity_sheet(linearizer())
    text = words(figure)
    for part in ("A$1", "no signal: the", "signal (adu)", "correction (adu)", "residual (10⁻⁴)", "rejected"):
        assert part in text, part
    assert len({axes.get_xlim() for axes in figure.axes}) == 1
    assert to_png(figure).startswith(b"\x89PNG")
    only = replace(linearizer(), amplifiers=linearizer().amplifiers[1:])
    assert "no signal" in words(draw_linearity_sheet(only))


def test_boxes_are_painted_where_they_are_and_later_layers_win() -> None:
    wide = Layer("wide", "#ff0000", np.array([[0, 0, 4, 2]], np.int32))
    single = Layer("single", "#0000ff", np.array([[1, 1, 1, 1]], np.int32))
    image = paint_layers([wide, single], (6, 8), 1)
    assert image.shape == (6, 8, 4)
    assert image[1, 1].tolist() == [0, 0, 255, 255]
    assert image[0, 3].tolist() == [255, 0, 0, 255]
    assert np.count_nonzero(image[..., 3]) == 8
    coarse = paint_layers([single], (60, 80), 10)
    assert np.count_nonzero(coarse[..., 3]) == 4  # a single pixel is drawn so that it is seen
    corner = Layer("corner", "#00ff00", np.array([[79, 59, 1, 1]], np.int32))
    assert paint_layers([corner], (60, 80), 10)[5, 7, 3] == 255


def test_the_map_names_amplifiers_and_what_is_there() -> None:
    none = np.zeros((0, 4), np.int32)
    layers = [
        Layer("hot: 1", "#d55e00", np.array([[3, 4, 1, 1]], np.int32)),
        Layer("cold: 0", "#0072b2", none),
    ]
    text = words(draw_defect_map(layers, (40, 60), amplifiers()))
    for part in ("x (pixel)", "y (pixel)", "left", "right$1", "hot: 1"):
        assert part in text, part
    assert "cold" not in text
    assert "left" in words(draw_defect_map([], (40, 60), amplifiers()))
