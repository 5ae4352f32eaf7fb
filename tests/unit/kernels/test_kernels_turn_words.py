"""Words of a file turned where they are, against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.kernels import turn_words


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("flip", [0, 0x8000, 0xFFFF])
@pytest.mark.parametrize("shape", [(0,), (1,), (7, 13), (65536,)])
def test_every_word_is_turned_as_numpy_does(swap: bool, flip: int, shape: tuple[int, ...]) -> None:
    words = np.random.default_rng(1).integers(0, 65536, shape).astype(np.uint16)
    if shape == (65536,):
        words = np.arange(65536, dtype=np.uint16)  # all there are
    expected = (words.byteswap() if swap else words) ^ np.uint16(flip)
    turn_words(words, swap=swap, flip=flip)
    np.testing.assert_array_equal(words, expected)


def test_part_of_a_larger_array_leaves_the_rest_alone() -> None:
    words = np.arange(40, dtype=np.uint16).reshape(4, 10)
    turn_words(words[1:3], swap=True)
    expected = np.arange(40, dtype=np.uint16).reshape(4, 10)
    expected[1:3] = expected[1:3].byteswap()
    np.testing.assert_array_equal(words, expected)


def test_what_cannot_be_turned_is_refused() -> None:
    with pytest.raises(TypeError, match="int32"):
        turn_words(np.zeros(3, np.int32), swap=True)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="one piece"):
        turn_words(np.zeros((4, 4), np.uint16)[:, ::2], swap=True)
    fixed = np.zeros(3, np.uint16)
    fixed.flags.writeable = False
    with pytest.raises(ValueError, match="written"):
        turn_words(fixed, swap=True)
