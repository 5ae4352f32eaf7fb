"""W1 and W1z with astropy: its sigma_clip on strips of rows, in threads.

``python -m benchmarks.peers.astropy_stack SIZE W1|W1z OUTPUT``
"""

import sys

import numpy as np
from astropy.io import fits
from astropy.stats import sigma_clip

from benchmarks.files import bias_files
from benchmarks.sizes import KAPPA, SIZES
from benchmarks.strips import over_strips


def main(size_name: str, workload: str, output: str) -> None:
    """Stack the biases; the median, and the standard deviation with ddof = 0, until nothing changes."""
    size, packed = SIZES[size_name], workload == "W1z"
    opened = [fits.open(path, do_not_scale_image_data=True) for path in bias_files(size, packed)]
    images = [hdus[1].section if packed else hdus[0].data for hdus in opened]
    out = np.empty(size.raw_shape, np.float32)

    def work(first: int, last: int) -> None:
        stack = np.stack([image[first:last] for image in images]).astype(np.float32)
        stack += np.float32(32768)
        clipped = sigma_clip(
            stack,
            sigma=KAPPA,
            maxiters=None,
            cenfunc="median",
            stdfunc="std",
            axis=0,
            masked=False,
            copy=False,
        )
        out[first:last] = np.nanmean(clipped, axis=0)

    over_strips(size.rows, 128, work)
    fits.writeto(output, out, overwrite=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
