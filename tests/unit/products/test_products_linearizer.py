"""The linearizer as a file: everything comes back, and others can read it."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from fiducial.errors import IntegrityError
from fiducial.products.base import product_hdus, read_product
from fiducial.products.linearizer import AmplifierLinearity, Linearizer

LEVELS = 7


def amplifier(name: str, model: str, parameters: list[float], reason: str = "") -> AmplifierLinearity:
    rng = np.random.default_rng(len(name))
    return AmplifierLinearity(
        name,
        not reason,
        reason,
        model,
        np.array(parameters),
        np.inf if reason else 6e4,
        3e4,
        np.nan if reason else 1e-4,
        12.5,
        9,
        rng.uniform(0, 6e4, LEVELS),
        rng.uniform(1, 2, LEVELS),
        np.arange(LEVELS) + 0.5,
        np.arange(LEVELS, dtype=np.int32) % 2,
        np.arange(LEVELS) > 0,
        np.arange(LEVELS) == 3,
        rng.normal(0, 1e-4, LEVELS),
        np.linspace(0, 6e4, 0 if reason else 5),
        np.linspace(0, 3.0, 0 if reason else 5),
    )


PRODUCT = Linearizer(
    3,
    "adu",
    "photodiode",
    np.arange(LEVELS) + 2026011500001,
    (
        amplifier("A", "spline", [0.0, 1e4, 6e4, 0.0, 2.0, -3.0]),
        amplifier("longer name", "squared", [6e4, 0.0, 1e-7]),
        amplifier("dead", "proportional", [], "no signal: the amplifier is dead or the lamp was off"),
    ),
    {"INSTRUME": "TinyCam", "DETECTOR": 3, "FID KIND": "linearizer", "FID RUN CREATED": "now", "FID X": 1.5},
)


def stored(product: Linearizer) -> fits.HDUList:
    stream = io.BytesIO()
    product_hdus(product).writeto(stream, checksum=True)
    return fits.open(io.BytesIO(stream.getvalue()))


def test_what_is_written_is_read_back() -> None:
    again = read_product(stored(PRODUCT), "file")
    assert isinstance(again, Linearizer)
    assert again.metadata == PRODUCT.metadata
    assert (again.detector, again.unit, again.abscissa) == (3, "adu", "photodiode")
    np.testing.assert_array_equal(again.exposures, PRODUCT.exposures)
    for one, other in zip(again.amplifiers, PRODUCT.amplifiers, strict=True):
        for name, value in vars(other).items():
            np.testing.assert_array_equal(getattr(one, name), value, err_msg=name)
    assert again.content_hash() == PRODUCT.content_hash()
    assert again.amplifier("dead") is again.amplifiers[2]
    assert again.amplifier("none") is None


def test_equal_content_has_an_equal_hash_whatever_the_run() -> None:
    later = replace(PRODUCT, metadata=PRODUCT.metadata | {"FID RUN CREATED": "later"})
    assert later.content_hash() == PRODUCT.content_hash()
    first = PRODUCT.amplifiers[0]
    for change in (
        replace(PRODUCT, unit="electron"),
        replace(PRODUCT, metadata=PRODUCT.metadata | {"FID X": 1.6}),
        replace(PRODUCT, amplifiers=(replace(first, reference=1.0), *PRODUCT.amplifiers[1:])),
        replace(PRODUCT, amplifiers=(replace(first, residual=first.residual * 2), *PRODUCT.amplifiers[1:])),
    ):
        assert change.content_hash() != PRODUCT.content_hash()


def test_tables_are_read_by_others_with_their_units() -> None:
    hdus = stored(PRODUCT)
    levels = Table.read(hdus["LEVELS"])
    assert str(levels["signal"].unit) == "adu"
    assert len(levels) == 3 * LEVELS
    assert set(levels["amplifier"]) == {"A", "longer name", "dead"}


def test_a_later_layout_is_refused() -> None:
    hdus = stored(PRODUCT)
    hdus[0].header["FIDSCHEM"] = 99
    with pytest.raises(IntegrityError, match="layout 99"):
        read_product(hdus, "file")
