"""Masters that something else made."""

from __future__ import annotations

from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits

from fiducial.errors import HeaderError, LayoutMismatch, UnreadableFrame, UsageError
from fiducial.products.images import planes_of
from fiducial.products.masks import Plane
from fiducial.repository import Repository
from repository_frames import SHAPE

GAINS = {"A": 2.0, "B": 4.0}  # of the tiny camera: columns 0 to 15 and 16 to 31


def write_master(path: Path, pixels: np.ndarray | None = None, **cards: object) -> Path:
    rng = np.random.default_rng(3)
    hdu = fits.PrimaryHDU(rng.normal(0, 2.0, SHAPE).astype(np.float32) if pixels is None else pixels)
    for name, value in cards.items():
        hdu.header[name] = value
    hdu.writeto(path)
    return path


def test_a_bias_in_adu_is_served_in_electrons(repository: Repository, tmp_path: Path) -> None:
    file = write_master(tmp_path / "b.fits", BUNIT="adu", DETECTOR=1)
    done = repository.adopt("bias", [file], begin="2023-01-01", end="2024-01-01")
    assert done.collection.startswith("TinyCam/calib/adopted/bias/")
    ref = repository.find_calibration("bias", "2023-06-01", 1)
    assert ref is not None
    assert repository.find_calibration("bias", "2024-01-01", 1) is None
    image = repository.butler.get(ref)
    original = fits.getdata(file)
    planes = planes_of(image)
    assert image.unit == u.electron
    np.testing.assert_allclose(planes.image[:, :16], original[:, :16] * GAINS["A"], rtol=1e-6)
    np.testing.assert_allclose(planes.image[:, 16:], original[:, 16:] * GAINS["B"], rtol=1e-6)
    assert image.metadata["FID ADOPTED FILE"] == "b.fits"
    assert image.metadata["DETECTOR"] == 1
    # Estimated from 24 x 15 differences of neighbours: sigma of a variance from N values is sqrt(3/N) here,
    # since neighbouring differences share a pixel; five of them.
    for columns, gain in ((slice(0, 16), 2.0), (slice(16, 32), 4.0)):
        assert planes.variance[0, columns][0] == pytest.approx((2.0 * gain) ** 2, rel=5 * np.sqrt(3 / 360))


def test_the_ledger_tells_of_it(repository: Repository, tmp_path: Path) -> None:
    repository.adopt("bias", [write_master(tmp_path / "b.fits", BUNIT="adu", DETECTOR=0)], begin=None)
    assert [entry.verb for entry in repository.history()] == ["init", "certify", "chain"]
    assert repository.history()[1].inputs["reason"] == "adopted"


def test_variance_and_mask_of_the_file(repository: Repository, tmp_path: Path) -> None:
    file = write_master(tmp_path / "b.fits", BUNIT="electron", DETECTOR="S00")
    mask = np.zeros(SHAPE, np.int32)
    mask[2, 3] = 4
    with fits.open(file, mode="append") as hdus:
        hdus.append(fits.ImageHDU(np.full(SHAPE, 3.0, np.float32), name="VARIANCE"))
        hdus.append(fits.ImageHDU(mask, name="MASK"))
    repository.adopt("bias", [file], begin=None)
    planes = planes_of(repository.butler.get(repository.find_calibration("bias", "2024-01-01", 0)))
    assert (planes.variance == 3.0).all()
    assert planes.mask[2, 3] == Plane.BAD
    assert (planes.mask != 0).sum() == 1


def test_pixels_that_are_not_numbers_are_masked(repository: Repository, tmp_path: Path) -> None:
    pixels = np.ones(SHAPE, np.float32)
    pixels[1, 1] = np.nan
    repository.adopt(
        "bias", [write_master(tmp_path / "b.fits", pixels, BUNIT="electron", DETECTOR=0)], begin=None
    )
    planes = planes_of(repository.butler.get(repository.find_calibration("bias", "2024-01-01", 0)))
    assert planes.mask[1, 1] == Plane.NO_DATA
    assert np.isnan(planes.image[1, 1])


