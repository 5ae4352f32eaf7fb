"""Scenes of the simulated night: the demonstration, and the verbs one by one."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from numbers_of import judged_rows, mean_of_pairs, write_table
from pictures import screenshot, show_masters_against_truth, show_stripes
from stage import RUNS, Stage

NIGHT = "20260115"
BASE = "SimCam/calib/CAL-1/first-night"
PRODUCTS = tuple(f"{BASE}/{name}.{NIGHT}a" for name in ("biasGen", "darkGen", "flatGen-g", "flatGen-r"))


def demo(stage: Stage) -> None:
    """The demonstration: a night from nothing to certified calibrations."""
    folder = stage.place("demo")
    with stage.transcript("demo", folder) as said:
        said.run("fiducial demo build/demo")
    page = folder / "build/demo/report/index.html"
    screenshot(stage, page, "demo-report", height=860)
    show_masters_against_truth(folder / "build/demo")
    show_stripes(folder / "build/demo")


def simulated_night(stage: Stage, name: str) -> Path:
    """A folder with the raw frames of the demonstration in ``night/``; the demonstration if need be."""
    raw = stage.scratch / "demo/build/demo/raw"
    if not raw.is_dir():
        demo(stage)
    folder = stage.place(name)
    shutil.copytree(raw, folder / "night", ignore=shutil.ignore_patterns("truth"))
    return folder


def tour(stage: Stage) -> None:
    """The verbs one by one, on the frames of the demonstration."""
    folder = simulated_night(stage, "tour")
    runs = " ".join(PRODUCTS)
    with stage.transcript("tour-init", folder) as said:
        said.run("fiducial init repo --camera simcam")
        said.run("fiducial ingest repo night/", code=3)
    with stage.transcript("tour-find-dates", folder) as said:
        said.run("fiducial plan repo --find-dates")
    with stage.transcript("tour-plan", folder) as said:
        said.run(f"fiducial plan repo flat --filter r --night {NIGHT}", code=3)
    with stage.transcript("tour-make", folder) as said:
        said.run(
            f"fiducial make repo bias dark flat --night {NIGHT} --ticket CAL-1 --tag first-night", code=3
        )
    with stage.transcript("tour-report", folder) as said:
        said.run(f"fiducial report repo {runs} -o report.html")
    with stage.transcript("tour-certify", folder) as said:
        said.run(f"fiducial certify repo {runs} --begin 2026-01-15 --end 2026-02-15")
        said.run("fiducial timeline repo")
    with stage.transcript("tour-detrend", folder) as said:
        said.run("fiducial detrend repo --exposures 2026011500057..2026011500060 --output corrected")
    with stage.transcript("tour-verify", folder) as said:
        said.run("fiducial verify repo bias --exposures 2026011500002..2026011500016")
    with stage.transcript("tour-history", folder) as said:
        said.run("fiducial history repo")
        said.run("fiducial hash repo SimCam/calib bias flat")
    with stage.transcript("tour-traces", folder) as said:
        said.run(f"ls repo/{PRODUCTS[0]}/*/fiducial")
        said.run(f"cat repo/{PRODUCTS[0]}/*/fiducial/command.txt")
        said.run(f"head -5 repo/{PRODUCTS[0]}/*/fiducial/log.txt")


def noise_and_gain(stage: Stage) -> None:
    """Read noise and gain as verification measures them, against the truth; needs demo and tour."""
    from fiducial.cameras import load_camera
    from fiducial.simulation import load_truth

    repository = stage.scratch / "tour/repo"
    truth, camera = load_truth(stage.scratch / "demo/build/demo/raw"), load_camera("simcam")
    bias = judged_rows(repository, "bias", f"{BASE}/verifyBias.{NIGHT}a")
    flats = [
        row for band in "gr" for row in judged_rows(repository, "flat", f"{BASE}/verifyFlat-{band}.{NIGHT}a")
    ]
    lines = []
    for detector in camera.detectors:
        for amp in camera.amplifiers(detector.id):
            real = truth.detectors[detector.id].amplifier(amp.name)
            cells: list[str] = [detector.name, amp.name]
            for rows, test in ((bias, "read_noise"), (flats, "gain")):
                mine = [row for row in rows if row["detector"] == detector.id]
                value, error, _ = mean_of_pairs(mine, test, amp.name)
                # Pixels are in electrons of the camera file's gain, the truth is not.
                if test == "read_noise":
                    cells += [f"{amp.read_noise:.2f}", f"{value:.3f} ± {error:.3f}"]
                    rounded = np.hypot(real.read_noise / real.gain, 12**-0.5) * amp.gain
                    cells.append(f"{rounded:.3f}")
                else:
                    cells += [f"{amp.gain:.2f}", f"{value:.4f} ± {error:.4f}", f"{real.gain:.4f}"]
            lines.append(cells)
    columns = ("detector", "amplifier", "read noise (e): camera file", "measured", "truth")
    write_table("simulated-noise-gain", (*columns, "gain (e/adu): camera file", "measured", "truth"), lines)


def choosing(stage: Stage) -> None:
    """How the choice of frames is changed; needs the repository of the tour."""
    folder = stage.place("tour", fresh=False)
    with stage.transcript("choose-settings", folder) as said:
        said.run(f"fiducial plan repo bias --night {NIGHT} --skip-first 3 --wanted 8", lines=21)
        said.run('fiducial plan repo bias --where "exposure.seq_num > 9"', lines=13)
    with stage.transcript("choose-too-few", folder) as said:
        said.run(f"fiducial plan repo bias --night {NIGHT} --minimum 30", code=5)
        said.run("fiducial plan repo flat --filter z", code=5)
        said.run("fiducial plan repo bias --night 20260116", code=5)


def products(stage: Stage) -> None:
    """What the files of masters and corrected frames hold; needs the repository of the tour."""
    folder = stage.place("tour", fresh=False)
    bias = f"repo/{PRODUCTS[0]}/*/bias/bias_SimCam_S0_*.fits"
    science = "corrected/detrended_SimCam_2026011500057_0.fits"
    with stage.transcript("format-info", folder) as said:
        said.run(f"fitsinfo {bias}")
        said.run(f"fitsheader -e 0 {bias} | grep -v -E 'SHA256|INPUT [1-9]'", lines=70)
    with stage.transcript("format-detrended", folder) as said:
        said.run(f"fitsinfo {science}")
        said.run(f"fitsheader -e 0 {science} | grep -E 'FID|BUNIT|FILTER'", lines=70)
    snippets = {
        "format-astropy": ASTROPY.replace("FILE", science),
        "format-lsst-images": LSST_IMAGES.replace("FILE", science),
        "format-butler": BUTLER.replace("RUN", BASE + f"/biasGen.{NIGHT}a"),
    }
    for name, code in snippets.items():
        (folder / "snippet.py").write_text(code)
        (RUNS / f"{name}.py").write_text(code.lstrip())
        with stage.transcript(name, folder) as said:
            said.parts.append(said.run("python snippet.py", quiet=True))


ASTROPY = """
from astropy.io import fits
from astropy.nddata import CCDData

