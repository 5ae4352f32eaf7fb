"""Every check of linearizers passes on what is right and fails on what is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fiducial.algorithms.linearity_models import LookupTable
from fiducial.algorithms.linearity_packing import pack_model
from fiducial.products.linearizer import Linearizer
from fiducial.products.ptc import PhotonTransferCurve
from fiducial.verify.criteria import load_criteria
from fiducial.verify.product_rows import measure_product
from fiducial.verify.product_verdict import judge_product
from fiducial.verify.products import LinearitySubject
from fiducial.verify.tasks_linearizer import VerifyLinearizerConfig, VerifyLinearizerTask
from verify_products import SETTINGS, amplifier_of, linearizer, transfer

CRITERIA = load_criteria()
TWO, BARE = SETTINGS["two"], SETTINGS["bare"]


def made(seed: int = 1, **wishes: Any) -> Linearizer:
    return linearizer(TWO, np.random.default_rng(seed), **wishes)


def judged(
    now: Linearizer,
    before: Linearizer | None = None,
    ptc: PhotonTransferCurve | None = None,
    **amplifier: float,
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Rows of amplifier A by test, and the verdict."""
    subject = LinearitySubject(amplifier_of(TWO, **amplifier), now, before, ptc)
    judgement = judge_product(measure_product("linearizer", [subject]), CRITERIA, "linearizer")
    return {row["test"]: row for row in judgement.rows.to_pylist()}, judgement.verdict


def changed(product: Linearizer, **values: Any) -> Linearizer:
    return replace(product, amplifiers=tuple(replace(one, **values) for one in product.amplifiers))


GOOD = made()


def test_a_good_linearizer_passes_every_test() -> None:
    rows, said = judged(GOOD, made(2), transfer(TWO, np.random.default_rng(1)))
    assert (said["verdict"], said["reasons"], said["kind"]) == ("pass", [], "linearizer")
    passed = {test for test, row in rows.items() if row["outcome"] == "pass"}
    assert passed == set(CRITERIA.tests["linearizer"]) - {"undetermined_still"}
    assert rows["stability"]["outcome"] == "shown"
    assert rows["stability"]["value"] == pytest.approx(1e-4)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_residual_counts_by_its_size(sign: float) -> None:
    def left(signal: NDArray[np.float64]) -> NDArray[np.float64]:
        return sign * 0.01 * np.exp(-(((signal - 30_000.0) / 4000.0) ** 2))

    one = GOOD.amplifiers[0]
    rows, said = judged(changed(GOOD, residual=one.residual + left(one.signal)))
    assert rows["residual"]["outcome"] == "fail"
    # A per cent of half the full well, averaged over some levels.
    assert sign * rows["residual"]["value"] == pytest.approx(0.004, abs=0.0015)
    assert said["verdict"] == "fail"
    assert "adu" in rows["residual"]["note"]


def test_a_shape_that_is_small_is_said_by_structure() -> None:
    one = GOOD.amplifiers[0]
    wave = 3e-4 * np.sin(one.signal / 6000.0)
    rows, said = judged(changed(GOOD, residual=wave))
    assert rows["residual"]["outcome"] == "pass"
    assert rows["structure"]["outcome"] == "fail"
    assert said["verdict"] == "warn"
    rows, _ = judged(changed(GOOD, used=np.arange(one.signal.size) < 3))
    assert rows["structure"]["outcome"] == "not_applicable"


@pytest.mark.parametrize(("share", "outcome"), [(0.1, "fail"), (1.0, "pass"), (3.0, "fail")])
def test_chi_square_both_ways_warns(share: float, outcome: str) -> None:
    rows, said = judged(changed(GOOD, chi2=share * 50.0, freedom=50))
    assert rows["chi2"]["outcome"] == outcome
    assert said["verdict"] == ("warn" if outcome == "fail" else "pass")


def test_the_amplifier_that_stands_for_the_light_has_no_chi_square() -> None:
    rows, said = judged(changed(GOOD, chi2=0.0, residual=np.zeros(60)))
    assert (rows["chi2"]["outcome"], rows["structure"]["outcome"]) == ("not_applicable", "not_applicable")
    assert (rows["residual"]["value"], said["verdict"]) == (0.0, "pass")


