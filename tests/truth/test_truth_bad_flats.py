"""Bad flats among good ones: each has its reason, in the product and in the log, and the others stay right.

Four detectors of sixteen amplifiers each; what is not spoilt has to come out as without bad input: 60 or more
estimates know a mean pull to 0.13, and four times that is allowed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from fiducial.algorithms.linearity_packing import unpack_model
from fiducial.errors import UnreadableFrame
from fiducial.kinds.inputs import Offered
from fiducial.kinds.linearizer import LinearizerConfig, LinearizerTask
from fiducial.kinds.ptc import PtcConfig, PtcTask
from fiducial.products.linearizer import Linearizer
from fiducial.products.ptc import PhotonTransferCurve
from frame_arrays import Handle
from linearity_ramps import AT, GAIN, NODES, Ramp
from transfer_pixels import BIAS, COLUMNS, Flats, RawHdus

SEEDS = range(4)
LEVELS = (60.0, 200.0, 600.0, 2000.0, 6e3, 15e3, 3e4, 5e4, 75e3, 1e5)
BAD = 5  # the amplifier that is spoilt
CHAIN = ["saturation", "overscan", "assembly", "bias", "nan"]
type Given = dict[str, Any]


def pixels(given: Given, number: int) -> np.ndarray:
    return given["raws"][number].handle.raw.hdus


def put(given: Given, number: int, raw: Any) -> None:
    given["raws"][number] = Offered(given["raws"][number].exposure, Handle(raw))


def nothing(given: Given) -> None:
    pass


def unpaired(given: Given) -> None:
    del given["raws"][7]


def corrupt(given: Given) -> None:
    put(given, 4, UnreadableFrame("flat.fits is cut short", file="flat.fits"))


def saturated(given: Given) -> None:
    for number in range(-4, 0):
        pixels(given, number)[BAD, :, :COLUMNS] = 65535


def dead(given: Given) -> None:
    rng = np.random.default_rng(8)
    for number in range(len(given["raws"])):
        own = pixels(given, number)[BAD]
        level = own[:, COLUMNS:].mean()
        own[:, :COLUMNS] = np.rint(rng.normal(level, 4, (own.shape[0], COLUMNS)))


def lamp(given: Given) -> None:
    own = pixels(given, 13)
    own[:, :, :COLUMNS] = np.rint(BIAS + 0.7 * (own[:, :, :COLUMNS] - BIAS))


def nan_columns(given: Given) -> None:
    for number in range(len(given["raws"])):
        own = pixels(given, number).astype(np.float32)
        own[BAD, :, 10:13] = np.nan
        put(given, number, RawHdus(own))


@dataclass(frozen=True)
class Fault:
    """What is done to the frames, and what has to be said of it."""

    spoil: Callable[[Given], None]
    says: str = ""  # in the log
    aside: tuple[int, ...] = ()  # exposures
    fails: bool = False  # whether the amplifier tells nothing
    reason: str = ""  # of the amplifier's points, or of its fit


FAULTS = {
    "nothing": Fault(nothing),
    "an unpaired flat": Fault(unpaired, "no other flat has its exposure time", (7,)),
    "a corrupt frame": Fault(corrupt, "flat.fits is cut short", (5, 6)),
    "saturated pairs": Fault(saturated, "are saturated", reason="100% of its pixels are saturated"),
    "a dead amplifier": Fault(dead, "sees no light", fails=True, reason="the amplifier sees no light"),
    "a lamp that drifts": Fault(lamp, "the lamp changed"),
    "columns of NaN": Fault(nan_columns),
}


def transfer(given: Given) -> PhotonTransferCurve:
    config = PtcConfig()
    config.chain, config.maxLag, config.samples = CHAIN, 1, 0
    found = PtcTask(config=config).run(**given).ptc
    assert isinstance(found, PhotonTransferCurve)
    return found


@pytest.mark.parametrize("name", FAULTS)
def test_photon_transfer(name: str, caplog: pytest.LogCaptureFixture) -> None:
    fault, flats = FAULTS[name], Flats("sixteen", LEVELS, equation=16)
    pulls = []
    for seed in SEEDS:
        given = flats.offered(seed)
        fault.spoil(given)
        with caplog.at_level(logging.WARNING):
            product = transfer(given)
        assert fault.says in caplog.text
        assert tuple(note.exposure for note in product.aside) == fault.aside
        assert all(note.reason for note in product.aside)
        # Used and set aside are all that were offered, each once.
        used = [*product.pairs.first, *product.pairs.second]
        assert sorted([*used, *fault.aside]) == [one.exposure for one in given["raws"]]
        for number, (one, true) in enumerate(zip(product.amplifiers, flats.truth(seed), strict=True)):
            if number == BAD and fault.fails:
                assert (one.fit.determined, one.fit.reason) == (False, fault.reason)
                continue
            assert one.fit.determined
            if number == BAD and fault.reason:
                assert fault.reason in one.reasons
            pulls.append(
                (
                    (one.fit.gain - true.gain) / one.fit.gain_error,
                    (one.fit.noise - true.gain * true.noise[0, 0] ** 0.5) / one.fit.noise_error,
                    (one.fit.a[0, 0] - true.a[0, 0]) / one.fit.a_error[0, 0],
                )
            )
    limit = 4 / np.sqrt(len(pulls))
    assert len(pulls) >= 60
    assert np.abs(np.mean(pulls, axis=0)).max() < limit
    assert np.abs(np.mean(np.square(pulls), axis=0) - 1).max() < np.sqrt(2) * limit


def test_one_level_only_is_what_every_amplifier_says(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        product = transfer(Flats("sixteen", (2e4,) * 6).offered(1))
    assert len(product.pairs) == 6
    assert not product.aside
    for one in product.amplifiers:
        assert not one.fit.determined
        assert one.fit.reason.startswith("one level only: pairs from ")
    assert caplog.text.count("one level only") == 16


def jump(given: Given) -> None:
    """The lamp is a tenth brighter than the photodiode says."""
    record = given["records"][10]
    brighter = record.facts.model_copy(update={"photodiode": record.facts.photodiode / 1.1})
    given["records"][10] = record.model_copy(update={"facts": brighter})


LINEARITY = {
    "nothing": Fault(nothing),
    "a corrupt frame": Fault(corrupt, "flat.fits is cut short", (5,)),
    "saturated frames": Fault(saturated, "saturated"),
    "a dead amplifier": Fault(dead, "amplifier C05: ", fails=True),
    "a lamp that drifts": Fault(jump),
    "columns of NaN": Fault(nan_columns),
}


@pytest.mark.parametrize("name", LINEARITY)
def test_linearity(name: str, caplog: pytest.LogCaptureFixture) -> None:
    fault, ramp = LINEARITY[name], Ramp("sixteen", len(SEEDS), 3e-5)
    config = LinearizerConfig()
    config.chain, config.abscissa, config.stability = CHAIN, "photodiode", ramp.stability
    config.model.nodes = NODES
    at, pulls = np.array(AT), []
    for seed in SEEDS:
        given = ramp.offered(seed)
        fault.spoil(given)
        with caplog.at_level(logging.WARNING):
            product = LinearizerTask(config=config).run(**given).linearizer
        assert isinstance(product, Linearizer)
        assert fault.says in caplog.text
        keys = product.metadata
        aside = [int(keys[f"FID ASIDE {k} ID"]) for k in range(int(keys["FID NASIDE"]))]
        assert tuple(aside) == fault.aside
        assert sorted([*product.exposures, *aside]) == [one.exposure for one in given["raws"]]
        for number, (one, curve) in enumerate(zip(product.amplifiers, ramp.curves(seed), strict=True)):
            if number == BAD and fault.fails:
                assert not one.determined
                assert one.reason
                continue
            assert one.determined
            if fault.spoil is jump:
                assert one.outlier.tolist() == [exposure == 10 for exposure in product.exposures]
            reference = one.reference * GAIN
            gauge = reference / (reference + float(curve.correction(np.array(reference))))
            true = (at + curve.correction(at)) * gauge - at
            made = unpack_model(one.model, one.parameters).correction(at / GAIN) * GAIN
            error = np.interp(at / GAIN, one.error_signal, one.error_correction) * GAIN
            inside = at / GAIN <= one.maximum
            pulls.append(np.where(inside, (made - true) / error, 0.0))
    assert len(pulls) >= 60
    # A fifth of their variance is the light's, which the amplifiers of a detector share.
    assert np.abs(np.mean(pulls, axis=0)).max() < 4 * np.sqrt(0.2 / len(SEEDS) + 0.8 / len(pulls))
    assert np.abs(pulls).max() < 5
