"""What the Rice coder writes is what it was given, and no longer than what the FITS library writes."""

from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_array_equal

import rice_reference
from fiducial.kernels.tiles import rice_encode, rice_tiles

ROOT = Path(__file__).resolve().parents[3]
SHAPE = (23, 75)


def images(dtype: type) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(8)
    top = int(np.iinfo(dtype).max)
    ends = np.indices(SHAPE).sum(axis=0) % 2 == 0
    some = {f"noise {s}": np.rint(rng.normal(top // 2, s, SHAPE)) % top for s in (0.2, 1, 7, 60, 2e3, 1e7)}
    some |= {
        "constant": np.full(SHAPE, top),
        "ends": np.where(ends, 0, top),
        "anything": rng.integers(0, top, SHAPE, np.uint64, endpoint=True),
        "a star": np.where(np.arange(SHAPE[1]) == 40, top, 5 + rng.integers(0, 4, SHAPE)),
    }
    return {name: image.astype(np.uint64).astype(dtype) for name, image in some.items()}


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("tile", [(1, 75), (23, 75), (5, 32), (2, 75), (23, 7), (64, 100)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_what_is_coded_is_decoded(dtype: type, tile: tuple[int, int], threads: int) -> None:
    for zero in (0, 1 << (8 * np.dtype(dtype).itemsize - 1)):
        for block in (16, 32, 5, 1000):
            for name, image in images(dtype).items():
                options = {"tile": tile, "block": block, "zero": zero, "threads": threads}
                heap, lengths = rice_encode(image, **options)
                assert heap.size == lengths.sum()
                out = np.zeros_like(image)
                offsets = np.cumsum(lengths) - lengths
                assert rice_tiles(heap, offsets, lengths, out, image=SHAPE, **options) is None
                assert_array_equal(out, image, err_msg=name)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_each_block_has_the_best_number_of_low_bits(dtype: type) -> None:
    for name, image in images(dtype).items():
        heap, _ = rice_encode(image, tile=SHAPE)
        assert heap.size <= len(rice_reference.encode(image, 32)), name


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32])
def test_the_fits_library_reads_it_and_writes_no_less(dtype: type) -> None:
    unsigned = np.dtype(f"u{np.dtype(dtype).itemsize}")
    for name, image in images(unsigned.type).items():
        heap, lengths = rice_encode(image, tile=(1, SHAPE[1]))
        signed = image.view(dtype)
        theirs = io.BytesIO()
        fits.CompImageHDU(signed, compression_type="RICE_1").writeto(theirs)
        theirs.seek(0)
        with fits.open(theirs, disable_image_compression=True) as opened:
            # Their table and header around our bytes.
            table = opened[1]
            start = table.fileinfo()["datLoc"]
            assert lengths.sum() <= table.header["PCOUNT"], name
            table.header["PCOUNT"] = heap.size
            header = (
                bytes(theirs.getbuffer()[: table.fileinfo()["hdrLoc"]]) + table.header.tostring().encode()
            )
            assert len(header) == start
        descriptors = np.stack([lengths, np.cumsum(lengths) - lengths], axis=1).astype(">i4")
        data = header + descriptors.tobytes() + heap.tobytes()
        with fits.open(io.BytesIO(data + bytes(-len(data) % 2880))) as opened:
            assert_array_equal(opened[1].data, signed, err_msg=name)


def test_what_cannot_be_coded_is_refused() -> None:
    image = np.zeros((4, 5), np.uint16)
    for change in ({"tile": (0, 5)}, {"block": 0}, {"image": image[:0]}, {"image": image[0]}):
        with pytest.raises(ValueError, match="cannot be coded"):
            rice_encode(**{"image": image, "tile": (1, 5)} | change)
    with pytest.raises(TypeError):
        rice_encode(image.astype(np.float32), tile=(1, 5))


@pytest.mark.slow
def test_the_fuzzer_finds_nothing(tmp_path: Path) -> None:
    """`make fuzz` runs more of them."""
    done = subprocess.run(
        [ROOT / "tests" / "fuzz" / "run", "30000", "5"],
        env=os.environ | {"FUZZ_BUILD": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("30000 inputs from seed 5: ")
