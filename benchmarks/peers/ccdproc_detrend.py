"""W2 with ccdproc by amplifier: ``python -m benchmarks.peers.ccdproc_detrend SIZE W2 OUTPUT_FOLDER``.

Its uncertainty is that before bias and dark are subtracted; it marks no saturated pixels.
"""

import sys
import warnings
from pathlib import Path

import astropy.units as u
import ccdproc
import numpy as np
from astropy.io import fits
from astropy.nddata import CCDData, StdDevUncertainty

from benchmarks.files import master_file, science_files
from benchmarks.sizes import EXPOSURE, GAIN, READ_NOISE, SIZES, Size


def _master(size: Size, kind: str, unit: str) -> CCDData:
    return CCDData(np.asarray(fits.getdata(master_file(size, kind))).astype(np.float32), unit=unit)


def _amplifier(raw: CCDData, size: Size, k: int) -> CCDData:
    pixels = CCDData(raw.data[:, size.data[k]], unit="adu", header=raw.header)
    overscan = CCDData(raw.data[:, size.bias_columns[k]], unit="adu")
    pixels = ccdproc.subtract_overscan(pixels, overscan=overscan, overscan_axis=1, median=True)
    return ccdproc.create_deviation(
        pixels, gain=GAIN[k] * u.electron / u.adu, readnoise=READ_NOISE[k] * u.electron, disregard_nan=True
    )


def _detrend(path: Path, size: Size, masters: list[CCDData], mask: np.ndarray) -> fits.HDUList:
    bias, dark, flat = masters
    raw = CCDData.read(path, unit="adu")
    raw.data = raw.data.astype(np.float32)
    parts = [_amplifier(raw, size, k) for k in range(2)]
    frame = CCDData(
        np.hstack([part.data for part in parts]).astype(np.float32),
        unit="adu",
        uncertainty=StdDevUncertainty(
            np.hstack([part.uncertainty.array for part in parts]).astype(np.float32)
        ),
        mask=mask,
        header=raw.header,
    )
    frame = ccdproc.subtract_bias(frame, bias)
    times = {"dark_exposure": 1 * u.s, "data_exposure": EXPOSURE * u.s}
    frame = ccdproc.subtract_dark(frame, dark, scale=True, **times)
    frame = ccdproc.flat_correct(frame, flat, norm_value=1.0)
    variance = np.square(frame.uncertainty.array).astype(np.float32)
    return fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.ImageHDU(frame.data.astype(np.float32), name="SCI"),
            fits.ImageHDU(variance, name="VAR"),
            fits.ImageHDU(frame.mask.astype(np.uint8), name="MASK"),
        ]
    )


def main(size_name: str, workload: str, output: str) -> None:
    """Detrend the science frames one after the other."""
    warnings.simplefilter("ignore")
    size, folder = SIZES[size_name], Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    masters = [_master(size, "bias", "adu"), _master(size, "dark", "adu"), _master(size, "flat", "")]
    mask = np.asarray(fits.getdata(master_file(size, "mask"))) > 0
    for path in science_files(size):
        _detrend(path, size, masters, mask).writeto(folder / path.name, overwrite=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
