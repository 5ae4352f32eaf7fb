"""The Rice decoder gives what a plain one gives, for every type, length, block and tile."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import rice_reference
from fiducial.kernels.tiles import TileFault, rice_tiles

TYPES = {1: np.uint8, 2: np.uint16, 4: np.uint32}


def decode(data: bytes, count: int, size: int, block: int = 32, zero: int = 0) -> np.ndarray | TileFault:
    """One tile by the kernel."""
    out = np.empty((1, count), TYPES[size])
    heap = np.frombuffer(data, np.uint8)
    shape = (1, count)
    spans = np.zeros(1, np.int64), np.array([len(data)])
    fault = rice_tiles(heap, *spans, out, image=shape, tile=shape, block=block, zero=zero)
    if fault is None:
        return out[0]
    assert fault[0] == 0
    return fault[1]


def samples(size: int) -> dict[str, np.ndarray]:
    """Pixels of every character."""
    rng = np.random.default_rng(size)
    top = (1 << 8 * size) - 1
    half = top // 2
    noise = {f"noise {s}": np.rint(rng.normal(half, s, 333)) % top for s in (0.3, 2, 8, 50, 900, 3e4, 1e8)}
    some = {
        "one": np.array([top]),
        "constant": np.full(100, half),
        "ramp": np.arange(200) % top,
        "from end to end": np.tile([0, top], 70),
        "greatest jumps": np.tile([half, half + 1 + half // 2, 0, half + 1], 40),
        "largest difference": np.tile([0, half + 1], 33),
        "anything": rng.integers(0, top, 257, endpoint=True),
        "a star": np.where(np.arange(96) == 40, top, half + rng.integers(0, 4, 96)),
        "quiet and loud": np.concatenate([np.zeros(64), rng.integers(0, top, 64), np.full(64, 5)]),
    }
    return {name: values.astype(np.uint64).astype(TYPES[size]) for name, values in (noise | some).items()}


@pytest.mark.parametrize("block", [1, 7, 16, 32, 1000])
@pytest.mark.parametrize("size", TYPES)
def test_pixels_equal_those_of_the_plain_decoder(size: int, block: int) -> None:
    for name, pixels in samples(size).items():
        data = rice_reference.encode(pixels, block)
        plain = rice_reference.decode(data, block, pixels.size, size)
        assert plain is not None
        assert_array_equal(plain, pixels, err_msg=name)
        assert_array_equal(decode(data, pixels.size, size, block), pixels, err_msg=name)


@pytest.mark.parametrize("size", TYPES)
def test_any_number_of_low_bits_is_decoded(size: int) -> None:
    """Not only those that a good writer chooses: long runs of zeros, and none where some were better."""
    rng = np.random.default_rng(3)
    raw = rice_reference.RAW[size]
    largest = 700  # so that runs of zeros stay short enough for this test
    for low in range(raw + 1):
        pixels = (rng.integers(0, largest, 150) % (1 << 8 * size)).astype(TYPES[size])
        data = rice_reference.encode(pixels, 32, lambda codes, raw, low=low: low if any(codes) else -1)
        assert_array_equal(decode(data, pixels.size, size), pixels, err_msg=str(low))


def test_a_run_of_zeros_as_long_as_any() -> None:
    pixels = np.array([0, 0x8000, 0, 0x7FFF, 1], np.uint16)
    data = rice_reference.encode(pixels, 32, lambda codes, raw: 0)
    assert len(data) > 65535 // 8
    assert_array_equal(decode(data, 5, 2), pixels)


@pytest.mark.parametrize("size", TYPES)
def test_zero_is_added_modulo_the_range(size: int) -> None:
    pixels = samples(size)["anything"]
    data = rice_reference.encode(pixels, 32)
    for zero in (1 << (8 * size - 1), 77):
        assert_array_equal(decode(data, pixels.size, size, zero=zero), pixels + TYPES[size](zero))


@pytest.mark.parametrize("size", TYPES)
@pytest.mark.parametrize("name", ["noise 8", "constant", "anything", "from end to end"])
def test_every_truncation_is_found(size: int, name: str) -> None:
    pixels = samples(size)[name]
    data = rice_reference.encode(pixels, 32)
    for length in range(len(data)):
        assert decode(data[:length], pixels.size, size) is TileFault.TRUNCATED


@pytest.mark.parametrize("size", TYPES)
def test_what_follows_the_last_pixel_is_found(size: int) -> None:
    pixels = samples(size)["noise 8"]
    data = rice_reference.encode(pixels, 32)
    assert_array_equal(decode(data + bytes(7), pixels.size, size), pixels)  # padding of a writer
    assert decode(data + bytes(8), pixels.size, size) is TileFault.OVERLONG
    assert decode(data + b"\0\1", pixels.size, size) is TileFault.OVERLONG
    assert decode(data, pixels.size - 64, size) is TileFault.OVERLONG


def test_codes_that_no_pixel_has_are_found() -> None:
    bits = f"{1000:032b}" + "11011" + "0" * 51  # 26 low bits; 24 are the most
    assert decode(int(bits, 2).to_bytes(11, "big"), 1, 4) is TileFault.CORRUPT
    zeros = f"{7:08b}" + "001" + "0" * 512 + "1"  # a difference of 256 from a byte
    zeros += "0" * (-len(zeros) % 8)
    assert decode(int(zeros, 2).to_bytes(len(zeros) // 8, "big"), 1, 1) is TileFault.CORRUPT
    high = f"{7:016b}" + "1110" + "0" * 30 + "1" + "1" * 13  # 30 times 2**13
    assert decode(int(high, 2).to_bytes(8, "big"), 1, 2) is TileFault.CORRUPT


def test_nothing_is_written_outside_the_target() -> None:
    guard = 64
    for size, dtype in TYPES.items():
        pixels = samples(size)["anything"]
        data = np.frombuffer(rice_reference.encode(pixels, 32), np.uint8)
        for damage in range(len(data)):
            broken = data.copy()
            broken[damage] ^= 0xFF
            room = np.full(pixels.size + 2 * guard, 77, dtype)
            out = room[guard:-guard].reshape(1, -1)
            spans = np.zeros(1, np.int64), np.array([len(data)])
            rice_tiles(broken, *spans, out, image=out.shape, tile=out.shape)
            assert (room[:guard] == 77).all()
            assert (room[-guard:] == 77).all()


def tiled(image: np.ndarray, tile: tuple[int, int]) -> list[list[bytes]]:
    ny, nx = image.shape
    return [
        [rice_reference.encode(image[y : y + tile[0], x : x + tile[1]], 32) for x in range(0, nx, tile[1])]
        for y in range(0, ny, tile[0])
    ]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("tile", [(1, 40), (24, 40), (5, 11), (1, 7), (7, 40), (24, 1), (30, 50)])
def test_any_window_of_any_tiles(tile: tuple[int, int], threads: int) -> None:
    rng = np.random.default_rng(5)
    image = np.rint(rng.normal(1000, 7, (24, 40))).astype(np.uint16)
    grid = tiled(image, tile)
    for y0, y1, x0, x1 in [(0, 24, 0, 40), (3, 4, 0, 40), (5, 20, 3, 17), (23, 24, 39, 40), (0, 24, 30, 40)]:
        wanted = [
            data
            for row in grid[y0 // tile[0] : -(-y1 // tile[0])]
            for data in row[x0 // tile[1] : -(-x1 // tile[1])]
        ]
        lengths = np.array([len(data) for data in wanted])
        offsets = np.cumsum(lengths) - lengths
        out = np.zeros((y1 - y0, x1 - x0), np.uint16)
        heap = np.frombuffer(b"".join(wanted), np.uint8)
        options = {"image": image.shape, "tile": tile, "corner": (y0, x0), "threads": threads}
        assert rice_tiles(heap, offsets, lengths, out, **options) is None
        assert_array_equal(out, image[y0:y1, x0:x1])


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_first_bad_tile_is_named_whatever_the_threads(threads: int) -> None:
    rng = np.random.default_rng(6)
    image = np.rint(rng.normal(1000, 7, (400, 700))).astype(np.uint16)
    tiles = [row[0] for row in tiled(image, (1, 700))]
    for bad in (399, 250, 120, 97):
        tiles[bad] = tiles[bad][:-3]
        lengths = np.array([len(data) for data in tiles])
        offsets = np.cumsum(lengths) - lengths
        out = np.zeros_like(image)
        heap = np.frombuffer(b"".join(tiles), np.uint8)
        fault = rice_tiles(heap, offsets, lengths, out, image=image.shape, tile=(1, 700), threads=threads)
        assert fault == (bad, TileFault.TRUNCATED)


@pytest.mark.parametrize(
    "change",
    [
        {"image": (0, 10)},
        {"tile": (1, 0)},
        {"block": 0},
        {"corner": (0, 1)},
        {"corner": (-1, 0)},
        {"offsets": np.array([-1])},
        {"offsets": np.array([1])},
        {"lengths": np.array([10**18])},
        {"lengths": np.array([2, 3])},
        {"out": np.empty((2, 10), np.uint16)},
        {"out": np.empty((1, 0), np.uint16)},
        {"out": np.empty(10, np.uint16)},
    ],
)
def test_shapes_that_do_not_agree_are_refused(change: dict[str, object]) -> None:
    data = np.frombuffer(rice_reference.encode(np.arange(10, dtype=np.uint16), 32), np.uint8)
    good: dict[str, object] = {
        "heap": data,
        "offsets": np.zeros(1, np.int64),
        "lengths": np.array([data.size]),
        "out": np.empty((1, 10), np.uint16),
        "image": (1, 10),
        "tile": (1, 10),
    }
    assert rice_tiles(**good) is None
    with pytest.raises(ValueError, match=r".+"):
        rice_tiles(**good | change)
