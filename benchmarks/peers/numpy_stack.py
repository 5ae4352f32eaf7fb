"""W1 with numpy: sorted values, rounds of clipping on the pixels that still change, by strips and threads.

``python -m benchmarks.peers.numpy_stack SIZE W1 OUTPUT``
"""

import sys

import numpy as np
from astropy.io import fits

from benchmarks.files import bias_files
from benchmarks.sizes import KAPPA, SIZES
from benchmarks.strips import over_strips


def clipped_mean(stack: np.ndarray) -> np.ndarray:
    """Clip (n, npix) about the median, standard deviation with ddof = 0, until nothing changes."""
    stack.sort(axis=0)
    n = len(stack)
    out = stack.mean(axis=0)
    sigma = stack.std(axis=0)
    centre = 0.5 * (stack[(n - 1) // 2] + stack[n // 2])
    outside = np.maximum(stack[-1] - centre, centre - stack[0]) > KAPPA * sigma
    active = np.flatnonzero(outside)
    values, kept = stack[:, active], np.ones((n, active.size), bool)
    centre, sigma = centre[active], sigma[active]
    while active.size:
        before = kept.sum(axis=0)
        kept &= np.abs(values - centre) <= KAPPA * sigma
        number = kept.sum(axis=0)
        mean = np.where(kept, values, 0).sum(axis=0) / number
        sigma = np.sqrt(np.where(kept, np.square(values - mean), 0).sum(axis=0) / number)
        first = kept.argmax(axis=0)
        low = np.take_along_axis(values, (first + (number - 1) // 2)[None], axis=0)[0]
        centre = 0.5 * (low + np.take_along_axis(values, (first + number // 2)[None], axis=0)[0])
        out[active] = mean
        go_on = number != before
        active, values, kept = active[go_on], values[:, go_on], kept[:, go_on]
        centre, sigma = centre[go_on], sigma[go_on]
    return out


def main(size_name: str, workload: str, output: str) -> None:
    """Stack the biases."""
    size = SIZES[size_name]
    opened = [fits.open(path, memmap=True, do_not_scale_image_data=True) for path in bias_files(size)]
    out = np.empty(size.raw_shape, np.float32)

    def work(first: int, last: int) -> None:
        stored = np.stack([hdus[0].data[first:last].ravel() for hdus in opened])
        out[first:last] = clipped_mean(stored.astype(np.float32) + np.float32(32768)).reshape(
            out[first:last].shape
        )

    over_strips(size.rows, 16, work)
    fits.writeto(output, out, overwrite=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
