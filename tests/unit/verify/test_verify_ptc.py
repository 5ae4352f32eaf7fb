"""Every check of photon transfer passes on what is right and fails on what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fiducial.algorithms.ptc_curve import TransferCurve
from fiducial.algorithms.ptc_fit import ReadNoise
from fiducial.algorithms.ptc_models import VarianceCurve
from fiducial.cameras.model import Amplifier
from fiducial.kinds.ptc_fits import fit_amplifier
from fiducial.products.ptc import FlatPairs, PhotonTransferCurve
from fiducial.verify.checks import Measurement, product_check, product_checks, registry
from fiducial.verify.criteria import load_criteria
from fiducial.verify.product_rows import measure_product
from fiducial.verify.product_verdict import judge_product
from fiducial.verify.products import TransferSubject
from fiducial.verify.tasks_ptc import VerifyPtcConfig, VerifyPtcTask
from verify_products import DAY, SETTINGS, amplifier_of, changed, points_of, transfer, with_fit

CRITERIA = load_criteria()
TWO, BARE = SETTINGS["two"], SETTINGS["bare"]


def made(seed: int = 1, **wishes: Any) -> PhotonTransferCurve:
    return transfer(TWO, np.random.default_rng(seed), **wishes)


def judged(
    now: PhotonTransferCurve,
    before: PhotonTransferCurve | None = None,
    amplifiers: Sequence[Amplifier] | None = None,
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Rows of amplifier A by test, and the verdict."""
    own = amplifiers or [amplifier_of(TWO)]
    rows = measure_product("ptc", [TransferSubject(amp, now, before) for amp in own])
    judgement = judge_product(rows, CRITERIA, "ptc")
    return {
        row["test"]: row for row in judgement.rows.to_pylist() if row["amplifier"] == "A"
    }, judgement.verdict


GOOD = made()
BEFORE = made(2)


def test_a_good_product_passes_every_test() -> None:
    rows, said = judged(GOOD, BEFORE)
    assert (said["verdict"], said["reasons"], said["kind"], said["frames"]) == ("pass", [], "ptc", [])
    assert {test for test, row in rows.items() if row["outcome"] == "pass"} == {
        "undetermined",
        "gain_change",
        "gain_nominal",
        "noise_overscan",
        "noise_change",
        "a00",
        "chi2",
        "residual",
        "pairs_lost",
        "turnoff_saturation",
        "turnoff_change",
        "gain_drift",
        "gain_separation",
    }
    assert {test for test, row in rows.items() if row["outcome"] == "shown"} == {
        "gain",
        "read_noise",
        "turnoff",
    }
    assert {row["role"] for row in rows.values()} == {"product"}
    assert len(product_checks("ptc")) >= 10


def test_the_criteria_limit_every_test_that_is_not_shown() -> None:
    rows, _ = judged(GOOD, BEFORE)
    limits = set(CRITERIA.tests["ptc"])
    assert limits == (set(rows) - {"gain", "read_noise", "turnoff"}) | {"undetermined_still"}


@pytest.mark.parametrize("factor", [0.96, 1.04])
@pytest.mark.parametrize(
    ("test", "before", "amplifier"),
    [("gain_change", BEFORE, {}), ("gain_nominal", None, {"gain": 2.0})],
)
def test_gain_both_ways(factor: float, test: str, before: Any, amplifier: dict[str, float]) -> None:
    # Four per cent are beyond two, and 16 beyond the 10 that are allowed to the camera file.
    scale = factor if test == "gain_change" else factor**4
    now = with_fit(GOOD, gain=scale * GOOD.amplifiers[0].fit.gain)
    rows, said = judged(now, before, [amplifier_of(TWO, **amplifier)])
    assert rows[test]["outcome"] == "fail"
    assert said["verdict"] == ("fail" if test == "gain_change" else "warn")
    assert test in said["reasons"][0]


@pytest.mark.parametrize("factor", [0.97, 1.0, 1.03])
def test_a_tied_gain_is_held_against_its_curve_and_is_in_force(factor: float) -> None:
    gain = GOOD.amplifiers[0].fit.gain
    now = changed(GOOD, tied_gain=factor * gain, tied_gain_error=1e-4 * gain)
    rows, said = judged(now, BEFORE)
    outcome = "pass" if factor == 1.0 else "fail"
    assert (rows["gain_tied"]["outcome"], rows["gain_change"]["outcome"]) == (outcome, outcome)
    assert rows["gain"]["value"] == gain
    assert said["verdict"] == outcome
    assert judged(now, now)[0]["gain_change"]["value"] == 0.0


