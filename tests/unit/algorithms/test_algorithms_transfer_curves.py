"""Photon transfer curves: derivatives, the covariance model against plain convolutions, and bad input."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import convolve2d

from fiducial.algorithms.gain_ratios import light_plane, tie_gains
from fiducial.algorithms.pair_covariances import pair_covariances
from fiducial.algorithms.ptc_covariance_fit import fit_covariances
from fiducial.algorithms.ptc_covariance_model import CovarianceModel, whole
from fiducial.algorithms.ptc_curve import TransferCurve
from fiducial.algorithms.ptc_fit import ReadNoise, fit_variances
from fiducial.algorithms.ptc_models import VarianceCurve, exponential_variance
from fiducial.algorithms.ptc_turnoff import find_turnoff
from transfer_curves import expected, matrices, measured, variances_only

MEANS = np.geomspace(100, 8e4, 24)


def curve(lags=1, seed=1, pixels=200_000, means=MEANS, gain=1.5, noise=6.0):
    covariances = expected(matrices(lags, gain, noise, 2e-6), means)
    return measured(np.random.default_rng(seed), means, covariances, pixels)


@pytest.mark.parametrize(
    ("form", "parameters"),
    [
        (VarianceCurve(), [1.5, -2e-6, 20.0]),
        (VarianceCurve(), [1.5, -1e-12, 20.0]),
        (VarianceCurve("polynomial", 3), [1.5, -2e-6, 1e-12, 20.0]),
        (VarianceCurve("polynomial", 1), [1.5, 20.0]),
        (VarianceCurve(rolloff=True), [1.5, -2e-6, 20.0, 6e4, 5e3]),
    ],
)
def test_derivatives_of_variance_curves(form, parameters):
    evaluate = form.evaluator(MEANS)
    _, derivatives = evaluate(np.array(parameters))
    assert derivatives.shape == (len(MEANS), form.size)
    for k, value in enumerate(parameters):
        step = np.zeros(form.size)
        step[k] = max(1e-4 * abs(value), 1e-10)
        change = (evaluate(parameters + step)[0] - evaluate(parameters - step)[0]) / (2 * step[k])
        # Third derivatives times the square of the step, and rounding.
        np.testing.assert_allclose(change, derivatives[:, k], rtol=1e-5, atol=1e-6 * np.abs(change).max())


def test_the_series_of_the_exponential_joins_the_closed_form():
    a = np.array([0.999e-3, 1.001e-3]) / (2 * 1.5 * 1e4)
    values, slopes = zip(*(exponential_variance(np.array([1e4]), 1.5, -one, 0.0) for one in a), strict=True)
    for pair, exact in ((values, 1e-12), (slopes, 1e-5)):
        change = pair[1] - pair[0] - (slopes[0][:, 1] * (a[0] - a[1]) if pair is values else 0)
        assert (np.abs(change) <= exact * 10 * np.abs(pair[0])).all()


@pytest.mark.parametrize("lags", [1, 2, 5])
def test_covariance_model_against_plain_convolutions(lags):
    truth = matrices(lags, 1.5, 6.0, 2e-6)
    a, ab = whole(truth.a), whole(truth.c)

    def quadrant(full):
        middle = full.shape[0] // 2
        return full[middle : middle + lags, middle : middle + lags]

    first = np.zeros((lags, lags))
    first[0, 0] = 1
    aa = convolve2d(a, a)
    for mean, found in zip(MEANS, expected(truth, MEANS), strict=True):
        n = truth.gain * mean
        terms = first + truth.a * n + 2 / 3 * (quadrant(aa) + truth.c) * n**2
        terms += (2 * quadrant(convolve2d(aa, a)) + 5 * quadrant(convolve2d(a, ab))) / 6 * n**3
        by_hand = mean / truth.gain * terms + truth.noise
        np.testing.assert_allclose(found, by_hand, rtol=1e-10, atol=1e-13 * by_hand[0, 0])


@pytest.mark.parametrize("with_c", [False, True])
def test_derivatives_of_the_covariance_model(with_c):
    truth = matrices(3, 1.5, 6.0, 2e-6)
    model = CovarianceModel(MEANS, 3, with_c=with_c)
    packed = truth.packed(with_c=with_c)
    products = model(packed)[1]
    rows = np.eye(9 * len(MEANS))
    derivatives = np.stack([products.slope(row) for row in rows])
    size = 9
    steps = np.concatenate([[1e-4], np.full(size, 1e-11), np.full(size, 1e-2), np.full(size, 1e-15)])
    for k in range(model.size):
        step = np.zeros(model.size)
        step[k] = steps[k]
        change = (model(packed + step)[0] - model(packed - step)[0]) / (2 * steps[k])
        np.testing.assert_allclose(
            change, derivatives[:, k], rtol=1e-4, atol=1e-5 * np.abs(derivatives[:, k]).max()
        )


@pytest.mark.parametrize("with_c", [False, True])
@pytest.mark.parametrize("lags", [1, 4])
def test_the_curvature_is_that_of_the_derivatives(lags, with_c):
    rng = np.random.default_rng(6)
    truth = matrices(lags, 1.5, 6.0, 2e-6)
    model = CovarianceModel(MEANS, lags, with_c=with_c, noise_weights=rng.uniform(1, 2, len(MEANS)))
    products = model(truth.packed(with_c=with_c))[1]
    derivatives = np.stack([products.slope(row) for row in np.eye(lags**2 * len(MEANS))])
    assert derivatives.shape[1] == model.size
    weights = rng.uniform(0.5, 2, len(derivatives))
    expected_one = derivatives.T @ (weights[:, None] * derivatives)
    scale = np.sqrt(np.diag(expected_one))
    # With 1 on the diagonal: sums of at most 16 * 16 terms of magnitude 1, each rounded by 2^-53.
    np.testing.assert_allclose(
        products.curvature(weights) / scale / scale[:, None],
        expected_one / scale / scale[:, None],
        atol=3e-14,
    )


def test_without_b_the_matrices_are_those_without_b():
    truth = matrices(3, 1.5, 6.0, 2e-6)
    truth = replace(truth, c=np.zeros((3, 3)))
    found = fit_covariances(
        measured(np.random.default_rng(3), MEANS, expected(truth, MEANS), 500_000), with_b=False
    )
    assert found.determined
    assert (np.abs(found.a - truth.a) < 4.5 * found.a_error).all()
    assert not found.b.any()
    assert found.freedom == 9 * len(MEANS) - 19
    assert 0.5 < np.median(found.a_bootstrap / found.a_error) < 1.5
    # A curve that bends by b does not fit without it.
    bent = measured(np.random.default_rng(3), MEANS, expected(matrices(3, 1.5, 6.0, 2e-6), MEANS), 5_000_000)
    assert fit_covariances(bent, with_b=False).chi2 > fit_covariances(bent).chi2 + 30


@pytest.mark.parametrize("order", [1, 2, 3])
def test_polynomials(order):
    gain, noise = 1.5, 4.0
    terms = np.array([-2e-6, 5e-12])[: order - 1]
    form = VarianceCurve("polynomial", order)
    variances = form.evaluator(MEANS)(np.array([gain, *terms, noise**2]))[0]
    found = fit_variances(
        measured(np.random.default_rng(4), MEANS, variances[:, None, None], 200_000), shape=form
    )
    assert found.gain == pytest.approx(gain, abs=4 * found.gain_error)
    assert found.noise == pytest.approx(gain * noise, abs=4 * found.noise_error)
    if order == 1:
        assert np.isnan(found.a00)
    else:
        assert found.a00 == pytest.approx(-2e-6, abs=4 * found.a00_error)


def test_a_curve_that_does_not_turn_off():
    found = find_turnoff(curve())
    assert not found.found
    assert found.level == MEANS[-1] or found.outliers.any()
    assert np.isnan(found.error)
    assert found.kept.sum() >= len(MEANS) - 1


def test_saturated_pairs_turn_off_and_a_bad_pair_is_an_outlier():
    one = curve()
    covariances = one.covariances.copy()
    covariances[-4:, 0, 0] *= [0.8, 0.3, 0.02, 0.001]
    covariances[9] *= 1.2
    shuffled = np.random.default_rng(5).permutation(len(MEANS))
    found = find_turnoff(TransferCurve(MEANS[shuffled], covariances[shuffled], one.counts[shuffled]))
    assert found.found
    assert found.level == MEANS[-5]
    assert found.error == pytest.approx(0.5 * (MEANS[-4] - MEANS[-5]))
    assert MEANS[shuffled][found.outliers] == [MEANS[9]]
    assert found.kept.sum() == len(MEANS) - 5


def test_noise_that_is_not_constrained():
    bright = curve(means=np.geomspace(2e4, 8e4, 12))
    alone = fit_variances(bright)
    assert alone.determined
    assert not alone.noise_constrained
    assert np.isnan(alone.noise)
    helped = fit_variances(bright, read_noise=ReadNoise(4.0, 0.05))
    assert not helped.noise_constrained
    assert helped.noise == pytest.approx(6.0, abs=0.3)
    assert helped.gain_error < alone.gain_error
    full = fit_covariances(curve(3, means=np.geomspace(2e4, 8e4, 12)), read_noise=ReadNoise(4.0, 0.05))
    assert not full.noise_constrained
    assert full.noise == pytest.approx(6.0, abs=0.3)


@pytest.mark.parametrize("form", [VarianceCurve(), VarianceCurve("polynomial", 2)])
def test_noise_that_counts_differently(form):
    weights = np.linspace(2, 3, len(MEANS))
    truth = matrices(2, 1.5, 6.0, 2e-6)
    model = CovarianceModel(MEANS, 2, noise_weights=weights)
    covariances = model(truth.packed(with_c=True))[0].reshape(-1, 2, 2)
    assert covariances[-1, 0, 1] - expected(truth, MEANS)[-1, 0, 1] == pytest.approx(2 * truth.noise[0, 1])
    weighted = replace(
        measured(np.random.default_rng(8), MEANS, covariances, 2_000_000), noise_weights=weights
    )
    for found in (fit_variances(weighted, shape=form), fit_covariances(weighted)):
        assert found.noise == pytest.approx(6.0, abs=4 * found.noise_error)
        assert found.noise_error < 0.2
    again = fit_variances(replace(weighted, noise_weights=None), shape=form)
    assert again.noise > 6.0 + 4 * again.noise_error


def with_means(means):
    return curve(2, means=np.asarray(means, float))


def saturated():
    one = curve(2)
    return TransferCurve(
        np.full(24, 65_000.0) * np.linspace(0.5, 1, 24), one.covariances * 0 + 1e-3, one.counts
    )


BAD = {
    "no pair": (lambda: TransferCurve.of([]), "no pair of flats is usable"),
    "few": (lambda: with_means([100, 1000, 9000]), "3 usable pairs"),
    "one level": (lambda: with_means(np.full(10, 5000.0)), "one level only"),
    "saturated": (saturated, "saturated"),
    "dead": (lambda: replace(with_means(MEANS), means=np.zeros(24)), "no light"),
    "nothing measured": (lambda: replace(with_means(MEANS), means=np.full(24, np.nan)), "no pair"),
    "no noise": (lambda: replace(with_means(MEANS), covariances=np.zeros((24, 2, 2))), "no pair"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_has_a_reason(name):
    make, reason = BAD[name]
    bad = make()
    for found in (fit_variances(variances_only(bad)), fit_covariances(bad)):
        assert not found.determined
        assert reason in found.reason
        assert np.isnan(found.gain)
        assert not found.kept.any()
    assert find_turnoff(bad).kept.shape == bad.means.shape


def test_pairs_that_say_nothing_are_left_out():
    rng = np.random.default_rng(6)
    pairs = []
    for level in [100, 1000, 3000, 6000, 10_000, 15_000]:
        pair = rng.poisson(level, (2, 100, 100)).astype(np.float32) + rng.normal(0, 3, (2, 100, 100))
        pairs.append(pair_covariances(*pair.astype(np.float32), max_lag=1))
    dead = np.full((2, 100, 100), np.nan, np.float32)
    pairs.insert(2, pair_covariances(*dead, max_lag=1))
    found = fit_variances(TransferCurve.of(pairs))
    assert found.kept.tolist() == [True, True, False, True, True, True, True]
    assert found.gain == pytest.approx(1.0, abs=5 * found.gain_error)
    assert np.isnan(found.model[2])


def test_gains_tied_by_flats():
    rng = np.random.default_rng(7)
    gains = np.array([1.5, 1.6, 1.7, 1.55, 1.65])
    levels = np.array([8000.0, 10_000, 12_000])[:, None] / gains
    levels[:, 3] = np.nan
    transfer = gains * rng.normal(1, 0.003, 5)
    transfer[1] *= 1.3  # an amplifier whose photon transfer is wrong
    found = tie_gains(levels, np.full(levels.shape, 3.0), transfer, np.full(5, 0.005))
    assert found.determined
    assert found.used.tolist() == [True, False, True, False, True]
    assert np.isnan(found.gains[3])
    known = [0, 1, 2, 4]
    np.testing.assert_allclose(found.gains[known] / gains[known], 1, atol=0.008)
    assert found.change[1] == pytest.approx(1 / 1.3 - 1, abs=0.01)
    nothing = tie_gains(np.full((2, 3), np.nan), np.ones((2, 3)), np.ones(3), np.ones(3))
    assert not nothing.determined
    assert nothing.reason
    lost = tie_gains(np.full((2, 3), 9e3), np.ones((2, 3)), np.full(3, np.nan), np.ones(3))
    assert "gain" in lost.reason


def test_a_plane_of_light_is_told_from_gains():
    rng = np.random.default_rng(9)
    places = np.array([[x, y] for y in (1000.0, 3000.0) for x in np.arange(8) * 500.0 + 250.0])
    light = 1.0 + 1e-4 * (places[:, 0] - 2000) - 5e-5 * (places[:, 1] - 2000)  # 20 per cent from side to side
    gains = rng.uniform(0.9, 1.1, 16)
    errors = np.full(16, 0.005)
    levels = np.geomspace(1e3, 5e4, 10)[:, None] * light / gains
    level_errors = 1e-4 * levels
    found = gains + errors * rng.standard_normal(16)
    plain = tie_gains(levels, level_errors, found, errors, most_change=np.inf)
    assert np.abs(plain.gains / gains - 1).max() > 0.05
    plane = light_plane(plain, found, errors, places)
    assert plane is not None
    tied = tie_gains(levels, level_errors, found, errors, light=plane, light_error=0.002)
    # Three numbers of the plane from 16 gains of half a per cent: leverage 0.3 at the corners.
    assert np.abs(tied.gains / gains - 1).max() < 4 * 0.005 * np.sqrt(0.3)
    assert np.std(tied.gains / gains) < 0.7 * np.std(found / gains)
    found[4:] = np.nan
    assert light_plane(plain, found, errors, places) is None
