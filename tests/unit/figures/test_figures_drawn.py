"""Every figure is a Figure whose axes say what they show, with units."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from figures_samples import SHAPE, amplifiers, camera, noise, words
from matplotlib import _pylab_helpers
from matplotlib.figure import Figure

from fiducial.figures.comparison import draw_comparison
from fiducial.figures.focal_plane import draw_focal_plane, on_focal_plane, places
from fiducial.figures.histogram import draw_histogram
from fiducial.figures.master import draw_master
from fiducial.figures.outline import read_corner
from fiducial.figures.residuals import draw_residuals
from fiducial.figures.timeline import TimeAxis, Track, draw_timeline
from fiducial.figures.uncertainty import draw_uncertainty


def track(name: str, **changes: object) -> Track:
    n = 6
    values: dict[str, object] = {
        "mjd": 61000.1 + np.arange(n) / 1440.0,
        "value": np.array([0.9, 0.1, -0.1, 0.05, 0.0, 0.8]),
        "uncertainty": np.full(n, 0.02),
        "limit": np.full(n, 0.5),
        "limit_low": np.full(n, -0.4),
        "role": np.array(["first", "input", "input", "held_out", "other_day", "input"], dtype=object),
        "outcome": np.array(["shown", "pass", "pass", "pass", "pass", "fail"], dtype=object),
    }
    return Track(name=name, **(values | changes))


def images() -> dict[str, Figure]:
    """One figure of each kind."""
    edges = np.linspace(-10, 10, 101)
    return {
        "master": draw_master(noise(1), amplifiers(), quantity="dark rate", unit="electron / s"),
        "uncertainty": draw_uncertainty(noise(2) ** 2, noise(3) > 2, amplifiers(), unit="electron"),
        "residuals": draw_residuals(
            [noise(4), noise(5)], ["one", "two"], amplifiers(), shape=SHAPE, block=(1, 1), unit="adu"
        ),
        "comparison": draw_comparison(1 + noise(6), 1 + noise(7), amplifiers(), unit="adu"),
        "focal plane": draw_focal_plane(
            camera(0, 1), {0: noise(8), 1: noise(9)}, quantity="bias", unit="adu", marked=frozenset({1})
        ),
        "timeline": draw_timeline([track("A"), track("B")], quantity="mean residual", unit="electron"),
        "histogram": draw_histogram(edges, {"all": np.histogram(noise(10), edges)[0]}),
    }


EXPECTED = {
    "master": ["x (pixel)", "y (pixel)", "dark rate (electron / s)", "left", "right$1"],
    "uncertainty": ["1σ of a pixel (electron)", "masked (% of the pixels)"],
    "residuals": ["residual (adu)", "one", "two"],
    "comparison": ["difference (adu)", "ratio − 1 (%)"],
    "focal plane": ["focal plane x (mm)", "focal plane y (mm)", "bias (adu)", "D0", "! D1"],
    "timeline": ["mean residual (electron)", "time (TAI, ", "A", "B", "limit", "fails", "other day"],
    "histogram": ["z = residual / expected noise (σ)", "density (1/σ)", "unit Gaussian", "all"],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_figures_say_what_they_show(name):
    figure = images()[name]
    assert isinstance(figure, Figure)
    written = words(figure)
    for text in EXPECTED[name]:
        assert text in written


def test_figures_leave_no_global_state_behind():
    before = dict(mpl.rcParams)
    images()
    assert dict(mpl.rcParams) == before
    assert not _pylab_helpers.Gcf.figs  # nothing was made through pyplot


def test_timeline_draws_limits_on_both_sides_and_rings_failures():
    figure = draw_timeline([track("A")], quantity="level", unit="adu")
    heights = [np.unique(np.asarray(line.get_ydata())) for line in figure.axes[0].lines]
    assert any(len(h) == 1 and h[0] == 0.5 for h in heights)
    assert any(len(h) == 1 and h[0] == -0.4 for h in heights)
    rings = [line for line in figure.axes[0].lines if line.get_markersize() == 9.5]
    assert [list(ring.get_ydata()) for ring in rings] == [[0.8]]


def test_timeline_names_a_first_exposure_far_beyond_the_others():
    far = track("A", value=np.array([50.0, 0.1, -0.1, 0.05, 0.0, 0.1]))
    figure = draw_timeline([far], quantity="level", unit="adu")
    assert figure.axes[0].get_ylim()[1] < 2.0
    assert "50" in words(figure).split("\n")


def test_timeline_of_one_exposure_and_of_no_bounds():
    nothing = np.array([np.nan])
    single = Track(
        "A",
        mjd=np.array([61000.0]),
        value=np.array([1.0]),
        uncertainty=nothing,
        limit=nothing,
        limit_low=nothing,
        role=np.array(["input"], dtype=object),
        outcome=np.array(["shown"], dtype=object),
    )
    low, high = draw_timeline([single], quantity="gain", unit="electron / adu").axes[0].get_ylim()
    assert low < 1.0 < high


def test_time_axis_cuts_the_gaps_between_nights_and_keeps_time_within_them():
    night = 61000.0 + np.array([0.0, 10.0, 60.0]) / 1440.0
    mjd = np.concatenate((night, night + 30.0))
    axis = TimeAxis.of(mjd)
    place = axis.place(mjd)
    assert list(axis.begin) == [61000.0, 61030.0]
    # hours since the session's begin; MJD near 61000 resolve 1e-11 day
    np.testing.assert_allclose(np.diff(place[:3]), [10 / 60, 50 / 60], atol=1e-8)
    np.testing.assert_allclose(np.diff(place[3:]), [10 / 60, 50 / 60], atol=1e-8)
    assert place[2] < place[3] < place[2] + 1.0  # thirty days take less than an hour's room


@pytest.mark.parametrize(("turns", "corner"), [(0, (0, -1)), (1, (-1, -1)), (2, (-1, 0)), (3, (0, 0))])
def test_quarter_turns_are_counter_clockwise_with_rows_upwards(turns, corner):
    image = np.zeros((3, 5))
    image[0, -1] = 1.0  # lower right
    turned = on_focal_plane(image, turns)
    assert turned.shape == ((3, 5) if turns % 2 == 0 else (5, 3))
    assert turned[corner] == 1.0  # lower right, upper right, upper left, lower left


def test_focal_plane_places_turned_detectors_about_their_centres():
    boxes, known = places(camera(0, 1))
    assert known
    # 60 x 40 pixels of 10 um are 0.6 x 0.4 mm
    np.testing.assert_allclose(boxes[0], (-0.3, 1.8, 0.6, 0.4))
    np.testing.assert_allclose(boxes[1], (0.8, 1.7, 0.4, 0.6))


def test_focal_plane_without_positions_sets_detectors_side_by_side_and_says_so():
    one = camera(0, 0, 0, apart=False)
    boxes, known = places(one)
    assert not known
    corners = {box[:2] for box in boxes.values()}
    assert len(corners) == 3
    assert "side by side, not to place" in words(draw_focal_plane(one, {0: noise(1)}, quantity="q", unit="u"))


def test_read_corner_follows_the_flip_of_the_amplifier():
    left, right = amplifiers()
    assert read_corner(left) == (False, False)
    assert read_corner(right) == (True, False)


@pytest.mark.parametrize("shape", [(40, 400), (400, 40)])
def test_long_detectors_keep_their_proportions(shape):
    figure = draw_residuals(
        [noise(1, shape)] * 2, ["a", "b"], amplifiers(), shape=shape, block=(1, 1), unit="adu"
    )
    figure.canvas.draw()
    place = figure.axes[0].get_window_extent()
    assert place.height / place.width == pytest.approx(shape[0] / shape[1], rel=0.02)


def test_images_of_nothing_but_masked_pixels_can_be_drawn():
    empty = np.full(SHAPE, np.nan, dtype=np.float32)
    none = np.zeros(SHAPE, dtype=bool)
    assert draw_master(empty, amplifiers(), quantity="q", unit="", usable=none).axes
    assert draw_uncertainty(empty, ~none, amplifiers(), unit="").axes
    assert draw_comparison(empty, empty, amplifiers(), unit="", usable=none).axes
    assert draw_residuals([empty], ["t"], amplifiers(), shape=SHAPE, block=(1, 1), unit="").axes