def test_a_correction_that_cannot_be_inverted_fails() -> None:
    values = np.zeros(101)
    values[60:] = -1500.0  # at a step of 600 adu: falls faster than the signal rises
    kind, numbers = pack_model(LookupTable(values, 600.0))
    rows, said = judged(changed(GOOD, model=kind, parameters=numbers, maximum=60_000.0))
    assert rows["slope"]["outcome"] == "fail"
    assert rows["slope"]["value"] < -1
    assert said["verdict"] == "fail"
    kind, numbers = pack_model(LookupTable(-values, 600.0))
    assert judged(changed(GOOD, model=kind, parameters=numbers))[0]["slope"]["value"] > 1


def test_the_quoted_error() -> None:
    one = GOOD.amplifiers[0]
    rows, said = judged(changed(GOOD, error_correction=one.error_correction * 100.0))
    assert rows["error"]["outcome"] == "fail"
    assert said["verdict"] == "fail"
    none = changed(GOOD, error_correction=np.full(65, np.nan))
    assert judged(none)[0]["error"]["outcome"] == "not_applicable"


def test_the_maximum_both_ways() -> None:
    for saturation, outcome in ((60_000.0, "pass"), (50_000.0, "fail"), (200_000.0, "fail")):
        rows, said = judged(GOOD, saturation=saturation)
        assert rows["maximum"]["outcome"] == outcome
        assert rows["maximum"]["note"] == "against the saturation"
        assert said["verdict"] == ("warn" if outcome == "fail" else "pass")
    ptc = transfer(TWO, np.random.default_rng(1), saturation=0.6)
    rows, _ = judged(GOOD, None, ptc)
    assert (rows["maximum"]["outcome"], rows["maximum"]["note"]) == ("fail", "against the turn-off")
    assert rows["maximum"]["uncertainty"] > 0
    # A linearizer in electrons is held against electrons.
    electrons = changed(GOOD, maximum=2.0 * GOOD.amplifiers[0].maximum)
    adu, electron = judged(GOOD)[0], judged(replace(electrons, unit="electron"))[0]
    assert electron["maximum"]["value"] == pytest.approx(adu["maximum"]["value"])


@pytest.mark.parametrize(("strength", "outcome"), [(0.02, "pass"), (0.06, "fail"), (-0.02, "fail")])
def test_a_change_since_the_certified_one(strength: float, outcome: str) -> None:
    rows, said = judged(GOOD, made(2, strength=strength))
    assert rows["change"]["outcome"] == outcome
    assert said["verdict"] == outcome


def test_a_change_of_convention_is_none() -> None:
    """A gain that is folded into the correction changes nothing: it is nobody's."""
    one = GOOD.amplifiers[0]
    at = np.arange(1001) * one.maximum / 1000
    (subject,) = [LinearitySubject(amplifier_of(TWO), GOOD)]
    scaled = 1.01 * (at + subject.model.correction(at)) - at
    kind, numbers = pack_model(LookupTable(scaled, one.maximum / 1000))
    rows, _ = judged(GOOD, changed(GOOD, model=kind, parameters=numbers))
    assert rows["change"]["outcome"] == "pass"
    assert abs(rows["change"]["value"]) < 1e-6
    rows, _ = judged(GOOD, replace(GOOD, unit="electron"))
    assert rows["change"]["outcome"] == "not_applicable"


def test_an_amplifier_that_is_not_determined() -> None:
    dead = made(dead=("A",))
    rows, said = judged(dead, GOOD)
    assert set(rows) == {"undetermined"}
    assert said["reasons"] == ["detector 0 amplifier A: undetermined: no signal"]
    assert said["verdict"] == "fail"
    rows, said = judged(dead, dead)
    assert set(rows) == {"undetermined_still"}
    assert said["verdict"] == "warn"


def test_the_task_judges_all_detectors() -> None:
    products = [made(3, detector=d) for d in (1, 0)]
    task = VerifyLinearizerTask(config=VerifyLinearizerConfig())
    out = task.run(camera=TWO.camera, linearizers=products, previous={}, transfer={})
    assert [one["detector"] for one in out.verdict["products"]] == [0, 1]
    assert (out.verdict["verdict"], out.results.num_rows) == ("pass", 2 * 2 * 9)
