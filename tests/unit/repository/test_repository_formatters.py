"""What the middleware stores for us, and what other programs make of it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
import yaml
from astropy.io import fits
from astropy.nddata import CCDData, VarianceUncertainty
from lsst.daf.butler import DatasetProvenance, DatasetType
from lsst.images import Box, Mask, MaskedImage, MaskPlane, MaskSchema
from lsst.images import fits as fits_archive
from lsst.images.serialization import open_archive

from fiducial.errors import ConfigurationError, IntegrityError, first_of_ours
from fiducial.frames.raw import RawFrame
from fiducial.products.base import Product, product_hdus, read_product, register_product
from fiducial.products.images import content_hash, mask_schema, planes_of, to_masked_image
from fiducial.products.masks import Plane
from fiducial.repository import Repository
from fiducial.repository.whole_mask import WholeMask, read_whole
from repository_frames import SHAPE, calibration, put_bias


def stored_path(repository: Repository, ref: Any) -> Path:
    return Path(repository.butler.getURI(ref).ospath)


def came_from(ref: Any) -> DatasetProvenance:
    provenance = DatasetProvenance()
    provenance.add_input(ref)
    return provenance


def test_an_image_comes_back_bit_for_bit(repository: Repository) -> None:
    image = calibration()
    image.image.array[3, 4] = np.nan
    image.mask.array[3, 4, 0] = Plane.CLIPPED | Plane.BAD
    before = content_hash(image)
    repository.butler.collections.register("TinyCam/test")
    ref = repository.butler.put(image, "bias", instrument="TinyCam", detector=0, run="TinyCam/test")
    again = repository.butler.get(ref)
    assert content_hash(again) == content_hash(image) == before
    for mine, theirs in zip(planes_of(image), planes_of(again), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert planes_of(again).mask.dtype == np.int32


def planes_on_disk(path: Path) -> dict[str, tuple[dict[str, Any], bytes]]:
    """Cards (but when it was written) and bytes of every HDU, by name."""
    with fits.open(path, disable_image_compression=True) as hdus:
        return {
            hdu.name: ({k: v for k, v in hdu.header.items() if k != "DATE"}, np.asarray(hdu.data).tobytes())
            for hdu in hdus[1:]
        }


@pytest.mark.parametrize(
    "schema", [mask_schema(), MaskSchema([None, MaskPlane("A", ""), MaskPlane("B", "")])]
)
def test_masks_are_written_as_the_library_would(tmp_path: Path, schema: MaskSchema) -> None:
    """What `WholeMask` writes, against the way that it cuts short; another mask than ours is left to it."""
    image = calibration()
    bits = np.random.default_rng(3).integers(0, 8, (*SHAPE, schema.mask_size)).astype(schema.dtype)
    bits[0, 0] = schema.bitmask(*schema.names)
    files = tmp_path / "library.fits", tmp_path / "ours.fits"
    for file, wrap in zip(files, (lambda mask: mask, WholeMask.of), strict=True):
        mask = wrap(Mask(bits, schema=schema))
        fits_archive.write(MaskedImage(image.image, mask=mask, variance=image.variance), file)
    library, ours = map(planes_on_disk, files)
    assert library == ours
    assert "MASK" in ours


@pytest.mark.parametrize(
    "schema", [mask_schema(), MaskSchema([None, MaskPlane("A", ""), MaskPlane("B", "")], dtype=np.int32)]
)
def test_images_are_read_as_the_library_would(tmp_path: Path, schema: MaskSchema) -> None:
    image, file = calibration(), tmp_path / "image.fits"
    bits = np.random.default_rng(4).integers(0, 8, (*SHAPE, 1)).astype(np.int32)
    bits &= np.int32(schema.bitmask(*schema.names)[0])
    bits[0, 0] = schema.bitmask(*schema.names)
    mask = Mask(bits, schema=schema)
    written = MaskedImage(image.image, mask=mask, variance=image.variance, metadata={"A": 1})
    fits_archive.write(written, file)
    with open_archive(file, cls=MaskedImage) as reader:
        library = reader.read()
    ours = read_whole(str(file))
    assert (ours.image, ours.mask, ours.variance) == (library.image, library.mask, library.variance)
    np.testing.assert_array_equal(ours.mask.array, bits)
    assert ours.mask.array.dtype == library.mask.array.dtype
    assert ours.metadata == library.metadata == {"A": 1}
    headers = ours._opaque_metadata.headers, library._opaque_metadata.headers
    assert headers[0].keys() == headers[1].keys()
    assert all(dict(one) == dict(other) for one, other in zip(*(h.values() for h in headers), strict=True))


def test_our_own_masks_take_the_short_way_and_others_do_not() -> None:
    assert isinstance(WholeMask.of(calibration().mask), WholeMask)
    schema = MaskSchema([None, MaskPlane("A", "")], dtype=np.int32)
    assert not isinstance(WholeMask.of(Mask(np.zeros((*SHAPE, 1), np.int32), schema=schema)), WholeMask)


def test_what_was_read_is_written_alike(repository: Repository) -> None:
    (first,) = put_bias(repository, "TinyCam/one", (0,))
    image = repository.butler.get(first)
    repository.butler.collections.register("TinyCam/two")
    second = repository.butler.put(image, "bias", instrument="TinyCam", detector=0, run="TinyCam/two")
    assert content_hash(repository.butler.get(second)) == content_hash(image)
    with fits.open(stored_path(repository, second)) as hdus:
        assert list(hdus["VARIANCE"].header).count("UTYPE") == 1
        assert list(hdus[0].header).count("OBSTYPE") == 1


def test_where_it_comes_from_is_no_content(repository: Repository) -> None:
    """Inputs' ids differ from run to run; the middleware writes them into the header."""
    (first,) = put_bias(repository, "TinyCam/one", (0,))
    repository.butler.collections.register("TinyCam/two")
    second = repository.butler.put(
        calibration(1),
        "bias",
        instrument="TinyCam",
        detector=0,
        run="TinyCam/two",
        provenance=came_from(first),
    )
    with fits.open(stored_path(repository, second)) as hdus:
        assert any("BUTLER INPUT" in key for key in hdus[0].header)
    assert content_hash(repository.butler.get(second)) == content_hash(repository.butler.get(first))