def test_flats_in_counts_keep_the_ratio_of_detectors(repository: Repository, tmp_path: Path) -> None:
    """Detector 1 sees 1.2 times the light; both are divided by one number."""
    adu = np.where(np.arange(SHAPE[1]) < 16, 20000 / GAINS["A"], 20000 / GAINS["B"])
    flat = np.broadcast_to(adu, SHAPE).astype(np.float32)
    files = [
        write_master(tmp_path / "0.fits", flat, BUNIT="adu", DETECTOR=0, FILTER="r"),
        write_master(tmp_path / "1.fits", 1.2 * flat, BUNIT="adu", DETECTOR=1, FILTER="r"),
    ]
    repository.adopt("flat", files, begin=None)
    levels = [
        np.unique(
            planes_of(repository.butler.get(repository.find_calibration("flat", "2024-01-01", d, "r"))).image
        )
        for d in (0, 1)
    ]
    assert all(
        level.size <= 2 for level in levels
    )  # the amplifiers' gains are out; float32 rounding may be left
    assert levels[1][0] / levels[0][0] == pytest.approx(1.2, rel=1e-6)
    assert (levels[0][0] + levels[1][0]) / 2 == pytest.approx(1.0, rel=1e-6)


def test_bootstrap_kinds_stay_in_adu(repository: Repository, tmp_path: Path) -> None:
    file = write_master(tmp_path / "b.fits", BUNIT="adu", DETECTOR=0)
    repository.adopt("biasBootstrap", [file], begin=None)
    image = repository.butler.get(repository.find_calibration("biasBootstrap", "2024-01-01", 0))
    assert image.unit == u.adu
    np.testing.assert_array_equal(planes_of(image).image, fits.getdata(file))


def test_arguments_fill_in_what_the_header_lacks(repository: Repository, tmp_path: Path) -> None:
    file = write_master(tmp_path / "f.fits", np.ones(SHAPE, np.float32))
    repository.adopt("flat", [file], begin=None, detector=1, physical_filter="z", unit="")
    assert repository.find_calibration("flat", "2024-01-01", 1, "z") is not None


@pytest.mark.parametrize(
    ("kind", "cards", "error", "message"),
    [
        ("bias", {"DETECTOR": 0}, HeaderError, "no BUNIT"),
        ("bias", {"BUNIT": "adu"}, HeaderError, "which detector"),
        ("bias", {"BUNIT": "furlong", "DETECTOR": 0}, HeaderError, "makes no sense|is no unit"),
        ("dark", {"BUNIT": "adu", "DETECTOR": 0}, HeaderError, "makes no sense"),
        ("flat", {"BUNIT": "adu", "DETECTOR": 0}, HeaderError, "which filter"),
        ("fringe", {"BUNIT": "adu", "DETECTOR": 0}, UsageError, "no kind 'fringe'"),
    ],
)
def test_what_a_header_must_say(
    repository: Repository, tmp_path: Path, kind: str, cards: dict[str, object], error: type, message: str
) -> None:
    file = write_master(tmp_path / "b.fits", **cards)
    with pytest.raises(error, match=message):
        repository.adopt(kind, [file], begin=None)
    assert not [name for name in repository.butler.collections.query("*") if "adopted" in name]


def test_another_shape_is_refused(repository: Repository, tmp_path: Path) -> None:
    file = write_master(tmp_path / "b.fits", np.zeros((12, 16), np.float32), BUNIT="adu", DETECTOR=0)
    with pytest.raises(LayoutMismatch, match="16 x 12 pixels, but detector 0 of TinyCam has 32 x 24"):
        repository.adopt("bias", [file], begin=None)


def test_an_unknown_detector_a_doubled_one_and_no_fits(repository: Repository, tmp_path: Path) -> None:
    files = [write_master(tmp_path / name, BUNIT="adu", DETECTOR=0) for name in ("a.fits", "b.fits")]
    with pytest.raises(UsageError, match="no detector 7"):
        repository.adopt("bias", files[:1], begin=None, detector=7)
    with pytest.raises(UsageError, match="are of one detector"):
        repository.adopt("bias", files, begin=None)
    (tmp_path / "c.fits").write_text("nothing")
    with pytest.raises(UnreadableFrame):
        repository.adopt("bias", [tmp_path / "c.fits"], begin=None)


def test_another_process_may_have_written_the_first_of_its_kind(
    repository: Repository, tmp_path: Path
) -> None:
    """Two that were open before there was any bias."""
    with Repository.open(repository.root, writeable=True) as other:
        for detector, one in enumerate((other, repository)):
            file = write_master(tmp_path / f"b{detector}.fits", BUNIT="adu", DETECTOR=detector)
            one.adopt("bias", [file], begin="2023-01-01", end="2024-01-01")
    assert repository.find_calibration("bias", "2023-06-01", 0) is not None
    assert repository.find_calibration("bias", "2023-06-01", 1) is not None
