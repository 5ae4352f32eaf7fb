"""Small FITS files of many kinds, for the tests of frames."""

from __future__ import annotations

import gzip
import io

import numpy as np
from astropy.io import fits

from fiducial.cameras.model import Amplifier, Camera, Detector, Layout
from fiducial.cameras.regions import Region
from fiducial.cameras.rules import HeaderRules

SHAPE = (24, 40)


def pixels(seed: int = 0, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """Integers around 1000 with a noise of 5."""
    return np.rint(np.random.default_rng(seed).normal(1000, 5, shape)).astype(np.uint16)


def to_bytes(*hdus: fits.PrimaryHDU | fits.ImageHDU | fits.CompImageHDU | fits.BinTableHDU) -> bytes:
    """The bytes of a FITS file."""
    stream = io.BytesIO()
    fits.HDUList(list(hdus)).writeto(stream)
    return stream.getvalue()


def plain(data: np.ndarray | None = None, **cards: object) -> bytes:
    """One image in the primary HDU."""
    primary = fits.PrimaryHDU(pixels() if data is None else data)
    for key, value in cards.items():
        primary.header[key] = value
    return to_bytes(primary)


def compressed(data: np.ndarray | None = None, **options: object) -> bytes:
    """One tile-compressed image in the first extension."""
    image = fits.CompImageHDU(pixels() if data is None else data, **options)
    image.header["OBJECT"] = "it's"
    return to_bytes(fits.PrimaryHDU(), image)


def many_kinds() -> dict[str, bytes]:
    """A file of every kind that is read: types, extensions, compressions."""
    integers = pixels()
    floats = np.random.default_rng(1).normal(1000, 5, SHAPE).astype(np.float32)
    segments = [fits.ImageHDU(pixels(i).astype(np.int32), name=f"Segment1{i}") for i in range(3)]
    table = fits.BinTableHDU(np.rec.array([(1.0, 2)], dtype=[("a", "f8"), ("b", "i4")]), name="COND")
    quantized = {"quantize_level": 16, "quantize_method": 1, "dither_seed": 7}
    return {
        "uint16": plain(),
        "int16": plain(integers.astype(np.int16)),
        "int32": plain(integers.astype(np.int32)),
        "float32": plain(floats),
        "float64": plain(floats.astype(np.float64)),
        "uint8": plain((integers % 250).astype(np.uint8)),
        "segments": to_bytes(fits.PrimaryHDU(), *segments, table),
        "gzip": gzip.compress(plain(), mtime=0),
        "rice": compressed(),
        "rice tiles": compressed(integers.astype(np.int32), tile_shape=(7, 11)),
        "gzip tiles": compressed(compression_type="GZIP_2", tile_shape=(5, 40)),
        "hcompress": compressed(compression_type="HCOMPRESS_1", tile_shape=SHAPE),
        "plio": compressed(integers.astype(np.int16), compression_type="PLIO_1"),
        "rice floats": compressed(floats, **quantized),
    }


def camera(
    *, amplifiers: int = 2, saturation: float = 60000.0, rules: dict[str, object] | None = None
) -> Camera:
    """A camera of frames of `SHAPE`: 16 data columns for each amplifier, its overscan at the right."""
    left = Amplifier(
        name="A",
        data=Region(0, 16, 0, 24),
        detector=Region(0, 16, 0, 24),
        serial_overscan=Region(32, 36, 0, 24),
        gain=1.5,
        read_noise=6.0,
        saturation=saturation,
    )
    right = Amplifier(
        name="B",
        data=Region(16, 32, 0, 24),
        detector=Region(16, 32, 0, 24),
        serial_overscan=Region(36, 40, 0, 24),
        read_corner="LR",
        gain=1.5,
        read_noise=6.0,
        saturation=saturation,
    )
    headers = rules or {
        "recognise": {"INSTRUME": "Small"},
        "frame_types": [
            {"type": "bias", "when": {"IMGTYPE": "bias"}},
            {"type": "flat", "when": {"IMGTYPE": "flat"}},
        ],
        "day_obs": "DAYOBS",
        "seq_num": "SEQNUM",
        "begin": "DATE-BEG",
        "exposure_time": "EXPTIME",
        "filter": {"key": "FILTER", "default": "none"},
    }
    return Camera(
        name="Small",
        layouts={"one": Layout(raw_shape=SHAPE, amplifiers=(left, right)[:amplifiers])},
        detectors=(Detector(id=0, name="D0", layout="one"),),
        headers=HeaderRules.model_validate(headers),
    )


CARDS: dict[str, object] = {
    "INSTRUME": "Small",
    "IMGTYPE": "bias",
    "DAYOBS": 20260115,
    "SEQNUM": 7,
    "DATE-BEG": "2026-01-15T21:00:00.000",
    "TIMESYS": "TAI",
    "EXPTIME": 0.0,
    "FILTER": "r",
}
