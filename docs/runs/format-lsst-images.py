from lsst.images import MaskedImage

image = MaskedImage.read("corrected/detrended_SimCam_2026011500057_0.fits")
print(image.image.array.shape, image.unit, image.bbox)
print(image.metadata["FID CHAIN"])
print(image.mask.get("SAT").sum(), "saturated pixels")
