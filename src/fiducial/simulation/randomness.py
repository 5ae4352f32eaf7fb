"""Random numbers that depend on nothing but the seed and on what they are for."""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, purpose: str, *numbers: int) -> np.random.Generator:
    """A generator of its own for a purpose, such as ("frame", detector, exposure).

    The order in which detectors and exposures are made, and how many others there are, does not
    change its numbers: the same seed gives the same bytes.
    """
    entropy = [seed, zlib.crc32(purpose.encode()), *numbers]
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(entropy)))