with fits.open("FILE") as hdus:
    image, mask, variance = (hdus[name].data for name in ("IMAGE", "MASK", "VARIANCE"))
    print(image.shape, image.dtype, mask.dtype, hdus["IMAGE"].header["BUNIT"])
    names = {v: int(k[4:]) for k, v in hdus["MASK"].header.items() if k.startswith("MSKN")}
    saturated = mask & (1 << names["SAT"]) != 0
    print(saturated.sum(), "saturated pixels")

# Masked where any plane is set; the variance is recognised as one by its UTYPE.
ccd = CCDData.read(
    "FILE",
    hdu="IMAGE",
    hdu_mask="MASK",
    hdu_uncertainty="VARIANCE",
)
print(ccd.unit, type(ccd.uncertainty).__name__, ccd.mask.dtype)
"""

LSST_IMAGES = """
from lsst.images import MaskedImage

image = MaskedImage.read("FILE")
print(image.image.array.shape, image.unit, image.bbox)
print(image.metadata["FID CHAIN"])
print(image.mask.get("SAT").sum(), "saturated pixels")
"""

BUTLER = """
from lsst.daf.butler import Butler

butler = Butler("repo")
run = "RUN"
bias = butler.get("bias", instrument="SimCam", detector=0, collections=run)
print(bias.metadata["FID NINPUT"], "frames,", bias.unit)
when = butler.query_dimension_records("exposure", instrument="SimCam", where="exposure=2026011500057")[0]
certified = butler.find_dataset(
    "bias", instrument="SimCam", detector=0, collections="SimCam/calib", timespan=when.timespan
)
print(certified.run)
"""
