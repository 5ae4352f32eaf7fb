from lsst.daf.butler import Butler

butler = Butler("repo")
run = "SimCam/calib/CAL-1/first-night/biasGen.20260115a"
bias = butler.get("bias", instrument="SimCam", detector=0, collections=run)
print(bias.metadata["FID NINPUT"], "frames,", bias.unit)
when = butler.query_dimension_records("exposure", instrument="SimCam", where="exposure=2026011500057")[0]
certified = butler.find_dataset(
    "bias", instrument="SimCam", detector=0, collections="SimCam/calib", timespan=when.timespan
)
print(certified.run)
