"""The figure of one amplifier's photon transfer says what it shows."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from figures_samples import words

from fiducial.algorithms.ptc_curve import TransferCurve
from fiducial.algorithms.ptc_fit import ReadNoise
from fiducial.algorithms.ptc_models import VarianceCurve
from fiducial.figures.encode import to_png
from fiducial.figures.ptc import draw_transfer
from fiducial.kinds.ptc_fits import fit_amplifier
from fiducial.products.ptc import FlatPairs, PhotonTransferCurve
from transfer_curves import expected, matrices, measured

MEANS = np.geomspace(300, 60000, 20)
LAGS = 3


def points(curve: TransferCurve) -> list[SimpleNamespace]:
    return [
        SimpleNamespace(
            mean=mean,
            first=mean,
            second=mean,
            covariances=covariances,
            counts=counts,
            noise_weight=1.0,
            determined=bool(mean > 0),
            reason="" if mean > 0 else "no light",
        )
        for mean, covariances, counts in zip(curve.means, curve.covariances, curve.counts, strict=True)
    ]


def sample(model: str) -> PhotonTransferCurve:
    parameters = matrices(LAGS, 1.5, 6.0, 1e-6)
    covariances = expected(parameters, MEANS)
    covariances[-2:] *= 0.5
    curve = measured(np.random.default_rng(1), MEANS, covariances, 1_000_000)
    nothing = TransferCurve(np.zeros(20), curve.covariances, curve.counts)
    made = [
        fit_amplifier(name, points(own), ReadNoise(4.0, 0.1), model=model, shape=VarianceCurve(), samples=0)
        for name, own in (("A$1", curve), ("dead", nothing))
    ]
    ids, numbers = np.arange(20), np.zeros(20)
    pairs = FlatPairs(ids, ids, *[numbers] * 6, ("g",) * 20)
    return PhotonTransferCurve(0, LAGS, pairs, tuple(made))


@pytest.mark.parametrize("model", ["exponential", "covariance"])
def test_a_curve_is_drawn_with_what_is_left_of_its_pairs(model: str) -> None:
    figure = draw_transfer(sample(model), "A$1")
    text = words(figure)
    for part in (
        "Photon transfer of A$1: gain 1.5",
        "variance (adu²)",
        "mean (adu)",
        "residual (σ)",
        model,
        "used",
        "not used",
        "turn-off",
    ):
        assert part in text, part
    assert ("rows apart" in text) is (model == "covariance")
    low, high = figure.axes[1].get_ylim()
    assert low == -high
    assert 4 <= high < 8
    assert to_png(figure).startswith(b"\x89PNG")


def test_a_fit_that_is_not_determined_says_why() -> None:
    text = words(draw_transfer(sample("exponential"), "dead"))
    assert "no pair of flats is usable" in text
    assert "turn-off" not in text
    with pytest.raises(KeyError):
        draw_transfer(sample("exponential"), "B")
