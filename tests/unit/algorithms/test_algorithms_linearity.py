"""Linearity: models, forms, fits, and what they say of data that tell nothing."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.algorithms.fixed_pattern import variance_without_pattern
from fiducial.algorithms.light_level import light_level
from fiducial.algorithms.linearity_double import fit_double_spline
from fiducial.algorithms.linearity_fit import LinearityFit, fit_linearity
from fiducial.algorithms.linearity_forms import LookupForm, PolynomialForm, SplineForm, spline_form
from fiducial.algorithms.linearity_groups import illumination_groups
from fiducial.algorithms.linearity_models import (
    TABLE_SIZE,
    DoubleSpline,
    LinearityModel,
    LookupTable,
    Polynomial,
    Proportional,
    Spline,
    apply_linearity,
    tabulate,
)
from fiducial.algorithms.linearity_turnoff import LinearTurnOff, linear_turnoff

NODES = np.array([0.0, 2e3, 1e4, 3e4, 6e4, 1e5])
SPLINE = Spline(NODES, 1e-6 * NODES**2 * (1 - NODES / 2e5))
SQUARED = Polynomial(np.array([0.0, 2e-7]), 1e5)
CUBIC = Polynomial(np.array([-5e-3, 1e-7, 1e-12]), 1e5)
MODELS: tuple[LinearityModel, ...] = (
    SPLINE,
    SQUARED,
    CUBIC,
    LookupTable(np.array([0.0, 1.0, 5.0, 6.0]), 1000.0),
    DoubleSpline(SPLINE, CUBIC, 0.9),
    Proportional(),
)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
def test_an_image_is_corrected_as_the_model_says(model: LinearityModel) -> None:
    rng = np.random.default_rng(1)
    signal = np.concatenate([rng.uniform(-50, 1.2e5, 70_000), [0.0, 1e5, np.inf]]).astype(np.float32)
    corrected = apply_linearity(model, signal)
    assert corrected.dtype == np.float32
    # A table of steps h is off by h^2 / 8 of the second derivative, at most 4e-6: 2e-5 for steps of 6; at
    # an edge of the lookup table by its kink. float32 holds 1e5 to 0.004, and three operations add up.
    kink = 6.2 * 8e-3 if model.kind in ("lookup", "double_spline") else 0.0
    finite = signal[:-1]
    expected = finite + model.correction(finite)
    np.testing.assert_allclose(corrected[:-1], expected, rtol=0, atol=0.02 + kink)
    assert np.isinf(corrected[-1])


def test_noise_at_the_largest_signal_is_corrected_whole() -> None:
    """Of a curve that stopped at its maximum half of the pixels there would keep the scatter they had."""
    model = Polynomial(np.array([0.0, 2e-6]), 50_000.0)
    noise = np.random.default_rng(5).normal(0.0, 200.0, 100_000)
    image = apply_linearity(model, 50_000.0 + noise)
    # The scatter of so many values is known to 0.2 per cent; the slope varies by 0.1 per cent over them.
    assert image.std() == pytest.approx(noise.std() * (1 + 2 * 2e-6 * 50_000.0), rel=2e-3)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
def test_models_are_zero_at_zero_go_on_below_and_stop_above(model: LinearityModel) -> None:
    assert model.correction(np.array([0.0]))[0] == 0
    tiny = np.array([-1.0, 1.0]) * 1e-3
    below, above = model.correction(tiny)
    assert below == pytest.approx(-above, rel=1e-3, abs=1e-9)
    if np.isfinite(model.maximum) and model.kind != "double_spline":
        at = np.array([1 - 1e-6, 1.0, 1.05, 1.1, 1.5]) * model.maximum
        before, end, beyond, last, far = model.correction(at)
        slope = (end - before) / (at[1] - at[0])
        assert beyond == pytest.approx(end + 0.05 * model.maximum * slope, rel=1e-4)
        assert last == pytest.approx(far, rel=1e-12) != 0


def test_nan_stays_nan_and_shapes_stay() -> None:
    image = np.full((3, 5), 1e4)
    image[1, 2] = np.nan
    before = image.copy()
    corrected = apply_linearity(SQUARED, image)
    assert corrected.shape == (3, 5)
    assert np.argwhere(np.isnan(corrected)).tolist() == [[1, 2]]
    np.testing.assert_array_equal(image, before)
    np.testing.assert_allclose(corrected[0], 1e4 + 2e-7 * 1e8, rtol=1e-6)
    assert apply_linearity(SQUARED, np.zeros((0, 4), np.float32)).shape == (0, 4)


def test_noise_about_zero_gains_no_mean() -> None:
    noise = np.random.default_rng(2).normal(0, 5, 400_000)
    noise -= noise.mean()
    corrected = apply_linearity(CUBIC, noise).astype(float)
    # A curve cut at zero would add 5e-3 x 0.4 x 5 = 0.01.
    assert abs(corrected.mean()) < 1e-4


def test_tables_of_other_models() -> None:
    table = tabulate(SPLINE, 1.0)
    assert len(table.values) == 100_001
    at = np.linspace(0, 1e5, 777)
    np.testing.assert_allclose(table.correction(at), SPLINE.correction(at), atol=1e-5)
    assert tabulate(Proportional(), 1.0).correction(np.array([5e4])) == 0
    assert TABLE_SIZE >= 1 << 14


@pytest.mark.parametrize("reference", [0.0, 3e4, 1e5])
@pytest.mark.parametrize("kind", ["polynomial", "spline", "lookup"])
def test_forms_keep_their_convention(kind: str, reference: float) -> None:
    plain = PolynomialForm(4, 1e5, reference) if kind == "polynomial" else SplineForm(NODES, reference)
    form = LookupForm(plain, 1.0) if kind == "lookup" else plain
    rng = np.random.default_rng(3)
    coefficients = rng.normal(0, 100, form.unknowns)
    model = form.model(coefficients)
    at = np.linspace(0, 1e5, 333)
    np.testing.assert_allclose(model.correction(at), form.design(at) @ coefficients, atol=2e-4)
    assert form.reference == reference
    assert model.correction(np.array(0.0)) == pytest.approx(0, abs=1e-9)
    if reference:
        assert model.correction(np.array(reference)) == pytest.approx(0, abs=2e-4)
    else:
        assert model.correction(np.array(1.0)) == pytest.approx(0, abs=0.1 if kind == "lookup" else 0.01)
    assert np.linalg.matrix_rank(form.design(at)) == form.unknowns


def test_nodes_are_where_the_data_are() -> None:
    signal = np.geomspace(100, 8e4, 40)
    form = spline_form(np.append(signal, [np.nan, -5.0, 2e5]), count=9, maximum=1e5)
    assert form.nodes[0] == 0
    assert form.nodes[-1] == pytest.approx(8e4)
    counts, _ = np.histogram(signal, form.nodes)
    assert len(form.nodes) == 9
    assert counts.min() >= 4
    assert len(spline_form(signal[:9], count=9).nodes) == 5  # three levels for each unknown
    assert form.reference == pytest.approx(4e4)


def ramp(n: int = 40, k: float = 1000.0) -> tuple[np.ndarray, np.ndarray]:
    """Times, and signals that want 2e-7 m^2 more, without noise."""
    times = np.geomspace(0.5, 80, n)
    true = k * times
    return (np.sqrt(1 + 4 * 2e-7 * true) - 1) / (2 * 2e-7), times


def test_a_fit_without_noise_finds_the_truth() -> None:
    m, t = ramp()
    fit = fit_linearity(m, t, PolynomialForm(2, 8e4), stability=1e-6)
    assert fit.determined
    assert fit.model.kind == "squared"
    assert isinstance(fit.model, Polynomial)
    assert fit.model.coefficients[1] == pytest.approx(2e-7, rel=1e-6)
    assert fit.scale[0] == pytest.approx(1000.0, rel=1e-8)
    assert np.abs(fit.residual).max() < 1e-8
    assert fit.used.all()


def test_outliers_are_rejected_and_named_also_at_the_ends() -> None:
    rng = np.random.default_rng(5)
    m, t = ramp()
    m *= 1 + 2e-4 * rng.standard_normal(len(m))
    wrong = [0, 17, 30, 39]
    for bad in wrong:
        m[bad] *= 1.02
    for stability in (2e-4, None):
        fit = fit_linearity(m, t, spline_form(m, count=7), stability=stability)
        assert fit.determined
        assert np.flatnonzero(fit.outlier).tolist() == wrong
        assert fit.residual[17] == pytest.approx(0.02, abs=2e-3)
        assert fit.stability == pytest.approx(2e-4, rel=0.4)
        assert not (fit.used & fit.outlier).any()


def test_levels_above_the_turn_off_do_not_count() -> None:
    m, t = ramp()
    m = np.minimum(m, 5e4)
    fit = fit_linearity(m, t, PolynomialForm(2, 5e4), stability=1e-5, maximum=4.99e4)
    assert fit.determined
    assert fit.used.tolist() == (m < 4.99e4).tolist()
    assert isinstance(fit.model, Polynomial)
    assert fit.model.coefficients[1] == pytest.approx(2e-7, rel=1e-6)
    assert fit.residual[-1] < -0.3  # it is shown all the same


def test_an_offset_is_told_where_it_is_asked_for() -> None:
    m, t = ramp()
    fit = fit_linearity(m + 25.0, t, PolynomialForm(2, 8e4), stability=1e-7, offset=True)
    # The correction of m + 25 is not quite that of m: 2e-7 (2 m 25), one part in 1e5 of the signal.
    assert fit.offset == pytest.approx(25.0, abs=0.05)
    assert fit.offset_error > 0
    refused(fit_linearity(m + 25.0, t, PolynomialForm(2, 8e4), stability=1e-7), "outliers")


def test_groups_have_scales_of_their_own() -> None:
    m, t = ramp()
    lamps = np.arange(40) % 2
    t = np.where(lamps == 1, t, 7.0 * t)
    found = illumination_groups(m, t)
    np.testing.assert_array_equal(found, lamps)
    fit = fit_linearity(m, t, PolynomialForm(2, 8e4), stability=1e-6, groups=found)
    np.testing.assert_allclose(fit.scale, [1000 / 7, 1000], rtol=1e-7)
    odd = illumination_groups(np.append(m, [np.nan, -1.0]), np.append(t, [1.0, 2.0]))
    assert odd[-2:].tolist() == [-1, -1]
    assert illumination_groups(np.zeros(0), np.zeros(0)).shape == (0,)


def test_a_group_outside_the_turn_off_has_no_scale() -> None:
    m, t = ramp()
    groups = (m > 6e4).astype(int) * 3
    fit = fit_linearity(m, t, PolynomialForm(2, 8e4), stability=1e-6, groups=groups, maximum=6e4)
    assert fit.labels.tolist() == [0]
    assert np.isnan(fit.residual[groups == 3]).all()
    assert np.isfinite(fit.residual[groups == 0]).all()


def refused(fit: LinearityFit, why: str) -> None:
    assert not fit.determined
    assert why in fit.reason
    assert isinstance(fit.model, Proportional)
    assert np.isnan(fit.correction_error(np.array([1e4]))).all()
    assert not fit.used.any()


def test_data_that_tell_nothing_say_why() -> None:
    m, t = ramp()
    form = PolynomialForm(2, 8e4)
    nan = np.full(40, np.nan)
    refused(fit_linearity(nan, t, form, stability=1e-3), "no level has a finite signal")
    refused(fit_linearity(m, nan, form, stability=1e-3), "no level has a finite signal")
    refused(fit_linearity(m[:0], t[:0], form, stability=1e-3), "no level has a finite signal")
    refused(fit_linearity(m, t, form, error=nan, stability=1e-3), "known error")
    refused(fit_linearity(m, t, form, stability=1e-3, maximum=100.0), "saturated")
    refused(fit_linearity(np.full(40, m[20]), np.full(40, t[20]), form, stability=1e-3), "one level only")
    refused(fit_linearity(m[:2], t[:2], form), "2 levels that differ do not tell 2 unknowns")
    refused(fit_linearity(m[:3], t[:3], PolynomialForm(5, 8e4), stability=1e-3), "do not tell 5 unknowns")
    dead = np.random.default_rng(1).normal(0, 0.01, 40)
    refused(fit_linearity(dead, t, form, error=0.01, stability=1e-3), "dead")
    refused(fit_linearity(np.zeros(40), t, form, stability=1e-3), "dead")
    refused(fit_linearity(-m, t, form, stability=1e-3), "dead")


def test_a_lamp_that_does_not_follow_the_clock_is_told() -> None:
    m, t = ramp()
    jumps = np.random.default_rng(6).permutation(40) < 12
    refused(fit_linearity(np.where(jumps, 1.3 * m, m), t, PolynomialForm(2, 8e4), stability=1e-4), "outliers")


def test_groups_that_share_few_signals_have_larger_errors() -> None:
    m, t = ramp(60)
    form, at = spline_form(m, count=12), np.array([2e3])
    one, apart, mixed = (
        fit_linearity(m, t, form, stability=1e-4, groups=groups).correction_error(at)[0]
        for groups in (np.zeros(60), m > 1e4, np.arange(60) % 2)
    )
    assert mixed < 1.3 * one
    assert apart > 2 * one


def test_a_curve_with_nodes_beyond_the_data_is_told() -> None:
    m, t = ramp()
    form = SplineForm(np.array([0.0, 1e4, 4e4, 8e4, 2e5, 3e5, 4e5, 5e5]), 4e4)
    refused(fit_linearity(m, t, form, stability=1e-4), "parts of the curve free")


def test_nan_columns_are_passed_over() -> None:
    m, t = ramp()
    m[[3, 8]], t[11] = np.nan, np.nan
    fit = fit_linearity(m, t, PolynomialForm(2, 8e4), stability=1e-6)
    assert fit.determined
    assert np.flatnonzero(~fit.used).tolist() == [3, 8, 11]
    assert np.isnan(fit.residual[[3, 8, 11]]).all()


def test_shapes_that_differ() -> None:
    with pytest.raises(ValueError, match="one length"):
        fit_linearity(np.ones(3), np.ones(4), PolynomialForm(2, 1.0))
    with pytest.raises(ValueError, match="n_amplifier"):
        fit_double_spline(np.ones((3, 2)), np.ones(4))


def test_a_dead_amplifier_leaves_the_others_alone() -> None:
    m, t = ramp(60)
    signals = np.stack([m, np.full(60, np.nan), np.zeros(60), 1.2 * m], axis=1)
    errors = np.maximum(1e-5 * signals, 0.1)
    result = fit_double_spline(signals, t, errors=errors, stability=1e-4)
    assert [fit.determined for fit in result.amplifiers] == [True, False, False, True]
    assert "dead" in result.amplifiers[1].reason
    assert "dead" in result.amplifiers[2].reason
    assert result.reference in (0, 3)
    other = result.amplifiers[3 - result.reference]
    assert isinstance(other.model, DoubleSpline)
    assert np.isnan(result.amplifiers[1].correction_error(np.array([1e4]))).all()


def test_a_detector_without_a_reference() -> None:
    t = np.geomspace(1, 60, 30)
    result = fit_double_spline(np.full((30, 2), np.nan), t, stability=1e-3)
    assert result.reference == -1
    assert all("no amplifier serves" in fit.reason for fit in result.amplifiers)
    one_level = fit_double_spline(np.full((30, 2), 1e4), np.full(30, 10.0), stability=1e-3)
    assert "one level only" in one_level.amplifiers[0].reason


def test_the_reference_has_the_highest_turn_off() -> None:
    m, t = ramp(60)
    signals = np.stack([m, m, m], axis=1)
    result = fit_double_spline(signals, t, errors=1.0, stability=1e-4, maximum=np.array([5e4, 9e4, 7e4]))
    assert result.reference == 1
    assert result.amplifiers[0].model.maximum <= 5e4


def test_levels_of_large_errors_are_no_outliers_where_others_are_precise() -> None:
    # Low levels with errors of a per cent among high ones of 1e-4, and a light whose scatter is not told.
    t = np.geomspace(0.5, 40.0, 48)
    error = np.hypot(2.0, 1e-4 * 1000 * t)
    rejected = 0
    for seed in range(40):
        noise = np.random.default_rng([seed, 5]).normal(0, error)
        fit = fit_linearity(1000 * t + noise, t, PolynomialForm(2, 4e4), error=error)
        assert fit.determined
        rejected += int(fit.outlier.sum())
    # 1,920 levels, none of which is beyond five sigma by chance (1e-6 each).
    assert rejected == 0


def test_a_double_spline_goes_as_far_as_both_of_its_curves() -> None:
    nodes = np.array([0.0, 2e4, 4e4])
    absolute = Spline(nodes, np.array([0.0, 50.0, 100.0]))
    for top in (-800.0, 0.0, 800.0):  # at 4e4, what the relative curve adds: 2e4 seen by the other is 4e4
        double = DoubleSpline(Spline(nodes, np.array([0.0, top / 2, top])), absolute, 1.0)
        last = double.maximum
        assert last <= 4e4
        assert last + double.relative.correction(last) == pytest.approx(min(4e4 + top, 4e4), rel=1e-6)


def test_the_turn_off_is_where_the_signal_stays_behind() -> None:
    t = np.linspace(1, 40, 40)
    light = 1000 * t
    bent = light - 2e-6 * light**2  # 8 per cent at the top
    assert linear_turnoff(bent, t) == LinearTurnOff(bent[-1], found=False)
    full = np.minimum(bent, bent[29])
    assert linear_turnoff(full, t) == LinearTurnOff(bent[29], found=True)
    falling = np.where(light > 30_000, bent[29] - 0.3 * (light - 30_000), bent)
    assert linear_turnoff(falling, t) == LinearTurnOff(bent[29], found=True)
    # An odd level below it changes nothing, and neither do levels that are missing.
    full[12] *= 0.7
    full[5] = np.nan
    assert linear_turnoff(full, t).level == bent[29]
    assert not linear_turnoff(np.full(40, np.nan), t).found
    assert np.isnan(linear_turnoff(np.full(40, np.nan), t).level)


def test_a_lamp_that_flickers_is_no_turn_off() -> None:
    t = np.geomspace(1, 40, 60)  # six per cent apart
    found = 0
    for seed in range(50):
        light = 1000 * t * (1 + np.random.default_rng([seed, 6]).normal(0, 0.01, 60))
        found += linear_turnoff(light, t).found
    # A step of -2.5 per cent by chance: 1.8 of its standard deviations, and not three.
    assert found <= 3


def test_groups_of_light_share_a_turn_off() -> None:
    t = np.tile(np.linspace(1, 40, 40), 2)
    group = np.repeat([0, 1], 40)
    signal = np.minimum(np.where(group == 0, 1000.0, 500.0) * t, 15_500.0)
    found = linear_turnoff(signal, t, groups=group)
    assert found == LinearTurnOff(15_500.0, found=True)
    signal = np.where(group == 0, 500.0 * t, np.minimum(700.0 * t, 5000.0))  # a lamp, not the amplifier
    assert linear_turnoff(signal, t, groups=group) == LinearTurnOff(20_000.0, found=False)


def test_a_level_is_that_of_the_same_pixels_whatever_is_left_out() -> None:
    rng = np.random.default_rng(3)
    slope = np.linspace(0.5, 1.5, 200)[:, None] * np.ones(150)
    image = (10_000 * slope + 50 * rng.standard_normal(slope.shape)).astype(np.float32)
    counted, usable = np.ones(slope.shape, bool), np.ones(slope.shape, bool)
    whole = light_level(image, counted, usable)
    assert whole.mean == pytest.approx(image.mean(dtype=float), abs=1e-2)
    assert whole.error == pytest.approx(50 / np.sqrt(slope.size), rel=0.05)
    usable[190:, 100:] = False  # the brightest corner: 1.7 per cent of the pixels
    image[190:, 100:] = 60_000
    part = light_level(image, counted, usable)
    assert part.mean == pytest.approx(whole.mean, abs=4 * whole.error)
    assert image[usable].mean() - whole.mean < -50 * whole.error
    image[50, 50:60] = 55_000  # hit
    assert light_level(image, counted, usable).mean == pytest.approx(part.mean, abs=whole.error)
    image[3, 4] = np.nan
    assert light_level(image, counted, usable).mean == pytest.approx(part.mean, abs=whole.error)
    assert np.isnan(light_level(image, counted, ~counted).mean)


def test_a_fixed_pattern_is_told_from_noise() -> None:
    means = np.geomspace(100, 5e4, 30)
    noise = 25.0 + means / 2.0
    for pattern in (0.0, 0.01, 0.05):
        found = variance_without_pattern(means, noise + (pattern * means) ** 2)
        np.testing.assert_allclose(found, noise, rtol=1e-6)
    # What the pattern is not, a frame that scatters more than others, stays.
    odd = noise + (0.01 * means) ** 2
    odd[20] *= 4.0
    assert variance_without_pattern(means, odd)[20] > 3.0 * noise[20]
    odd[3] = np.nan
    assert np.isnan(variance_without_pattern(means, odd)[3])
    # A pattern needs levels that differ.
    same = np.full(10, 1000.0)
    np.testing.assert_array_equal(variance_without_pattern(same, same), same)
