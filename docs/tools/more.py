"""Scenes of single tasks: existing masters, bootstrap, new cameras, bad input."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from simulated import NIGHT, simulated_night
from stage import RUNS, Stage, Transcript, header

ADOPT_MASTERS = '''\
"""Mean of seven biases per detector, overscan subtracted row by row, with astropy and numpy alone."""

from glob import glob

import numpy as np
from astropy.io import fits

GAIN = {0: (1.5, 1.2), 1: (1.4, 1.3)}


def trimmed(file):
    raw = fits.getdata(file).astype(float)
    left = raw[:256, :256] - np.median(raw[:256, 258:288], axis=1, keepdims=True)
    right = raw[:256, 288:544] - np.median(raw[:256, 546:576], axis=1, keepdims=True)
    return np.hstack([left, right[:, ::-1]])


for detector in (0, 1):
    files = sorted(glob(f"night/*-bias-S{detector}.fits"))
    frames = [trimmed(file) for file in files[1:9] if "00008" not in file]
    header = fits.Header({"INSTRUME": "SimCam", "DETECTOR": detector, "BUNIT": "adu"})
    header["TEMP_SET"] = -100.0
    fits.PrimaryHDU(np.mean(frames, axis=0).astype("f4"), header).writeto(f"old_bias_{detector}.fits")
'''


def adopt(stage: Stage) -> None:
    """Masters of other software taken in, and verified against frames."""
    folder = simulated_night(stage, "adopt")
    (folder / "average.py").write_text(ADOPT_MASTERS)
    (RUNS / "adopt-average.py").write_text(ADOPT_MASTERS)
    with stage.transcript("adopt", folder) as said:
        said.run("fiducial init repo --camera simcam", quiet=True)
        said.run("fiducial ingest repo night/", code=3, quiet=True)
        said.run("python average.py")
        said.run("fiducial adopt repo bias old_bias_0.fits old_bias_1.fits --begin 2026-01-01")
        said.run("fiducial timeline repo")
        said.run("fiducial verify repo bias --exposures 2026011500010..2026011500016")
    with stage.transcript("adopt-inside", folder) as said:
        said.run("fiducial verify repo bias --exposures 2026011500002..2026011500007", code=4, lines=9)
    with stage.transcript("adopt-used", folder) as said:
        said.run(f"fiducial make repo dark --night {NIGHT} --tag with-adopted", code=(0, 3))
    with stage.transcript("adopt-refused", folder) as said:
        said.run(
            "fitsheader old_bias_0.fits -k BUNIT > /dev/null; "
            "python -c \"from astropy.io import fits; fits.delval('old_bias_0.fits', 'BUNIT')\"",
            quiet=True,
        )
        said.run("fiducial adopt repo bias old_bias_0.fits --begin 2025-01-01", code=(2, 3))
        said.run(
            "fiducial adopt repo bias night/simcam-20260115-00002-bias-S0.fits --begin 2025-01-01",
            code=(2, 3),
        )


def bootstrap(stage: Stage) -> None:
    """Bias, dark and flat in adu, without gains; needs the repository of the tour."""
    folder = stage.place("tour", fresh=False)
    with stage.transcript("bootstrap", folder) as said:
        said.run(
            f"fiducial make repo bias dark flat --bootstrap --night {NIGHT} --ticket CAL-7 --tag boot",
            code=(0, 3),
        )
        said.run("fiducial hash repo SimCam/calib/CAL-7/boot/biasBootstrapGen.20260115a biasBootstrap")


def detrending(stage: Stage) -> None:
    """Science frames with other calibrations, settings and detectors; needs the repository of the tour."""
    folder = stage.place("tour", fresh=False)
    with stage.transcript("detrend-settings", folder) as said:
        said.run(
            "fiducial detrend repo --exposures 2026011500058 --detector 1 \\\n"
            "  -c detrend:corrections.overscan.method=chebyshev -c detrend:corrections.overscan.order=3"
        )
        said.run(
            "fiducial detrend repo --exposures 2026011500058 --detector 1 \\\n"
            "  -c \"detrend:chain=['saturation','overscan','gain','assembly','bias','variance','dark','nan']\""
        )
    with stage.transcript("detrend-none", folder) as said:
        said.run("fiducial detrend repo --exposures 2026011600001", code=5)


def draft(stage: Stage) -> None:
    """A camera file drafted from raw frames of a camera that is not known yet."""
    folder = stage.place("draft")
    stage.raw_frames("kast-blue", folder)
    with stage.transcript("draft", folder) as said:
        said.run("fiducial camera draft kast-blue/*.fits.fz -o mycam.yaml")
    (RUNS / "draft.yaml").write_text(f"{header()}\n\n{(folder / 'mycam.yaml').read_text()}")
    with stage.transcript("draft-used", folder) as said:
        said.run("sed -i 's/^name: .*/name: MyCam/' mycam.yaml")
        said.run("fiducial init repo --camera mycam.yaml")
        said.run("fiducial ingest repo kast-blue/")
        said.run("fiducial plan repo --find-dates")


def cameras(stage: Stage) -> None:
    """The cameras that are known, and what a wrong camera file gets."""
    folder = stage.place("cameras")
    with stage.transcript("camera-list", folder) as said:
        said.run("fiducial camera list")
    with stage.transcript("camera-wrong", folder) as said:
        said.run("fiducial camera show simcam > mycam.yaml")
        said.run("sed -i 's/read_noise: 5.0/readnoise: 5.0/' mycam.yaml")
        said.run("fiducial init repo --camera mycam.yaml", code=2)
        said.run("fiducial init repo --camera latis", code=2)


def trouble(stage: Stage) -> None:
    """Bad input of every kind: what is said, and the exit code."""
    folder = simulated_night(stage, "trouble")
    with stage.transcript("trouble-frames", folder) as said:
        said.run("fiducial init repo --camera simcam", quiet=True)
        said.run("fiducial ingest repo night/", code=3, quiet=True)
        spoil(folder)
        said.run("ls bad/")
        said.run("fiducial ingest repo bad/", code=(3, 5))
        said.run("fiducial ingest repo night/simcam-20260115-00002-bias-S0.fits")
    with stage.transcript("trouble-repository", folder) as said:
        said.run("fiducial plan nowhere bias", code=2)
        said.run("fiducial init repo --camera stl1001", code=2)
        said.run("fiducial plan repo bias --state SETTEMP=-100", code=2)
        said.run("fiducial plan repo bias --state TEMP_SET=-80", code=5)
        said.run("fiducial ingest repo empty-folder/", code=(2, 3, 5))
    with stage.transcript("trouble-settings", folder) as said:
        said.run(f"fiducial make repo bias --night {NIGHT} -c bias:kapa=4", code=2)
        said.run(f"fiducial make repo bias --night {NIGHT} -c bias:kappa=0.1", code=2)
        said.run(f"fiducial make repo bias --night {NIGHT} --tag 'my tag'", code=2)
        said.run("fiducial make repo biases", code=2)
    with stage.transcript("trouble-few", folder) as said:
        said.run('fiducial make repo bias --where "exposure.seq_num < 3"', code=5)
        said.run('fiducial make repo bias --where "exposure.seq_num = 3"', code=5)
        said.run('fiducial make repo flat --where "exposure.seq_num < 20"', code=5)
        said.run(f"fiducial make repo dark --night {NIGHT}", code=(4, 5))
    disk(said_in=stage, folder=folder)


def spoil(folder: Path) -> None:
    """Copies of good frames with one thing wrong each, in ``bad/``."""
    from astropy.io import fits

    good = folder / "night/simcam-20260115-00003-bias-S0.fits"
    bad = folder / "bad"
    bad.mkdir()
    data = good.read_bytes()
    (bad / "truncated.fits").write_bytes(data[:200_000])
    (bad / "empty.fits").write_bytes(b"")
    (bad / "text.fits").write_text("this is not FITS\n" * 100)
    shutil.copy(good, bad / "copy-of-a-good-frame.fits")

    def change(name: str, *, pixels: np.ndarray | None = None, drop: str = "", **values: object) -> None:
        with fits.open(good) as hdus:
            header, image = hdus[0].header.copy(), hdus[0].data
        header.update(values)
        if drop:
            del header[drop]
        fits.PrimaryHDU(image if pixels is None else pixels, header).writeto(bad / name)

    with fits.open(good) as hdus:
        image = hdus[0].data
    change("binned.fits", pixels=image[::2, ::2].copy(), SEQNUM=101, OBSID="S-101")
    change("no-exposure-time.fits", drop="EXPTIME", SEQNUM=102, OBSID="S-102")
    change("other-camera.fits", INSTRUME="OtherCam", SEQNUM=103, OBSID="S-103")
    change("other-pixels.fits", pixels=image + 1)
    change("wrong-date.fits", **{"DATE-BEG": "15/01/2026", "SEQNUM": 104, "OBSID": "S-104"})


def disk(*, said_in: Stage, folder: Path) -> None:
    """A file that does not fit, and a folder that may not be written."""
    with said_in.transcript("trouble-disk", folder) as said:
        said.run(
            f"(ulimit -f 300; fiducial make repo bias --night {NIGHT} --tag full)",
            code=(2, 4),
        )
        said.run(f"fiducial make repo bias --night {NIGHT} --tag full", code=(0, 3))
        unprivileged(said)


def unprivileged(said: Transcript) -> None:
    """The same where the repository may not be written to; root gives up what lets it write all the same."""
    import os

    command = "fiducial ingest repo night/"
    without = "setpriv --bounding-set=-dac_override --inh-caps=-dac_override " if os.geteuid() == 0 else ""
    said.run("chmod -R a-w repo")
    said.run(without + command, shown=command, code=2)
    said.run("chmod -R u+w repo", quiet=True)
