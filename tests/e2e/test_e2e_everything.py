"""A night with a ramp, from raw frames to all that it allows: gains, noises, linearity, fluxes as true."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from commands import fiducial
from fiducial.algorithms.linearity_models import LinearityModel
from fiducial.cameras import load_camera
from fiducial.corrections.linearity_product import models_of
from fiducial.products.images import planes_of
from fiducial.products.masks import UNUSABLE, Plane
from fiducial.repository import Repository
from fiducial.simulation import Effects, NightPlan, NightTruth, Physics, Ramp, simulate_night
from fiducial.simulation.effects import BrighterFatter, NonLinearity
from fiducial.simulation.effects.nonlinearity import Curve

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("everything")]

NIGHT = "20260115"
TIMES = (0.2, 0.4, 0.8, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, 11.5, 13.0, 15.0)
PRODUCTS = (
    *("biasBootstrap", "darkBootstrap", "flatBootstrap", "defects", "linearizer", "ptc"),
    *("bias", "dark", "flat"),
)
PLAN = NightPlan(
    detectors=(0,),
    biases=8,
    darks=6,
    dark_times=(30.0,),
    flats=6,
    flat_time=4.0,  # the ramp's lamp: 5000 electrons a second
    flat_electrons=(20000.0,),
    filters=("g",),
    science=0,
    physics=Physics(
        cosmic_rays=0.0,
        lamp_drift=0.0,
        lamp_noise=3e-4,
        effects=Effects(
            brighter_fatter=BrighterFatter(a00=-2e-6), nonlinearity=NonLinearity(high=0.03, scatter=0.0)
        ),
    ),
    ramp=Ramp(times=TIMES, rate=5000.0, order="shuffled"),
)


@dataclass(frozen=True)
class Made:
    """The night, its repository, and what the commands said."""

    truth: NightTruth
    repository: Path
    plan: Any
    production: Any
    certified: Any

    def product(self, kind: str) -> Any:
        run = next(one["run"] for one in self.production["products"] if kind_of(one) == kind)
        with Repository.open(self.repository) as opened:
            (ref,) = opened.butler.query_datasets(kind, run)
            return opened.butler.get(ref)

    def notes(self, kind: str) -> str:
        return "\n".join(next(one["reasons"] for one in self.production["products"] if kind_of(one) == kind))


def kind_of(product: Any) -> str:
    """Of what was planned, or made."""
    return str(product.get("planned", product)["plan"]["kind"])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("everything")
    truth = simulate_night(load_camera("simcam"), folder / "raw", plan=PLAN, seed=31)
    repository = folder / "repo"
    fiducial("init", repository, "--camera", "simcam")
    fiducial("ingest", repository, folder / "raw")
    plan = fiducial("plan", repository, "all", "--night", NIGHT, "--json", code=(0, 3)).json()
    production = fiducial("make", repository, "all", "--night", NIGHT, "--json", code=(0, 3)).json()
    runs = [one["run"] for one in production["products"]]
    certified = fiducial(
        "certify", repository, *runs, "--begin", "2026-01-15", "--detector", 0, "--json"
    ).json()
    return Made(truth, repository, plan, production, certified)


def curve(made: Made, number: int) -> Curve:
    found = made.truth.detectors[0].effects.curve(number)
    assert found is not None
    return found


def true_signal(made: Made, number: int, signal: np.ndarray) -> np.ndarray:
    """The signal that an amplifier would have shown were it linear, adu."""
    gain = made.truth.detectors[0].amplifiers[number].gain
    return signal + curve(made, number).correction(signal * gain) / gain


def scale(made: Made, number: int, model: LinearityModel) -> float:
    """What linearised signals are multiplied by: the overall scale is a convention, no correction at half."""
    signal = np.array([20000.0])
    return float(((signal + model.correction(signal)) / true_signal(made, number, signal))[0])


def test_what_is_planned_is_made_in_order_and_passes(made: Made) -> None:
    assert [kind_of(one) for one in made.plan["planned"]] == list(PRODUCTS)
    assert [kind_of(one) for one in made.production["products"]] == list(PRODUCTS)
    assert made.plan["impossible"] == made.production["impossible"] == []
    for one in made.production["products"]:
        assert one["verdict"] in ("pass", "warn"), (kind_of(one), one["reasons"])
        assert not one["missing"]
    assert [one["kind"] for one in made.certified["products"]] == list(PRODUCTS)


def test_what_was_put_into_chains_is_told(made: Made) -> None:
    for kind in ("ptc", "flat"):
        assert "linearity is put into the chain" in made.notes(kind)
    assert "gains are those of the ptc" in made.notes("bias")
    assert "linearity" not in made.notes("linearizer")


def test_the_plan_accounts_for_every_flat(made: Made) -> None:
    flats = sorted(e.exposure for e in made.truth.of_type("flat"))
    for one in made.plan["planned"]:
        if kind_of(one) in ("linearizer", "ptc"):
            assert sorted(choice["exposure"] for choice in one["plan"]["choices"]) == flats
            assert all(choice["reason"] for choice in one["plan"]["choices"])
            assert len(one["plan"]["generate"]) >= 2 * len(TIMES) - 1
            assert f"{len(TIMES) + 1} exposure times" in one["notes"][0]


def test_the_linearizer_is_the_true_curve(made: Made) -> None:
    product = made.product("linearizer")
    signal = np.linspace(1000.0, 45000.0, 45)
    for number, model in enumerate(models_of(product).values()):
        assert model is not None
        found = (signal + model.correction(signal)) / scale(made, number, model)
        # 38 levels of a lamp steady to 3e-4; without a correction 0.018.
        assert np.abs(found / true_signal(made, number, signal) - 1).max() < 1e-3


def test_gains_noises_and_the_brighter_fatter_coefficient_are_true(made: Made) -> None:
    product, models = made.product("ptc"), models_of(made.product("linearizer"))
    truth = made.truth.detectors[0]
    for number, (found, own) in enumerate(zip(product.amplifiers, truth.amplifiers, strict=True)):
        model = models[found.name]
        assert model is not None
        gain = own.gain / scale(made, number, model)  # of linearised adu
        assert abs(found.fit.gain - gain) < 4 * found.fit.gain_error
        assert found.fit.gain_error < 0.006 * gain
        noise = np.hypot(own.read_noise / own.gain, 12**-0.5)
        assert abs(found.read_noise - noise) < 0.02 * noise
        a00 = truth.effects.a_matrix[number][0, 0]
        assert abs(found.fit.a[0, 0] - a00) < 4 * found.fit.a_error[0, 0]
        assert found.fit.a[0, 0] < -5 * found.fit.a_error[0, 0]


@pytest.mark.parametrize("kind", ["bias", "dark", "flat"])
def test_the_masters_in_electrons_are_made_with_the_gains_of_photon_transfer(made: Made, kind: str) -> None:
    header = made.product(kind).metadata
    for one in made.product("ptc").amplifiers:
        assert header[f"FID AMP {one.name} GAIN"] == pytest.approx(one.fit.gain)


def test_detrended_fluxes_are_those_of_the_truth_at_any_level(made: Made, tmp_path: Path) -> None:
    """A flat of any level is detrended to the electrons that fell on it; no correction would be 2 % off."""
    flats = {e.exposure: e for e in made.truth.of_type("flat") if e.time in (0.8, 6.5, 13.0)}
    done = fiducial("detrend", made.repository, "--exposures", ",".join(map(str, flats)), "--json").json()
    assert any("linearity is put into the chain" in note for note in done["notes"])
    assert all(frame["file"] for frame in done["frames"])
    ratios: dict[str, list[float]] = {}
    camera = load_camera("simcam")
    with Repository.open(made.repository) as opened:
        for ref in opened.butler.query_datasets("detrended", done["run"]):
            planes = planes_of(opened.butler.get(ref))
            usable = (planes.mask & np.int32(UNUSABLE)) == 0
            true = flats[int(ref.dataId["exposure"])].electrons[0]
            for amp in camera.amplifiers(0):
                where = amp.detector.slices
                ratios.setdefault(amp.name, []).append(
                    float(planes.image[where][usable[where]].mean()) / true
                )
    for one in made.product("ptc").amplifiers:
        found = np.array(ratios[one.name])
        assert len(found) == 6
        # The flat takes out what amplifiers differ by; all share the mean of their gains' errors.
        assert np.abs(found - 1).max() < 4 * one.fit.gain_error / one.fit.gain
        assert np.ptp(found) < 1e-3


def test_turn_offs_mark_what_lies_above_them_if_that_is_asked_for(made: Made) -> None:
    brightest = max(made.truth.of_type("flat"), key=lambda e: e.time).exposure
    shares = {}
    for settings in ((), ("-c", "detrend:corrections.suspect.source=ptc")):
        done = fiducial("detrend", made.repository, "--exposures", brightest, *settings, "--json").json()
        assert any("suspect is put" in note for note in done["notes"]) == bool(settings)
        with Repository.open(made.repository) as opened:
            (ref,) = opened.butler.query_datasets("detrended", done["run"])
            mask = planes_of(opened.butler.get(ref)).mask
        shares[settings] = np.mean((mask & np.int32(Plane.SUSPECT)) != 0)
    asked = made.product("ptc").amplifiers
    assert any(one.turnoff_found for one in asked) == (shares[settings] > shares[()] + 0.1)


def test_the_life_of_what_was_made(made: Made, tmp_path: Path) -> None:
    shown = fiducial("timeline", made.repository, "--json").json()
    assert set(PRODUCTS) <= {row["kind"] for row in shown}
    verbs = fiducial("history", made.repository, "--json").json()
    assert [entry["inputs"]["kind"] for entry in verbs if entry["verb"] == "make"] == list(PRODUCTS)
    bundle, other = tmp_path / "bundle", tmp_path / "repo"
    fiducial("export", made.repository, made.certified["ticket"], bundle)
    fiducial("init", other, "--camera", "simcam")
    fiducial("import", other, bundle)
    assert set(PRODUCTS) <= {row["kind"] for row in fiducial("timeline", other, "--json").json()}
    found = made.product("ptc")
    with Repository.open(other) as opened:
        (ref,) = opened.butler.query_datasets("ptc", collections="*", find_first=False)
        assert opened.butler.get(ref).content_hash() == found.content_hash()
