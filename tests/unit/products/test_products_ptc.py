"""The photon transfer curve: everything it holds comes back from FITS, bit by bit."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from fiducial.errors import IntegrityError
from fiducial.products.base import product_hdus, read_product
from fiducial.products.metadata import AsideNote
from fiducial.products.ptc import AmplifierTransfer, FlatPairs, PhotonTransferCurve, TransferFit


def fit_of(rng, pairs, lags, model="covariance", reason=""):
    matrices = [rng.normal(size=(lags, lags)) for _ in range(7)]
    numbers = rng.uniform(1, 9, 5).tolist()
    curve = rng.normal(size=(pairs, lags, lags))
    parameters = np.empty(0) if model == "covariance" else rng.normal(size=3)
    return TransferFit(model, not reason, reason, *numbers, True, *matrices, parameters, curve, 12.5, 9)


def amplifier(name, pairs, lags, **wishes):
    rng = np.random.default_rng(len(name))
    return AmplifierTransfer(
        name,
        *(rng.uniform(0, 1e4, pairs) for _ in range(3)),
        rng.normal(size=(pairs, lags, lags)),
        rng.integers(0, 2**40, (pairs, lags, lags)),
        rng.uniform(1, 2, pairs),
        np.arange(pairs) > 0,
        np.arange(pairs) == 2,
        tuple("" if k else "one of its flats is saturated" for k in range(pairs)),
        *(5.0, 0.1, 9e4, np.nan),
        True,
        fit_of(rng, pairs, lags, **wishes),
    )


def product(pairs=4, lags=3):
    numbers = [np.arange(pairs) + k + 0.5 for k in range(6)]
    return PhotonTransferCurve(
        3,
        lags,
        FlatPairs(
            np.arange(pairs) + 2026011500001,
            np.arange(pairs) + 2026011500101,
            *numbers,
            tuple("gri"[k % 3] for k in range(pairs)),
        ),
        (
            amplifier("A", pairs, lags),
            amplifier("longer name", pairs, lags, model="exponential"),
            amplifier("dead!", pairs, lags, model="polynomial", reason="no light"),
        ),
        (AsideNote(7, "its partner, the ‘second’, " + "is far away " * 20),),
        {"INSTRUME": "TinyCam", "FID X": 1.5, "FID RUN CREATED": "now", "FID INPUT 0 SHA256": "0" * 64},
    )


def stored(one):
    stream = io.BytesIO()
    product_hdus(one).writeto(stream, checksum=True)
    return fits.open(io.BytesIO(stream.getvalue()))


@pytest.mark.parametrize("lags", [1, 3])
@pytest.mark.parametrize("pairs", [0, 1, 4])
def test_what_is_written_is_read_back(pairs, lags):
    one = product(pairs, lags)
    again = read_product(stored(one), "file")
    assert isinstance(again, PhotonTransferCurve)
    assert (again.detector, again.lags, again.aside, again.metadata) == (3, lags, one.aside, one.metadata)
    for name, value in vars(one.pairs).items():
        np.testing.assert_array_equal(getattr(again.pairs, name), value, err_msg=name)
    for mine, its in zip(one.amplifiers, again.amplifiers, strict=True):
        for name, value in (vars(mine) | vars(mine.fit)).items():
            if name != "fit":
                found = getattr(its, name) if name in vars(its) else getattr(its.fit, name)
                np.testing.assert_array_equal(found, value, err_msg=name)
                assert type(found) is type(value), name
    assert again.content_hash() == one.content_hash()
    assert again.amplifier("dead!") is again.amplifiers[2]
    assert again.amplifier("none") is None


def test_equal_content_has_an_equal_hash_whatever_the_run():
    one = product()
    later = replace(one, metadata={**one.metadata, "FID RUN CREATED": "later"})
    assert later.content_hash() == one.content_hash()
    first = one.amplifiers[0]
    for changed in (
        replace(first, turnoff=1.0),
        replace(first, counts=first.counts + 1),
        replace(first, fit=replace(first.fit, gain=2.0)),
        replace(first, fit=replace(first.fit, a=first.fit.a * 2)),
    ):
        other = replace(one, amplifiers=(changed, *one.amplifiers[1:]))
        assert other.content_hash() != one.content_hash()
    for other in (
        replace(one, aside=()),
        replace(one, metadata={**one.metadata, "FID X": 1.6}),
        replace(one, pairs=replace(one.pairs, first=one.pairs.first + 1)),
    ):
        assert other.content_hash() != one.content_hash()


def test_tables_are_read_by_others_with_their_units():
    hdus = stored(product())
    points = Table.read(hdus["POINTS"])
    assert len(points) == 3 * 4
    assert str(points["mean"].unit) == "adu"
    assert points["covariances"].shape == (12, 3, 3)
    assert str(Table.read(hdus["AMPLIFIERS"])["turnoff"].unit) == "adu"
    assert "electron/adu" in str(hdus["AMPLIFIERS"].header["COMMENT"])


def test_a_later_layout_is_refused():
    hdus = stored(product())
    hdus[0].header["FIDSCHEM"] = 99
    with pytest.raises(IntegrityError, match="layout 99"):
        read_product(hdus, "file")


def test_what_later_layouts_have_is_kept_and_missing_in_earlier_ones():
    one = product()
    first = one.amplifiers[0]
    fit = replace(first.fit, rolloff=6e4, rolloff_error=50.0, rolloff_width=5e3, rolloff_width_error=9.0)
    rich = replace(first, tied_gain=1.5, tied_gain_error=0.01, fit=fit)
    one = replace(one, amplifiers=(rich, *one.amplifiers[1:]))
    hdus = stored(one)
    again = read_product(hdus, "file").amplifiers[0]
    assert (again.tied_gain, again.tied_gain_error) == (1.5, 0.01)
    assert (again.fit.rolloff, again.fit.rolloff_error) == (6e4, 50.0)
    assert (again.fit.rolloff_width, again.fit.rolloff_width_error) == (5e3, 9.0)
    later = (
        "tied_gain",
        "tied_gain_error",
        "rolloff",
        "rolloff_error",
        "rolloff_width",
        "rolloff_width_error",
    )
    columns = [column for column in hdus["AMPLIFIERS"].columns if column.name not in later]
    old = fits.BinTableHDU.from_columns(columns, name="AMPLIFIERS")
    early = fits.HDUList([old if hdu.name == "AMPLIFIERS" else hdu for hdu in hdus])
    early[0].header["FIDSCHEM"] = 1
    found = read_product(early, "file").amplifiers[0]
    assert found.fit.gain == first.fit.gain
    assert np.isnan(
        [found.tied_gain, found.tied_gain_error, found.fit.rolloff, found.fit.rolloff_width]
    ).all()