def test_the_error_of_a_gain_decides() -> None:
    """Three per cent with an error of two are no failure: no more than a warning, if that."""
    gain = 1.03 * BEFORE.amplifiers[0].fit.gain
    rows, said = judged(with_fit(GOOD, gain=gain, gain_error=0.02 * gain), BEFORE)
    assert rows["gain_change"]["outcome"] == "pass"
    assert "too imprecise" in rows["gain_change"]["note"]
    rows, said = judged(with_fit(GOOD, gain=1.002 * gain, gain_error=0.004 * gain), BEFORE)
    assert rows["gain_change"]["outcome"] == "warn"
    assert said["verdict"] == "warn"
    assert "within its error of the limit" in said["reasons"][0]


@pytest.mark.parametrize("factor", [0.6, 1.6])
def test_noise_both_ways(factor: float) -> None:
    rows, said = judged(made(3, overscan_noise=1 / factor), BEFORE)
    assert (rows["noise_overscan"]["outcome"], rows["noise_change"]["outcome"]) == ("fail", "pass")
    assert rows["noise_overscan"]["value"] == pytest.approx(factor - 1, abs=0.1)
    assert said["verdict"] == "fail"
    rows, said = judged(made(3, noise=factor), BEFORE)
    assert (rows["noise_overscan"]["outcome"], rows["noise_change"]["outcome"]) == ("pass", "fail")


def test_noise_that_the_curve_does_not_say_is_not_held_against_the_overscan() -> None:
    rows, _ = judged(with_fit(GOOD, noise_constrained=False), BEFORE)
    assert rows["noise_overscan"]["outcome"] == "not_applicable"
    assert "overscan's was used" in rows["noise_overscan"]["note"]
    assert rows["noise_change"]["outcome"] == "pass"
    rows, _ = judged(with_fit(GOOD, noise=np.nan, noise_error=np.nan))
    assert rows["read_noise"]["outcome"] == "not_applicable"
    bare = transfer(BARE, np.random.default_rng(1))
    rows, _ = judged(bare, None, [amplifier_of(BARE)])
    assert rows["noise_overscan"]["note"] == "the camera has no overscan"


@pytest.mark.parametrize(
    ("value", "error", "outcome"),
    [
        (-2e-6, 2e-8, "pass"),
        (0.0, 2e-8, "pass"),
        (3e-6, 2e-8, "fail"),  # charge that attracts charge
        (-3e-5, 2e-8, "fail"),
        (3e-6, 2e-6, "pass"),  # not known
        (-1.2e-5, 1e-6, "pass"),  # two errors beyond
        (-1.32e-5, 1e-6, "warn"),
    ],
)
def test_a00(value: float, error: float, outcome: str) -> None:
    now = with_fit(GOOD, a=np.array([[value]]), a_error=np.array([[error]]))
    rows, said = judged(now)
    assert rows["a00"]["outcome"] == outcome
    assert said["verdict"] == outcome
    assert (rows["a00"]["limit_low"], rows["a00"]["limit"]) == (-1e-5, 5e-7)


def test_a_fit_without_a00_has_none() -> None:
    rows, _ = judged(with_fit(GOOD, a=np.array([[np.nan]])))
    assert rows["a00"]["outcome"] == "not_applicable"


@pytest.mark.parametrize(("share", "outcome"), [(0.1, "fail"), (1.0, "pass"), (3.0, "fail")])
def test_chi_square_both_ways_warns(share: float, outcome: str) -> None:
    rows, said = judged(with_fit(GOOD, chi2=share * 26.0, freedom=26))
    assert rows["chi2"]["outcome"] == outcome
    assert said["verdict"] == ("warn" if outcome == "fail" else "pass")
    rows, _ = judged(with_fit(GOOD, freedom=0))
    assert rows["chi2"]["outcome"] == "not_applicable"


def bent(variances: NDArray[np.float64], means: NDArray[np.float64], pairs: FlatPairs) -> NDArray[np.float64]:
    """Four per cent more in the middle of the curve."""
    return variances * (1 + 0.05 * np.exp(-(((means - 30_000.0) / 5000.0) ** 2)))


