from astropy.io import fits
from astropy.nddata import CCDData

with fits.open("corrected/detrended_SimCam_2026011500057_0.fits") as hdus:
    image, mask, variance = (hdus[name].data for name in ("IMAGE", "MASK", "VARIANCE"))
    print(image.shape, image.dtype, mask.dtype, hdus["IMAGE"].header["BUNIT"])
    names = {v: int(k[4:]) for k, v in hdus["MASK"].header.items() if k.startswith("MSKN")}
    saturated = mask & (1 << names["SAT"]) != 0
    print(saturated.sum(), "saturated pixels")

# Masked where any plane is set; the variance is recognised as one by its UTYPE.
ccd = CCDData.read(
    "corrected/detrended_SimCam_2026011500057_0.fits",
    hdu="IMAGE",
    hdu_mask="MASK",
    hdu_uncertainty="VARIANCE",
)
print(ccd.unit, type(ccd.uncertainty).__name__, ccd.mask.dtype)
