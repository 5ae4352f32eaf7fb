"""W1 and W1z with ccdproc.combine: ``python -m benchmarks.peers.ccdproc_stack SIZE W1|W1z OUTPUT``."""

import sys
import warnings

import ccdproc
import numpy as np
from astropy.io import fits

from benchmarks.files import bias_files
from benchmarks.sizes import KAPPA, SIZES

_MEMORY = 4e9  # bytes that it may use: less makes it slower, more no faster


def main(size_name: str, workload: str, output: str) -> None:
    """Stack the biases; the median, and the standard deviation with ddof = 0, one round: all it offers."""
    warnings.simplefilter("ignore")
    packed = workload == "W1z"
    combined = ccdproc.combine(
        [str(path) for path in bias_files(SIZES[size_name], packed)],
        method="average",
        sigma_clip=True,
        sigma_clip_low_thresh=KAPPA,
        sigma_clip_high_thresh=KAPPA,
        sigma_clip_func="median",
        sigma_clip_dev_func="std",
        mem_limit=_MEMORY,
        dtype=np.dtype("float32"),
        unit="adu",
        **({"hdu": 1} if packed else {}),
    )
    fits.writeto(output, combined.data.astype(np.float32), overwrite=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