def test_a_residual_counts_by_its_size() -> None:
    now = made(3)
    # The turn-off would leave such points out.
    one = now.amplifiers[0]
    off = one.covariances.copy()
    off[:, 0, 0] = bent(off[:, 0, 0], one.mean, now.pairs)
    rows, said = judged(changed(now, covariances=off))
    assert rows["residual"]["outcome"] == "fail"
    assert rows["residual"]["value"] == pytest.approx(0.045, abs=0.01)
    assert "adu" in rows["residual"]["note"]
    assert said["verdict"] == "fail"
    low = one.covariances.copy()
    low[:, 0, 0] *= np.where(np.abs(one.mean - 30_000) < 5000, 0.95, 1.0)
    assert judged(changed(now, covariances=low))[0]["residual"]["outcome"] == "fail"


def test_lost_pairs_count_up_to_the_turnoff() -> None:
    one = GOOD.amplifiers[0]
    rows, _ = judged(GOOD)
    assert rows["pairs_lost"]["value"] == 0.0  # the saturated ones are no loss
    used = np.flatnonzero(one.kept)
    kept, outlier, mean = one.kept.copy(), one.outlier.copy(), one.mean.copy()
    kept[used[:4]] = False
    outlier[used[:2]] = True
    mean[used[2:4]] = np.nan
    rows, _ = judged(changed(GOOD, kept=kept, outlier=outlier, mean=mean))
    assert rows["pairs_lost"]["value"] == pytest.approx(4 / used.size)
    assert rows["pairs_lost"]["outcome"] == "pass"
    kept[used[4:9]], outlier[used[4:9]] = False, True
    rows, said = judged(changed(GOOD, kept=kept, outlier=outlier, mean=mean))
    assert rows["pairs_lost"]["outcome"] == "fail"
    assert f"{used.size - 9} of {used.size} used" in said["reasons"][0]


def test_turnoff_against_saturation_both_ways() -> None:
    for saturation, outcome in ((60_000.0, "pass"), (40_000.0, "fail"), (200_000.0, "fail")):
        rows, said = judged(GOOD, None, [amplifier_of(TWO, saturation=saturation)])
        assert rows["turnoff_saturation"]["outcome"] == outcome
        assert said["verdict"] == ("warn" if outcome == "fail" else "pass")
    unseen = changed(GOOD, turnoff_found=False, turnoff_error=np.nan)
    rows, _ = judged(unseen, None, [amplifier_of(TWO, saturation=200_000.0)])
    assert rows["turnoff_saturation"]["outcome"] == "not_applicable"
    rows, _ = judged(unseen, None, [amplifier_of(TWO, saturation=40_000.0)])
    assert rows["turnoff_saturation"]["outcome"] == "fail"


def test_turnoff_against_the_certified_one() -> None:
    low, high = made(3, saturation=0.6), made(4, saturation=1.0)
    for now, before in ((low, high), (high, low)):
        rows, said = judged(now, before)
        assert rows["turnoff_change"]["outcome"] == "fail"
        assert said["verdict"] == "fail"
    unseen = {"turnoff_found": False, "turnoff_error": np.nan}
    # Flats that end below what was certified say nothing; those that end above say that it has risen.
    assert judged(changed(low, **unseen), high)[0]["turnoff_change"]["outcome"] == "not_applicable"
    assert judged(changed(high, **unseen), low)[0]["turnoff_change"]["outcome"] == "fail"
    assert judged(low, changed(high, **unseen))[0]["turnoff_change"]["outcome"] == "fail"
    assert judged(high, changed(low, **unseen))[0]["turnoff_change"]["outcome"] == "not_applicable"


@pytest.mark.parametrize("size", [-0.05, 0.05])
def test_a_drift_of_the_gain_both_ways(size: float) -> None:
    def drifting(v: NDArray[np.float64], _: Any, pairs: FlatPairs) -> NDArray[np.float64]:
        when = pairs.first_mjd - pairs.first_mjd[0]
        return v / (1 + size * when / when.max())

    rows, said = judged(made(5, damage=drifting))
    assert rows["gain_drift"]["outcome"] == "fail"
    assert rows["gain_drift"]["value"] == pytest.approx(size, abs=0.01)
    assert said["verdict"] == "fail"


