"""The linearity correction in the chain."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fiducial.algorithms.linearity_double import fit_double_spline
from fiducial.algorithms.linearity_fit import fit_linearity, undetermined
from fiducial.algorithms.linearity_forms import LookupForm, PolynomialForm, spline_form
from fiducial.algorithms.linearity_models import DoubleSpline, Polynomial, Proportional, Spline
from fiducial.algorithms.linearity_packing import pack_model, unpack_model
from fiducial.corrections.chain import Chain, build_chain, masters_of, require_valid
from fiducial.corrections.linearity_product import MeasuredLevels, linearizer_of, models_of
from fiducial.corrections.masters import Master
from fiducial.corrections.raw_stage import RawStage
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.corrections.segment import Segment
from fiducial.corrections.single_pass import correct_frame
from fiducial.corrections.strips import plan_strips
from fiducial.errors import CalibrationMismatch, ConfigurationError
from fiducial.products.linearizer import Linearizer
from fiducial.products.masks import Plane
from frame_arrays import GAIN, RAW_SHAPE, SHAPE, frame, raw_pixels, tiny_camera

TIMES = np.geomspace(0.5, 40, 20)
SQUARE = {"A": 2e-6, "B": -1e-6}  # 1/adu: what the truth has more than the signal, of its square
MAXIMUM = 4e4
META: dict[str, str | int | float | bool] = {"INSTRUME": "TinyCam", "DETECTOR": 0}


def measured(true: np.ndarray, square: float) -> np.ndarray:
    return (np.sqrt(1 + 4 * square * true) - 1) / (2 * square)


def product(dead: bool = False, **changes: Any) -> Linearizer:
    signals = np.stack([measured(1000 * TIMES, square) for square in SQUARE.values()], axis=1)
    fits = [fit_linearity(m, TIMES, PolynomialForm(2, MAXIMUM), stability=1e-6) for m in signals.T]
    if dead:
        fits[1] = undetermined("the amplifier is dead", len(TIMES))
    levels = MeasuredLevels(range(20), TIMES, signals, np.ones(signals.shape))
    made = linearizer_of(
        fits, list(SQUARE), levels, detector=0, unit="adu", abscissa="exposure_time", metadata=META
    )
    return replace(made, **changes)


def chain_of(names: list[str], linearizer: Linearizer | None, **settings: Any) -> Chain:
    config = CorrectionsConfig()
    for name, value in settings.items():
        setattr(config.linearity, name, value)
    masters: dict[str, Any] = {}
    if linearizer is not None:
        masters["linearizer"] = Master("linearizer", linearizer)  # type: ignore[arg-type]
    return build_chain(names, config, camera=tiny_camera(), detector=0, masters=masters)


def corrected(chain: Chain, signal: dict[str, float], **changes: Any) -> tuple[np.ndarray, np.ndarray]:
    one = frame(chain.context.camera, raw_pixels(chain.context.camera, signal), **changes)
    chain.prepare(one)
    image, mask = np.full(SHAPE, np.nan), np.zeros(SHAPE, int)
    for strip in plan_strips(one.amplifiers, 32):
        for segment in chain.run(one, strip):
            image[segment.place.slices] = segment.image
            mask[segment.place.slices] = segment.mask
    return image, mask


@pytest.mark.parametrize(
    "names", [["overscan", "linearity", "assembly"], ["overscan", "gain", "linearity", "assembly"]]
)
def test_a_frame_that_is_corrected_as_a_whole_is_linearised_too(names: list[str]) -> None:
    chain = chain_of(names, product())
    signal = dict.fromkeys(SQUARE, 20000.0)
    one = frame(chain.context.camera, raw_pixels(chain.context.camera, signal))
    chain.prepare(one)
    image, mask = corrected(chain, signal)
    whole = correct_frame(chain, one)
    np.testing.assert_array_equal(whole.image, image.astype(np.float32))
    np.testing.assert_array_equal(whole.mask, mask)
    plain, _ = corrected(chain_of([name for name in names if name != "linearity"], None), signal)
    assert np.abs(image / plain - 1).min() > 0.005


@pytest.mark.parametrize(
    "names",
    [
        ["overscan", "linearity", "assembly"],
        ["overscan", "linearity", "gain", "assembly"],
        ["overscan", "gain", "linearity", "assembly"],
    ],
)
@pytest.mark.parametrize("unit", ["adu", "electron"])
def test_signals_become_proportional_to_light(names: list[str], unit: str) -> None:
    made = product()
    if unit == "electron":  # the same curves for signals in electrons
        amplifiers = []
        for one in made.amplifiers:
            gain = GAIN[one.name]
            squared = Polynomial(one.parameters[1:] * [1, 1 / gain], one.maximum * gain)
            amplifiers.append(replace(one, parameters=pack_model(squared)[1], maximum=squared.maximum))
        made = replace(made, unit="electron", amplifiers=tuple(amplifiers))
    true = {"A": 20_000.0, "B": 9_000.0}
    signal = {name: float(measured(np.array(true[name]), SQUARE[name])) for name in true}
    assert abs(signal["A"] - true["A"]) > 500
    image, mask = corrected(chain_of(names, made), signal)
    gains = GAIN if "gain" in names else {"A": 1.0, "B": 1.0}
    # float32 pixels of 20,000 adu in the file: 0.001 adu, and so is each of a few steps.
    np.testing.assert_allclose(image[:, :20], true["A"] * gains["A"], rtol=1e-6)
    np.testing.assert_allclose(image[:, 20:], true["B"] * gains["B"], rtol=1e-6)
    assert not mask.any()


def test_what_is_beyond_the_curve_is_suspect() -> None:
    for beyond, straight in ((0.01 * MAXIMUM, 0.01 * MAXIMUM), (0.2 * MAXIMUM, 0.1 * MAXIMUM)):
        signal = {"A": MAXIMUM + beyond, "B": 100.0}
        image, mask = corrected(chain_of(["overscan", "linearity", "assembly"], product()), signal)
        assert (mask[:, :20] == int(Plane.SUSPECT)).all()
        assert not mask[:, 20:].any()
        # The correction goes on straight for a tenth of the maximum, and stays what it is then.
        correction = SQUARE["A"] * (MAXIMUM**2 + 2 * MAXIMUM * straight)
        np.testing.assert_allclose(image[:, :20], signal["A"] + correction, rtol=2e-6)
    _, mask = corrected(chain_of(["overscan", "linearity", "assembly"], product(), markBeyond=False), signal)
    assert not mask.any()


@pytest.mark.parametrize(("setting", "plane"), [("suspect", Plane.SUSPECT), ("bad", Plane.BAD)])
def test_an_amplifier_that_the_linearizer_does_not_know(setting: str, plane: Plane) -> None:
    chain = chain_of(["overscan", "linearity", "assembly"], product(dead=True), undetermined=setting)
    image, mask = corrected(chain, {"A": 100.0, "B": 5000.0})
    np.testing.assert_allclose(image[:, 20:], 5000.0, rtol=1e-6)
    assert (mask[:, 20:] == int(plane)).all()
    assert not mask[:, :20].any()
    assert chain.notes()["LINEARITY KNOWN"] == 1


def test_linearizers_that_do_not_belong_are_refused() -> None:
    names = ["overscan", "linearity", "assembly"]
    with pytest.raises(ConfigurationError, match="no linearizer"):
        chain_of(names, None)
    with pytest.raises(CalibrationMismatch, match="detector 1, not TinyCam detector 0"):
        chain_of(names, product(metadata=META | {"DETECTOR": 1}))
    with pytest.raises(CalibrationMismatch, match="lacks amplifier B"):
        chain_of(names, product(amplifiers=product().amplifiers[:1]))
    with pytest.raises(CalibrationMismatch, match="B: the amplifier is dead"):
        chain_of(names, product(dead=True), undetermined="refuse")
    odd = replace(product().amplifiers[0], model="wavelet")
    with pytest.raises(CalibrationMismatch, match="wavelet"):
        chain_of(names, product(amplifiers=(odd, product().amplifiers[1])))
    with pytest.raises(CalibrationMismatch, match="not a linearizer"):
        chain_of(names, "text")  # type: ignore[arg-type]


def test_a_frame_of_another_state_is_refused_unless_that_is_wanted() -> None:
    made = product(metadata=META | {"FID STATE TEMP_SET": -80.0})
    names = ["overscan", "linearity", "assembly"]
    with pytest.raises(CalibrationMismatch, match="TEMP_SET"):
        corrected(chain_of(names, made), {"A": 1.0, "B": 1.0})
    corrected(chain_of(names, made, matchState=False), {"A": 1.0, "B": 1.0})


@pytest.mark.parametrize(
    "names", [["overscan", "linearity", "assembly"], ["overscan", "gain", "linearity", "assembly"]]
)
def test_in_one_pass_with_the_raw_stage_every_bit_is_the_same(names: list[str]) -> None:
    chain = chain_of(["saturation", *names, "nan"], product())
    stage, rest = RawStage.of(chain.corrections)
    assert stage is not None
    assert [one.name for one in rest] == ["nan"]
    rng = np.random.default_rng(1)
    pixels = rng.uniform(900, 65_000, RAW_SHAPE).astype(np.float32)
    pixels[10, 3], pixels[70, 45] = np.nan, np.inf
    one = frame(chain.context.camera, pixels)
    chain.prepare(one)
    for strip in plan_strips(one.amplifiers, 64):
        expected = [Segment.of_raw(cut) for cut in one.cuts(strip)]
        for correction in chain.corrections:
            correction.apply(expected, one)
        for got, want in zip(chain.run(one, strip), expected, strict=True):
            np.testing.assert_array_equal(got.image, want.image)
            np.testing.assert_array_equal(got.mask, want.mask)


def test_its_place_in_the_chain() -> None:
    assert masters_of(["overscan", "linearity", "assembly", "bias"]) == ("linearizer", "bias")
    with pytest.raises(ConfigurationError, match="before overscan"):
        require_valid(["linearity", "overscan", "assembly"])
    with pytest.raises(ConfigurationError, match="works on raw amplifiers"):
        require_valid(["overscan", "assembly", "linearity"])


def test_every_model_is_packed_and_unpacked() -> None:
    spline = Spline(np.array([0.0, 1.0, 5.0]), np.array([0.0, 2.0, -1.0]))
    other = Spline(np.array([0.0, 2.0, 3.0, 4.0]), np.array([0.0, 1.0, 0.0, 3.0]))
    table = LookupForm(PolynomialForm(3, 100.0), 1.0).model(np.array([1.0, 2.0]))
    at = np.linspace(-1, 5, 50)
    squared, cubic = Polynomial(np.array([0.0, 0.1]), 4.0), Polynomial(np.array([0.1, 0.2, 0.3]), 4.0)
    for model in (Proportional(), squared, cubic, spline, table, DoubleSpline(spline, other, 1.3)):
        kind, numbers = pack_model(model)
        again = unpack_model(kind, numbers)
        assert again.kind == kind == model.kind
        np.testing.assert_array_equal(again.correction(at), model.correction(at))
    for kind, numbers in (
        ("spline", [0.0, 1.0, 2.0]),
        ("spline", [1.0, 0.0, 0, 0]),
        ("lookup", []),
        ("x", [1.0]),
    ):
        with pytest.raises(ValueError, match=r"nodes|do not make"):
            unpack_model(kind, np.array(numbers))
    with pytest.raises(ValueError, match="no row of numbers"):
        pack_model(DoubleSpline(spline, cubic, 1.0))


def test_double_splines_make_a_linearizer() -> None:
    times = np.geomspace(0.5, 40, 60)
    signals = np.stack([measured(1000 * times, square) for square in SQUARE.values()], axis=1)
    result = fit_double_spline(signals, times, errors=0.1, stability=1e-5)
    levels = MeasuredLevels(range(60), times, signals, np.full(signals.shape, 0.1))
    made = linearizer_of(
        result.amplifiers, list(SQUARE), levels, detector=0, unit="adu", abscissa="photodiode", metadata=META
    )
    assert {one.model for one in made.amplifiers} == {"spline", "double_spline"}
    at = np.linspace(100, 3e4, 20)
    for number, (name, model) in enumerate(models_of(made).items()):
        fitted = result.amplifiers[number]
        assert model is not None
        np.testing.assert_allclose(model.correction(at), fitted.model.correction(at))
        # The tabulated error is that of the fit.
        table = made.amplifiers[number]
        assert table.name == name
        np.testing.assert_allclose(table.error_correction, fitted.correction_error(table.error_signal))
    assert spline_form(signals[:, 0]).nodes[0] == 0
