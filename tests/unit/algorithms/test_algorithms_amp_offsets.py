"""Steps between amplifiers, and the offsets that explain them."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.algorithms.amp_offsets import Step, solve_offsets, step_at_edge
from fiducial.algorithms.pixel_noise import pixel_noise
from fiducial.algorithms.typical import typical_pixel


def strips(
    rng: np.random.Generator, step: float, *, slope: float = 0.0, inset: int = 0, noise: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """200 lines of 16 pixels on either side of an edge."""
    x = np.arange(16) + 0.5 + inset
    left, right = -slope * x[::-1] + np.zeros((200, 1)), step + slope * x + np.zeros((200, 1))
    return left + noise * rng.standard_normal(left.shape), right + noise * rng.standard_normal(left.shape)


def test_steps_are_unbiased_and_their_errors_right() -> None:
    rng = np.random.default_rng(21)
    found = [step_at_edge(*strips(rng, 3.0, slope=0.5, inset=2), 2) for _ in range(400)]
    pulls = np.array([(one[0] - 3.0) / one[1] for one in found if one is not None])
    assert len(pulls) == 400
    assert abs(pulls.mean()) < 5 / np.sqrt(400)
    # Known to 1 / sqrt(800) = 3.5 per cent; the error, from 29 points of profiles, varies by 13 per
    # cent, which makes pulls of a t-distribution a few per cent wider.
    assert pulls.std() == pytest.approx(1.0, abs=0.2)


def test_a_slope_is_no_step() -> None:
    height, _ = step_at_edge(*strips(np.random.default_rng(1), 0.0, slope=2.0, inset=3, noise=0.0), 3) or (
        9,
        9,
    )
    assert height == pytest.approx(0.0, abs=1e-9)


def test_stars_and_masked_pixels_do_not_count() -> None:
    rng = np.random.default_rng(2)
    left, right = strips(rng, 3.0, slope=0.5)
    clean = step_at_edge(left, right, 0)
    left[20:26, 3:9] += 500.0
    right[::7, 5] = np.nan
    left[100:120] = np.nan
    touched = step_at_edge(left, right, 0)
    assert clean is not None
    assert touched is not None
    assert abs(touched[0] - clean[0]) < 2 * clean[1]


def test_too_little_is_no_step() -> None:
    left, right = strips(np.random.default_rng(2), 3.0)
    left[4:] = np.nan
    assert step_at_edge(left, right, 0) is None
    left[:, :9] = np.nan
    assert step_at_edge(left, right, 0) is None


def test_offsets_of_a_detector() -> None:
    rng = np.random.default_rng(31)
    truth = rng.standard_normal(8)
    truth -= truth.mean()
    # Two rows of four amplifiers.
    pairs = [(i, i + 1) for i in (0, 1, 2, 4, 5, 6)] + [(i, i + 4) for i in range(4)]
    errors = rng.uniform(0.1, 0.3, len(pairs))
    pulls, chi2 = [], []
    for _ in range(500):
        steps = [
            Step(i, j, truth[j] - truth[i] + e * rng.standard_normal(), e)
            for (i, j), e in zip(pairs, errors, strict=True)
        ]
        found = solve_offsets(steps, 8)
        assert abs(found.offset.sum()) < 1e-9
        assert found.freedom == 3
        pulls.append((found.offset - truth) / found.error)
        chi2.append(found.chi2)
    # 4,000 pulls of 500 independent frames, about four free ones each; chi2 of 3 degrees has a variance of 6.
    assert np.std(pulls) == pytest.approx(1.0, abs=5 / np.sqrt(4000))
    assert np.mean(chi2) == pytest.approx(3.0, abs=5 * np.sqrt(6 / 500))


def test_groups_and_single_amplifiers() -> None:
    found = solve_offsets([Step(0, 1, 2.0, 0.1), Step(2, 3, 4.0, 0.1)], 5)
    assert found.offset == pytest.approx([-1.0, 1.0, -2.0, 2.0, 0.0])
    assert np.isnan(found.error).tolist() == [False] * 4 + [True]
    # Each has half the step: half its error.
    assert found.error[:4] == pytest.approx(0.05)
    assert found.freedom == 0
    nothing = solve_offsets([], 2)
    assert nothing.offset.tolist() == [0.0, 0.0]
    assert np.isnan(nothing.error).all()


def test_pixel_noise_does_not_see_slopes_or_stars() -> None:
    rng = np.random.default_rng(6)
    image = (0.5 * np.arange(300) + 4.0 * rng.standard_normal((300, 300))).astype(np.float32)
    image[100:104, 100:104] += 1e4
    usable = np.ones(image.shape, np.bool_)
    usable[:, 7] = False
    image[:, 7] = np.nan
    # Of 90,000 differences, half of them independent, by quantiles: about 0.5 per cent.
    assert pixel_noise(image, usable) == pytest.approx(4.0, rel=0.025)
    assert np.isnan(pixel_noise(image, np.zeros_like(usable)))


@pytest.mark.parametrize("statistic", ["median", "mean"])
def test_the_typical_pixel(statistic: str) -> None:
    rng = np.random.default_rng(7)
    image = (10.0 + 3.0 * rng.standard_normal((200, 200))).astype(np.float32)
    usable = np.ones(image.shape, np.bool_)
    usable[:50] = False
    image[:50] = 1e6
    image[60, 60] = np.nan
    found = typical_pixel(image, usable, "mean" if statistic == "mean" else "median")
    assert found is not None
    # 30,000 values: a median has an error of 1.2533 * 3 / 173, a variance by quantiles one of 1.5 per cent.
    assert found.value == pytest.approx(10.0, abs=5 * 1.2533 * 3 / 173)
    assert found.variance == pytest.approx(9.0, rel=5 * 0.015)
    assert typical_pixel(image, np.zeros_like(usable), "median") is None