def test_a_lamp_that_drifts_shows_by_separation() -> None:
    def drifting(v: NDArray[np.float64], _: Any, pairs: FlatPairs) -> NDArray[np.float64]:
        apart = (pairs.second_mjd - pairs.first_mjd) * DAY
        return v * (1 + 0.05 * (apart - apart.min()) / np.ptp(apart))

    rows, said = judged(made(5, damage=drifting))
    assert rows["gain_separation"]["outcome"] == "fail"
    assert rows["gain_separation"]["value"] == pytest.approx(-0.05, abs=0.01)
    assert said["verdict"] == "fail"
    rows, _ = judged(replace(GOOD, pairs=replace(GOOD.pairs, second_mjd=GOOD.pairs.first_mjd + 1e-4)))
    assert rows["gain_separation"]["note"] == "all pairs are alike in it"


def test_an_amplifier_of_which_nothing_follows() -> None:
    amps = [amplifier_of(TWO, "A"), amplifier_of(TWO, "B")]
    dead = made(6, dead=("A",))
    rows, said = judged(dead, None, amps)
    assert set(rows) == {"undetermined"}
    assert rows["undetermined"]["outcome"] == "fail"
    assert said["products"][0]["amplifiers_failed"] == ["A"]
    assert "amplifier A: undetermined: " in said["reasons"][0]
    assert judged(dead, BEFORE, amps)[1]["verdict"] == "fail"  # it was, before
    rows, said = judged(dead, made(7, dead=("A",)), amps)
    assert set(rows) == {"undetermined_still"}
    assert (said["verdict"], said["products"][0]["amplifiers_masked"]) == ("warn", ["A"])
    assert "still undetermined" in said["reasons"][0]
    lacking = replace(GOOD, amplifiers=GOOD.amplifiers[1:])
    assert "the product lacks it" in judged(lacking, None, amps)[1]["reasons"][0]


@pytest.mark.parametrize("model", ["covariance", "polynomial"])
def test_other_fits_are_judged_as_well(model: str) -> None:
    one = GOOD.amplifiers[0]
    points = points_of(TransferCurve(one.mean, one.covariances, one.counts))
    fitted = fit_amplifier(
        "A",
        points,
        ReadNoise(one.read_noise, one.read_noise_error),
        model=model,
        shape=VarianceCurve() if model == "covariance" else VarianceCurve("polynomial", 3),
        samples=0,
    )
    _, said = judged(replace(GOOD, amplifiers=(fitted,)))
    assert (said["verdict"], said["reasons"]) == ("pass", [])


def test_a_check_from_outside_is_run_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    product_checks("ptc")  # all that there are, so that what is added here can be taken away again
    monkeypatch.setattr(registry, "_product", dict(registry._product))

    @product_check("ptc")
    def pairs(subject: TransferSubject) -> list[Measurement]:
        return [Measurement("pairs", float(len(subject.product.pairs)), 0.0, "", 0)]

    rows, said = judged(GOOD)
    assert (rows["pairs"]["value"], rows["pairs"]["outcome"]) == (30.0, "shown")
    assert said["verdict"] == "pass"
    assert pairs.__name__ not in [check.name for check in product_checks("linearizer")]


def test_nothing_to_judge_is_no_pass() -> None:
    assert judge_product([], CRITERIA, "ptc").verdict["verdict"] == "fail"


def test_the_task_judges_all_detectors(tmp_path: Any) -> None:
    products = [made(8, detector=d) for d in (1, 0)]
    task = VerifyPtcTask(config=VerifyPtcConfig())
    out = task.run(camera=TWO.camera, ptc=products, previous={})
    assert [one["detector"] for one in out.verdict["products"]] == [0, 1]
    assert out.verdict["verdict"] == "pass"
    assert set(out.results["detector"].to_pylist()) == {0, 1}
    file = tmp_path / "mine.yaml"
    file.write_text("tests: {ptc: {a00: {absolute: 1.0e-7}}}\n")
    config = VerifyPtcConfig()
    config.criteria = str(file)
    strict = VerifyPtcTask(config=config).run(camera=TWO.camera, ptc=products, previous={})
    assert strict.verdict["verdict"] == "fail"
    assert set(strict.verdict["products"][0]["amplifiers_failed"]) == {"A", "B"}
