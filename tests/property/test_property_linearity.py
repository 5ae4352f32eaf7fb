"""Whatever is measured, a linearity fit answers: a correction, or the reason why there is none."""

from __future__ import annotations

import warnings

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fiducial.algorithms.linearity_double import fit_double_spline
from fiducial.algorithms.linearity_fit import fit_linearity
from fiducial.algorithms.linearity_forms import PolynomialForm, spline_form
from fiducial.algorithms.linearity_groups import illumination_groups
from fiducial.algorithms.linearity_models import apply_linearity

ODD = (np.nan, np.inf, -np.inf, 0.0, -5.0, 1e30, -1e30, 1e-30, 1e300)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**31),
    st.integers(0, 25),
    st.sampled_from((None, 0.0, 1e-3)),
    st.sampled_from((None, 1e4, -1.0, np.nan)),
)
def test_every_input_has_an_answer(
    seed: int, levels: int, stability: float | None, maximum: float | None
) -> None:
    rng = np.random.default_rng(seed)
    times = rng.uniform(0.1, 50, levels) if rng.random() < 0.7 else np.round(rng.uniform(0, 3, levels))
    signals = 1000 * times[:, None] * rng.uniform(0.5, 2, 2) * (1 + 1e-3 * rng.normal(size=(levels, 2)))
    if rng.random() < 0.3:
        signals = np.minimum(signals, 2e4)
    errors = np.abs(rng.normal(1, 1, signals.shape)) * (rng.random() < 0.7)
    for array in (signals, errors, times):
        if rng.random() < 0.6:
            chosen = rng.random(array.shape) < rng.choice([0.05, 0.3, 0.9])
            array[chosen] = rng.choice(ODD, chosen.sum())
    groups = None if rng.random() < 0.5 else rng.integers(-1, 3, levels)
    mine, error = signals[:, 0], errors[:, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nodes = spline_form(mine, count=int(rng.integers(1, 12)), maximum=maximum)
        for form in (nodes, PolynomialForm(int(rng.integers(2, 6)), 5e4)):
            fit = fit_linearity(
                mine,
                times,
                form,
                error=error,
                stability=stability,
                groups=groups,
                maximum=maximum,
                offset=bool(rng.random() < 0.3),
            )
            assert fit.determined == (fit.reason == "")
            assert not (fit.used & fit.outlier).any()
            assert fit.determined == bool(fit.used.any())
            if fit.determined:
                corrected = apply_linearity(fit.model, mine)
                usual = np.abs(mine) < 1e12
                assert np.isfinite(corrected[usual]).all()
                assert np.isfinite(fit.correction_error(np.array([0.0, 100.0]))).all()
        limits = None if maximum is None else np.full(2, maximum)
        both = fit_double_spline(signals, times, errors=errors, stability=stability, maximum=limits)
        assert len(both.amplifiers) == 2
        assert illumination_groups(mine, times).shape == (levels,)