def ask_for_recipe(root: Path, recipe: str) -> None:
    """Configure how biases are written."""
    file = root / "butler.yaml"
    config = yaml.safe_load(file.read_text())
    config["datastore"]["formatters"]["bias"] = {
        "formatter": "fiducial.repository.formatters_image.CalibrationImageFormatter",
        "parameters": {"recipe": recipe},
    }
    file.write_text(yaml.safe_dump(config))


def test_the_recipe_lossless_compresses_and_every_bit_comes_back(repository: Repository) -> None:
    image = calibration()
    image.image.array[3, 4] = np.nan
    image.mask.array[3, 4, 0] = Plane.CLIPPED | Plane.BAD
    ask_for_recipe(Path(repository.root), "lossless")
    with Repository.open(repository.root, writeable=True) as again:
        again.butler.collections.register("TinyCam/test")
        ref = again.butler.put(image, "bias", instrument="TinyCam", detector=0, run="TinyCam/test")
        found = again.butler.get(ref)
        part = again.butler.get(ref, parameters={"bbox": Box.factory[1:5, 2:9]})
        path = stored_path(again, ref)
    assert content_hash(found) == content_hash(image)
    np.testing.assert_array_equal(part.image.array, image.image.array[1:5, 2:9])
    with fits.open(path, disable_image_compression=True) as hdus:
        kinds = [hdus[name].header.get("ZCMPTYPE") for name in ("IMAGE", "MASK", "VARIANCE")]
    assert kinds == ["GZIP_2", "RICE_1", "GZIP_2"]
    with fits.open(path) as hdus:
        assert hdus["IMAGE"].data.astype("f4").tobytes() == planes_of(image).image.tobytes()
    with RawFrame.open(path) as frame:
        np.testing.assert_array_equal(frame.read("VARIANCE"), planes_of(image).variance)


def test_a_recipe_that_there_is_not_is_refused(repository: Repository) -> None:
    ask_for_recipe(Path(repository.root), "lossy")
    with Repository.open(repository.root, writeable=True) as again:
        again.butler.collections.register("TinyCam/test")
        with pytest.raises(Exception, match="serialize") as caught:
            again.butler.put(calibration(), "bias", instrument="TinyCam", detector=0, run="TinyCam/test")
    error = first_of_ours(caught.value)
    assert isinstance(error, ConfigurationError)
    assert "'lossy'" in str(error)


def test_planes_are_uncompressed_fits_with_science_cards(repository: Repository) -> None:
    metadata = {"OBSTYPE": "bias", "FID NINPUT": 3, "FID INPUT 0 SHA256": "a" * 64, "FID BAD": math.nan}
    image = to_masked_image(
        np.ones(SHAPE, np.float32),
        np.ones(SHAPE, np.float32),
        np.zeros(SHAPE, np.int32),
        unit=calibration().unit,
        metadata=metadata,
    )
    repository.butler.collections.register("TinyCam/test")
    ref = repository.butler.put(image, "bias", instrument="TinyCam", detector=0, run="TinyCam/test")
    with fits.open(stored_path(repository, ref)) as hdus:
        assert [h.name for h in hdus][1:4] == ["IMAGE", "MASK", "VARIANCE"]
        assert all(type(h) is fits.ImageHDU for h in hdus[1:4])
        assert [h.header["BITPIX"] for h in hdus[1:4]] == [-32, 32, -32]
        assert hdus[1].header["BUNIT"] == "electron"
        header = hdus[0].header
        assert (header["OBSTYPE"], header["FID NINPUT"], header["FID INPUT 0 SHA256"]) == (
            "bias",
            3,
            "a" * 64,
        )
        assert header["FID BAD"] == "nan"  # FITS has no card for it
    assert math.isnan(repository.butler.get(ref).metadata["FID BAD"])


