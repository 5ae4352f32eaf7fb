"""A simulated night's ramp, measured and fitted: the true curve comes out, and levels become linear."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fiducial.algorithms.linearity_double import fit_double_spline
from fiducial.algorithms.linearity_fit import fit_linearity
from fiducial.algorithms.linearity_forms import spline_form
from fiducial.algorithms.linearity_models import apply_linearity
from fiducial.cameras import load_camera
from fiducial.frames.raw import RawFrame
from fiducial.simulation import Effects, NightPlan, NightTruth, Physics, Ramp, simulate_night
from fiducial.simulation.effects import NonLinearity

PHOTODIODE_NOISE = 1e-4
PHYSICS = Physics(
    cosmic_rays=0.0,
    dark_rate=0.0,
    hot_fraction=0.0,
    lamp_drift=0.05,
    lamp_noise=0.01,
    vignetting=0.0,
    dust_spots=0,
    pixel_response=0.0,
    effects=Effects(nonlinearity=NonLinearity(high=0.03, power=2.0, low=0.0)),
)
TIMES = tuple(
    float(t) for t in np.round(np.concatenate([np.geomspace(0.2, 12, 12), np.linspace(1, 13.5, 13)]), 3)
)
PLAN = NightPlan(
    biases=0,
    darks=0,
    flats=0,
    science=0,
    filters=("g",),
    detectors=(0,),
    physics=PHYSICS,
    ramp=Ramp(times=TIMES, rate=5000.0, photodiode_noise=PHOTODIODE_NOISE),
)


def levels(truth: NightTruth) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means of both amplifiers above overscan and bias (adu), their errors, and the photodiode's charges."""
    means, errors, charges = [], [], []
    known = truth.detectors[0]
    for exposure in truth.of_type("flat"):
        raw = RawFrame.open(truth.folder / exposure.files[0])
        row, error = [], []
        for amp, own in zip(load_camera("simcam").amplifiers(0), known.amplifiers, strict=True):
            assert amp.serial_overscan is not None
            level = raw.read(None, amp.serial_overscan)[:, 2:].mean(dtype=float)
            bias = known.bias_adu[amp.detector.slices].mean(dtype=float)
            mean = raw.read(None, amp.data).mean(dtype=float) - level - bias
            noise = own.read_noise**2 / own.gain**2
            row.append(mean)
            error.append(np.sqrt((mean / own.gain + noise) / 65536 + noise / (256 * 30)))
        means.append(row)
        errors.append(error)
        charges.append(exposure.photodiode)
    return np.array(means), np.array(errors), np.array(charges, float)


def test_the_true_curve_comes_out_of_a_ramp(tmp_path: Path) -> None:
    truth = simulate_night(load_camera("simcam"), tmp_path, plan=PLAN, seed=21)
    m, errors, charge = levels(truth)
    assert len(m) == 50
    both = fit_double_spline(m, charge, errors=errors, stability=PHOTODIODE_NOISE)
    for number in range(2):
        own, curve = truth.detectors[0].amplifiers[number], truth.detectors[0].effects.curve(number)
        assert curve is not None
        form = spline_form(m[:, number], count=8)
        single = fit_linearity(
            m[:, number], charge, form, error=errors[:, number], stability=PHOTODIODE_NOISE
        )
        assert single.determined
        # 50 levels less the unknowns; five standard deviations of chi squared.
        assert abs(single.chi2 / single.freedom - 1) < 5 * np.sqrt(2 / single.freedom)
        at = np.array([0.1, 0.3, 0.7, 0.95]) * m[:, number].max()
        for fit in (single, both.amplifiers[number]):
            assert fit.determined
            estimate = at + fit.model.correction(at)
            true = at + curve.correction(at * own.gain) / own.gain
            # Gains are a matter of convention: signals are compared to that at the reference.
            r = np.array(form.reference)
            estimate = estimate / float(r + fit.model.correction(r))
            true = true / float(r + curve.correction(r * own.gain) / own.gain)
            error = fit.correction_error(at) / form.reference
            assert (np.abs(estimate - true) < 4.5 * error + 1e-6).all()
            assert np.abs(estimate - true).max() < 2e-4
            assert np.abs(at / form.reference / true - 1).max() > 5e-3  # before
        # Frames corrected so have means in proportion to the charge.
        corrected = apply_linearity(single.model, m[:, number]) / charge
        bright = m[:, number] > 5000
        assert np.std(corrected[bright]) / np.mean(corrected[bright]) < 3 * PHOTODIODE_NOISE
