"""Figures inside a page: PNG, data URIs and SVG that brings nothing of its own."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from figures_samples import SHAPE, amplifiers, noise, parse
from PIL import Image

from fiducial.figures.display import block_for, block_fraction, block_mean
from fiducial.figures.encode import palette_png, to_data_uri, with_fewer_bytes
from fiducial.figures.master import draw_master
from fiducial.figures.residuals import draw_residuals
from fiducial.figures.style import diverging, sequential, stretch, symmetric_stretch
from fiducial.figures.svg import to_inline_svg


def test_block_mean_leaves_out_what_is_masked_and_keeps_the_edges():
    image = np.arange(12.0).reshape(3, 4)
    usable = np.ones((3, 4), dtype=bool)
    usable[0, 0] = usable[2, 2] = usable[2, 3] = False
    image[0, 1] = np.nan
    expected = [[(4 + 5) / 2, (2 + 3 + 6 + 7) / 4], [(8 + 9) / 2, np.nan]]
    np.testing.assert_allclose(block_mean(image, 2, usable), expected)


def test_block_fraction_counts():
    chosen = np.zeros((4, 4), dtype=bool)
    chosen[0, 0] = True
    np.testing.assert_allclose(block_fraction(chosen, 2), [[0.25, 0], [0, 0]])


@pytest.mark.parametrize(
    ("shape", "largest", "block"), [((100, 30), 100, 1), ((101, 30), 100, 2), ((5, 9), 3, 3)]
)
def test_block_for_brings_the_longer_side_down(shape, largest, block):
    assert block_for(shape, largest) == block


def test_stretch_is_never_empty():
    assert stretch(np.full((4, 4), np.nan)) == (0.0, 1.0)
    for constant in (0.0, 7.0, -3.0):
        low, high = stretch(np.full((4, 4), constant))
        assert low < constant < high
    assert symmetric_stretch(np.zeros((3, 3))) == 1.0
    assert symmetric_stretch(np.array([np.nan])) == 1.0


def test_stretch_is_not_led_by_hot_pixels():
    image = np.random.default_rng(5).normal(10.0, 1.0, (200, 200))
    image.ravel()[::60] = 5000.0  # 1.7 percent: more than the upper percentile leaves out
    low, high = stretch(image)
    assert 3.9 < low < 8.0
    assert 12.0 < high < 16.5  # six sigma, widened a little by the hot pixels themselves


def test_palette_png_keeps_orientation_order_and_gaps():
    image = np.array([[-1.0, 0.0], [np.nan, 2.0]])
    png = Image.open(io.BytesIO(palette_png(image, diverging(), -1.0, 1.0))).convert("RGBA")
    pixels = np.asarray(png)
    lower_left, lower_right = pixels[1]
    upper_left, upper_right = pixels[0]
    assert upper_left[3] == 0  # not-a-number is clear
    assert lower_left[2] > lower_left[0]  # below zero: blue
    assert upper_right[0] > upper_right[2]  # above zero, and beyond the scale: red
    assert lower_right[:3].min() > 235  # zero: near white


def test_fewer_bytes_are_the_same_pixels():
    colours = np.array([[1, 2, 3, 255], [9, 8, 7, 255], [0, 0, 0, 0]], dtype=np.uint8)
    pixels = colours[np.random.default_rng(3).integers(0, 3, (20, 30))]
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    address = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    shrunk = with_fewer_bytes(address)
    assert len(shrunk) < len(address)
    again = Image.open(io.BytesIO(base64.b64decode(shrunk.split(",")[1])))
    assert again.mode == "P"
    np.testing.assert_array_equal(np.asarray(again.convert("RGBA")), pixels)


def test_fewer_bytes_leaves_alone_what_has_too_many_colours():
    pixels = np.random.default_rng(4).integers(0, 255, (30, 30, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    address = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    assert with_fewer_bytes(address) == address


def test_data_uri_holds_a_png_of_the_figure():
    uri = to_data_uri(draw_master(noise(1), amplifiers(), quantity="q", unit="adu"), dots_per_inch=50)
    picture = Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/png;base64,"))))
    assert picture.format == "PNG"
    assert picture.width > 300


def svg_of(name: str) -> str:
    figure = draw_residuals([noise(1)], ["<b>& title"], amplifiers(), shape=SHAPE, block=(1, 1), unit="adu")
    return to_inline_svg(figure, name=name, title="what <it> is", description="what is & seen")


def test_svg_is_well_formed_described_and_self_contained():
    svg = svg_of("f1")
    root = parse(svg)
    assert root.tag == "svg"
    assert root.attrib["role"] == "img"
    assert root.find("title").text == "what <it> is"
    assert root.find("desc").text == "what is & seen"
    assert "<b>& title" in [text.text for text in root.iter("text")]
    assert "http" not in svg
    addresses = [element.get("href") for element in root.iter() if element.get("href")]
    assert any(address.startswith("data:image/png;base64,") for address in addresses)
    assert all(address.startswith(("data:image/png;base64,", "#f1-")) for address in addresses)


def test_svg_images_fill_their_axes():
    figure = draw_master(noise(1, (37, 611)), amplifiers(), quantity="q", unit="adu")
    root = parse(to_inline_svg(figure, name="f1", title="t", description="d"))
    image = root.find(".//image")
    across, _, _, down, *_ = (float(part) for part in re.findall(r"-?[\d.]+", image.get("transform")))
    box = figure.axes[0].get_position()
    width, height = figure.get_size_inches() * 72.0
    # The scale has six decimals: over 611 pixels that is 0.0006 points.
    assert across * float(image.get("width")) == pytest.approx(box.width * width, abs=1e-3)
    assert -down * float(image.get("height")) == pytest.approx(box.height * height, abs=1e-3)


def test_svg_styles_nothing_outside_itself():
    rules = "".join(style.text for style in parse(svg_of("f1")).iter("style"))
    selectors = re.findall(r"([^{}]+)\{", rules)
    assert selectors
    assert all(re.fullmatch(r"\.f1-\d+", selector) for selector in selectors)


def test_svg_ids_of_two_figures_differ_and_every_reference_has_its_target():
    trees = [parse(svg_of(name)) for name in ("f1", "f2")]
    ids = [{element.get("id") for element in tree.iter() if element.get("id")} for tree in trees]
    assert not ids[0] & ids[1]
    for tree, own in zip(trees, ids, strict=True):
        text = " ".join(value for element in tree.iter() for value in element.attrib.values())
        text += " ".join(style.text for style in tree.iter("style"))
        assert set(re.findall(r"url\(#([^)]+)\)", text)) <= own
        assert {e.get("href")[1:] for e in tree.iter() if (e.get("href") or "").startswith("#")} <= own


def test_svg_follows_the_colours_and_font_of_the_page():
    rules = "".join(style.text for style in parse(svg_of("f1")).iter("style"))
    assert "var(--ink, " in rules
    assert "var(--figure-font" in rules
    assert "DejaVu" not in rules


def test_colour_maps_hold_so_few_colours_that_a_palette_holds_them():
    assert sequential().N <= 255
    assert diverging().N <= 255
    assert diverging().N % 2 == 1  # zero has a colour of its own