def test_astropy_reads_variance_as_variance(repository: Repository) -> None:
    (ref,) = put_bias(repository, "TinyCam/test", (0,))
    ccd = CCDData.read(stored_path(repository, ref), hdu="IMAGE", hdu_uncertainty="VARIANCE")
    assert isinstance(ccd.uncertainty, VarianceUncertainty)
    np.testing.assert_array_equal(ccd.data, planes_of(repository.butler.get(ref)).image)
    np.testing.assert_array_equal(ccd.uncertainty.array, np.full(SHAPE, 0.25))
    assert ccd.uncertainty.unit == ccd.unit**2
    assert not ccd.mask.any()


def test_parts_of_an_image(repository: Repository) -> None:
    (ref,) = put_bias(repository, "TinyCam/test", (0,))
    whole = planes_of(repository.butler.get(ref)).image
    part = repository.butler.get(ref, parameters={"bbox": Box.factory[2:5, 3:9]})
    np.testing.assert_array_equal(part.image.array, whole[2:5, 3:9])
    np.testing.assert_array_equal(repository.butler.get(ref.makeComponentRef("image")).array, whole)


def test_raw_frames_are_never_written(night: Repository) -> None:
    raw = night.butler.get(night.butler.query_datasets("raw", "TinyCam/raw/all")[0])
    night.butler.collections.register("TinyCam/test")
    with raw, pytest.raises(RuntimeError) as caught:
        night.butler.put(
            raw, "raw", instrument="TinyCam", exposure=2024032600001, detector=0, run="TinyCam/test"
        )
    assert isinstance(caught.value.__cause__, NotImplementedError)


@register_product("tests-curve")
class Curve:
    """A product of a plug-in."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def to_hdus(self) -> fits.HDUList:
        primary = fits.PrimaryHDU(self.values)
        primary.header["FIDKIND"], primary.header["FIDSCHEM"] = "tests-curve", 1
        return fits.HDUList([primary])

    @classmethod
    def from_hdus(cls, hdus: fits.HDUList) -> Self:
        if hdus[0].header["FIDSCHEM"] > 1:
            raise ValueError("layout 2")
        return cls(hdus[0].data.astype(np.float64))


def curve_type(repository: Repository) -> DatasetType:
    kind = DatasetType(
        "curve", ("instrument", "detector"), "FiducialProduct", universe=repository.butler.dimensions
    )
    repository.butler.registry.registerDatasetType(kind)
    repository.butler.collections.register("TinyCam/test")
    return kind


def test_any_product_goes_to_fits_and_back(repository: Repository) -> None:
    values = np.array([1.0, np.nan, 3.0])
    ref = repository.butler.put(
        Curve(values), curve_type(repository), instrument="TinyCam", detector=0, run="TinyCam/test"
    )
    again = repository.butler.get(ref)
    assert isinstance(again, Curve)
    assert isinstance(again, Product)
    np.testing.assert_array_equal(again.values, values)
    assert stored_path(repository, ref).read_bytes().startswith(b"SIMPLE")


def test_products_that_nothing_reads_are_refused() -> None:
    class Stray:
        def to_hdus(self) -> fits.HDUList:
            primary = fits.PrimaryHDU()
            primary.header["FIDKIND"] = "stray"
            return fits.HDUList([primary])

        @classmethod
        def from_hdus(cls, hdus: fits.HDUList) -> Self:
            return cls()

    with pytest.raises(ValueError, match="nothing reads products of kind 'stray'"):
        product_hdus(Stray())
    with pytest.raises(IntegrityError, match="nothing reads products of kind 'stray'"):
        read_product(Stray().to_hdus(), "a.fits")
    with pytest.raises(IntegrityError, match="no card FIDKIND"):
        read_product(fits.HDUList([fits.PrimaryHDU()]), "a.fits")
    newer = Curve(np.zeros(1)).to_hdus()
    newer[0].header["FIDSCHEM"] = 2
    with pytest.raises(IntegrityError, match="layout 2"):
        read_product(newer, "a.fits")


def test_a_kind_has_one_class() -> None:
    with pytest.raises(ValueError, match="are read by Curve already"):
        register_product("tests-curve")(type("Other", (Curve,), {}))


def test_a_certified_file_that_changed_is_not_served(repository: Repository) -> None:
    refs = put_bias(repository, "TinyCam/gen")
    repository.certify("bias", "TinyCam/gen", "TinyCam/bias", begin="2024-01-01")
    assert repository.butler.get(refs[0]) is not None
    path = stored_path(repository, refs[0])
    data = bytearray(path.read_bytes())
    with fits.open(path) as hdus:
        data[hdus["IMAGE"].fileinfo()["datLoc"] + 5] ^= 1  # one bit of one pixel: the size stays
    path.write_bytes(bytes(data))
    for what in (refs[0], refs[0].makeComponentRef("image")):
        with pytest.raises(Exception, match=r"Failure from formatter|certified") as caught:
            repository.butler.get(what)
        ours = first_of_ours(caught.value)
        assert isinstance(ours, IntegrityError)
        assert str(path) in ours.message
    assert repository.butler.get(refs[1]) is not None
