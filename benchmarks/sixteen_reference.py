"""What the corrections of CHAIN make of a pixel that nothing is wrong with, in float64 numpy."""

from __future__ import annotations

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from benchmarks.sixteen import AMPLIFIERS, BENT, GAINS, Sixteen
from benchmarks.sixteen_scene import SixteenScene
from benchmarks.sizes import EXPOSURE


def chain_reference(size: Sixteen) -> NDArray[np.float64]:
    """The last science frame in electrons; offsets of amplifiers are not taken off."""
    raw, scene = fits.getdata(size.science_files()[-1]), SixteenScene(size).light
    out = np.empty(size.shape)
    for k in range(AMPLIFIERS):
        where = size.detector(k)
        signal = raw[size.data(k)] - np.median(raw[size.bias_region(k)], axis=1, keepdims=True)
        light = signal + BENT * np.maximum(signal, 0) ** 2
        bias, dark = (plane[where].astype(np.float64) for plane in (scene.bias, scene.dark))
        out[where] = GAINS[k] * (light - bias - EXPOSURE * dark) / scene.flat[where]
    return out
