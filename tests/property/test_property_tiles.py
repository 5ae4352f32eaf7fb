"""What must hold for compressed tiles whatever their pixels and bytes are."""

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import rice_reference
from fiducial.kernels.tiles import rice_tiles

SIZES = st.sampled_from([1, 2, 4])
BLOCKS = st.sampled_from([16, 32, 1, 5])


@st.composite
def tiles(draw):
    """Pixels with noise of some bits on levels that jump; any pixel may be anything."""
    size = draw(SIZES)
    dtype = np.dtype(f"u{size}")
    count = draw(st.integers(1, 100))
    noise = (1 << draw(st.integers(0, 8 * size))) - 1
    level = draw(st.integers(0, (1 << 8 * size) - 1))
    pixels = draw(hnp.arrays(dtype, count, elements=st.integers(0, noise), fill=st.just(0)))
    return (pixels + dtype.type(level)).astype(dtype)


def decode(data, count, size, block):
    out = np.empty((1, count), f"u{size}")
    heap = np.frombuffer(data, np.uint8)
    spans = np.zeros(1, np.int64), np.array([len(data)])
    fault = rice_tiles(heap, *spans, out, image=out.shape, tile=out.shape, block=block)
    return out[0] if fault is None else None


def check_against_the_plain_decoder(data, count, size, block):
    ours = decode(data, count, size, block)
    plain = rice_reference.decode(data, block, count, size)
    assert (ours is None) == (plain is None)
    if plain is not None:
        np.testing.assert_array_equal(ours, plain)


@given(tiles(), BLOCKS)
def test_what_was_coded_is_decoded(pixels, block):
    data = rice_reference.encode(pixels, block)
    np.testing.assert_array_equal(decode(data, pixels.size, pixels.itemsize, block), pixels)


@given(st.binary(max_size=200), st.integers(1, 300), SIZES, BLOCKS)
def test_random_bytes_are_an_error_or_pixels(data, count, size, block):
    check_against_the_plain_decoder(data, count, size, block)


@given(tiles(), BLOCKS, st.data())
def test_damaged_tiles_are_an_error_or_pixels(pixels, block, data):
    coded = bytearray(rice_reference.encode(pixels, block))
    for _ in range(data.draw(st.integers(1, 3))):
        coded[data.draw(st.integers(0, len(coded) - 1))] = data.draw(st.integers(0, 255))
    coded = coded[: data.draw(st.integers(0, len(coded)))] if data.draw(st.booleans()) else coded
    count = data.draw(st.sampled_from([pixels.size, 1, pixels.size + 1, pixels.size + 40]))
    check_against_the_plain_decoder(bytes(coded), count, pixels.itemsize, block)


@given(
    st.tuples(st.integers(1, 12), st.integers(1, 30)),
    st.tuples(st.integers(1, 13), st.integers(1, 31)),
    st.integers(1, 4),
    st.data(),
)
def test_any_window_is_the_same_part_of_the_image(shape, tile, threads, data):
    image = np.arange(shape[0] * shape[1], dtype=np.uint16).reshape(shape) * 37
    y0, x0 = data.draw(st.integers(0, shape[0] - 1)), data.draw(st.integers(0, shape[1] - 1))
    y1, x1 = data.draw(st.integers(y0 + 1, shape[0])), data.draw(st.integers(x0 + 1, shape[1]))
    parts = [
        rice_reference.encode(image[y : y + tile[0], x : x + tile[1]], 32)
        for y in range(y0 // tile[0] * tile[0], y1, tile[0])
        for x in range(x0 // tile[1] * tile[1], x1, tile[1])
    ]
    lengths = np.array([len(part) for part in parts])
    heap = np.frombuffer(b"".join(parts), np.uint8)
    out = np.zeros((y1 - y0, x1 - x0), np.uint16)
    options = {"image": shape, "tile": tile, "corner": (y0, x0), "threads": threads}
    assert rice_tiles(heap, np.cumsum(lengths) - lengths, lengths, out, **options) is None
    np.testing.assert_array_equal(out, image[y0:y1, x0:x1])
