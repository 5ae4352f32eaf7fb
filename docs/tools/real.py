"""Scenes of real nights: three cameras, from raw frames to certified calibrations."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numbers_of import judged_rows, mean_of_pairs, verdict_table, write_table
from pictures import draw, masters, panels, screenshot
from stage import RUNS, Stage

KAST = "KastBlue/calib/CAL-2/kast"
KAST_DAY = "20150519"
STL = "STL1001/calib/CAL-3"
STL_DAY = "20170908"


def kast(stage: Stage) -> None:
    """A night of the Kast spectrograph: bias and flats of two amplifiers with overscan, science frames."""
    folder = stage.place("kast")
    stage.raw_frames("kast-blue", folder)
    products = [f"{KAST}/{name}.{KAST_DAY}a" for name in ("biasGen", "flatGen-Open")]
    runs = " ".join(products)
    with stage.transcript("kast-ingest", folder) as said:
        said.run("fiducial init repo --camera kast-blue")
        said.run("fiducial ingest repo kast-blue/")
    with stage.transcript("kast-plan", folder) as said:
        said.run("fiducial plan repo flat --ticket CAL-2 --tag kast", code=3, lines=18)
        said.run("fiducial plan repo dark", code=5)
    with stage.transcript("kast-make", folder) as said:
        said.run("fiducial make repo bias flat --ticket CAL-2 --tag kast", code=3)
    with stage.transcript("kast-certify", folder) as said:
        said.run(f"fiducial certify repo {runs} --begin 2015-05-19 --end 2015-05-26")
        said.run("fiducial timeline repo")
    with stage.transcript("kast-detrend", folder) as said:
        said.run("fiducial detrend repo --exposures 2015051900024..2015051900029 --output corrected")
    said_report = f"fiducial report repo {runs} -o report.html"
    with stage.transcript("kast-report", folder) as said:
        said.run(said_report)
    repository = folder / "repo"
    bias = judged_rows(repository, "bias", f"{KAST}/verifyBias.{KAST_DAY}a")
    flat = judged_rows(repository, "flat", f"{KAST}/verifyFlat-Open.{KAST_DAY}a")
    verdict_table("kast-verdict-bias", bias)
    verdict_table("kast-verdict-flat", flat)
    noise_and_gain(
        "kast-noise-gain",
        "kast-blue",
        {("bias", "read_noise"): bias, ("flat", "gain"): flat},
        {
            ("L", "read_noise"): "2.860 ± 0.002",
            ("R", "read_noise"): "2.704 ± 0.002",
            ("L", "gain"): "1.205 ± 0.005",
            ("R", "gain"): "1.248 ± 0.002",
        },
    )
    kast_figures(folder, products)


def kast_figures(folder: Path, products: list[str]) -> None:
    """Masters, a corrected spectrum, and the residuals of the flats."""
    from lsst.daf.butler import Butler

    from fiducial.products.images import planes_of

    data = {"instrument": "KastBlue", "detector": 0}
    wanted = [
        ("bias", products[0], data),
        ("flat", products[1], data | {"physical_filter": "Open"}),
    ]
    images = [planes_of(one).image for one in masters(folder / "repo", wanted)]
    with Butler.from_config(folder / "repo") as butler:
        run = sorted(butler.collections.query("KastBlue/detrended/*"))[-1]
        science = butler.get("detrended", exposure=2015051900027, collections=run, **data)
    images.append(planes_of(science).image)
    titles = ["master bias", "master flat (Open)", "exposure 2015051900027, corrected"]
    figure = panels(
        [image[:, ::2] for image in images],
        titles,
        ["electron", "relative", "electron"],
        size=(9.6, 6.4),
        columns=1,
        aspect="auto",
    )
    draw("kast-masters", figure, 90)


def stl1001(stage: Stage) -> None:
    """A night of an STL-1001E: bias and dark at two temperatures, flats; one amplifier, no overscan."""
    folder = stage.place("stl1001")
    stage.raw_frames("stl1001-2017", folder)
    with stage.transcript("stl-ingest", folder) as said:
        said.run("fiducial init repo --camera stl1001")
        said.run("fiducial ingest repo stl1001-2017/")
        said.run("fiducial plan repo --find-dates")
    with stage.transcript("stl-plan", folder) as said:
        said.run("fiducial plan repo dark --state SET-TEMP=-10", lines=29)
    with stage.transcript("stl-make", folder) as said:
        for tag, temperature, kinds in (("minus5", "-5", "bias dark flat"), ("minus10", "-10", "bias dark")):
            said.run(f"fiducial make repo {kinds} --state SET-TEMP={temperature} --ticket CAL-3 --tag {tag}")
    warm = [f"{STL}/minus5/{name}.{STL_DAY}a" for name in ("biasGen", "darkGen", "flatGen-Visible")]
    cold = [f"{STL}/minus10/{name}.{STL_DAY}a" for name in ("biasGen", "darkGen")]
    with stage.transcript("stl-certify", folder) as said:
        said.run(f"fiducial certify repo {' '.join(warm)} --begin 2017-09-08 --end 2017-10-08")
        said.run("fiducial timeline repo")
    with stage.transcript("stl-sixty", folder) as said:
        said.run(
            "fiducial make repo dark --ticket CAL-3 --tag sixty "
            '--where "exposure.exposure_time > 59 AND exposure.exposure_time < 61 AND exposure < 20170908324000"'
        )
    with stage.transcript("stl-cold", folder) as said:
        said.run(f"fiducial certify repo {' '.join(cold)} --begin 2017-09-08 --end 2017-10-08", code=(0, 2))
    with stage.transcript("stl-mismatch", folder) as said:
        said.run("fiducial verify repo dark --exposures 20170908318521", code=4)
        said.run(f"butler collection-chain repo STL1001/minus5 {warm[0]} {warm[1]}")
        said.run("fiducial verify repo dark --exposures 20170908318521 --run STL1001/minus5")
    with stage.transcript("stl-report", folder) as said:
        said.run(f"fiducial report repo {' '.join(warm)} -o report.html")
    stl_tables(folder / "repo", warm)


def stl_tables(repository: Path, warm: list[str]) -> None:
    """Read noise, gain, levels, hot pixels, and the figures."""
    rows = {
        (kind, tag): judged_rows(repository, kind, f"{STL}/{tag}/{verify}.{STL_DAY}a")
        for kind, verify in (("bias", "verifyBias"), ("dark", "verifyDark"), ("flat", "verifyFlat-Visible"))
        for tag in ("minus5", "minus10")
        if (kind, tag) != ("flat", "minus10")
    }
    for (kind, tag), one in rows.items():
        verdict_table(f"stl-verdict-{kind}-{tag}", one)
    from fiducial.cameras import load_camera

    (amp,) = load_camera("stl1001").amplifiers(0)
    stl_drift(rows, amp.gain)
    lines = []
    for tag, temperature, expected in (
        ("minus5", "−5 °C", "6.702 ± 0.003"),
        ("minus10", "−10 °C", "6.560 ± 0.002"),
    ):
        value, error, pairs = mean_of_pairs(rows["bias", tag], "read_noise", "A")
        found = f"{value / amp.gain:.3f} ± {error / amp.gain:.3f}"
        lines.append([f"read noise, {temperature} (adu)", found, expected, f"{pairs} pairs of neighbours"])
    value, error, pairs = mean_of_pairs(rows["flat", "minus5"], "gain", "A")
    found = f"{value:.4f} ± {error:.4f}"
    lines.append(["gain, −5 °C (e/adu)", found, "1.934 ± 0.002", f"{pairs} pairs of neighbours"])
    write_table("stl-noise-gain", ("quantity", "this run", "independent", "from"), lines)
    runs = (warm[1], *(f"{STL}/{tag}/darkGen.{STL_DAY}a" for tag in ("minus10", "sixty")))
    darks = masters(repository, [("dark", run, {"instrument": "STL1001", "detector": 0}) for run in runs])
    stl_darks(darks, amp.gain, repository.parent / "stl1001-2017")
    stl_figures(repository, warm, rows)


def stl_drift(rows: dict[tuple[str, str], list[dict[str, Any]]], gain: float) -> None:
    """How far the levels of the biases of a set are apart."""
    lines = []
    for temperature, tag in (("−5 °C", "minus5"), ("−10 °C", "minus10")):
        levels = [r["value"] / gain for r in rows["bias", tag] if r["test"] == "level" and r["exposure"] > 0]
        noise = mean_of_pairs(rows["bias", tag], "read_noise", "A")[0] / gain
        white = noise * (2 / 1024**2) ** 0.5
        span = float(np.ptp(levels))
        lines.append([temperature, len(levels), f"{span:.2f}", f"{white:.4f}", f"{span / white:.0f}"])
    columns = ("biases of", "frames", "span of levels (adu)", "white noise of a difference (adu)", "ratio")
    write_table("stl-drift", columns, lines)


def stl_darks(darks: list[Any], gain: float, raw: Path) -> None:
    """Level and rate of both ladders; pixels that are hot at -5 C, and those of the raw frames by numpy alone."""
    from astropy.io import fits

    from fiducial.products.images import planes_of

    lines = []
    for temperature, dark in zip(("−5 °C", "−10 °C"), darks, strict=False):
        keys = dark.metadata
        level, rate = (
            f"{keys[f'FID AMP A {name}'] / gain:.4f} ± {keys[f'FID AMP A {name} ERROR'] / gain:.4f}"
            for name in ("LEVEL", "RATE")
        )
        lines.append([temperature, keys["FID NINPUT"], level, rate])
    write_table("stl-dark-ladder", ("temperature", "darks", "level (adu)", "median rate (adu/s)"), lines)
    sixty, biases = (
        [fits.getdata(file).astype(float) for file in sorted(raw.glob(pattern))]
        for pattern in ("darks-expos1-*", "biases-Neg5-*")
    )
    charges = [
        60.0 * planes_of(darks[0]).image / gain + darks[0].metadata["FID AMP A LEVEL"] / gain,
        60.0 * planes_of(darks[2]).image / gain,
        np.median(sixty, axis=0) - np.mean(biases, axis=0),
    ]
    lines = [
        [f"{limit} adu", *(int(np.count_nonzero(charge > limit)) for charge in charges)]
        for limit in (100, 200, 500)
    ]
    columns = ("above the bias in 60 s", "15 darks of 10 to 300 s", "nine darks of 60 s", "ten raw frames")
    write_table("stl-hot-pixels", columns, lines)


def stl_figures(repository: Path, warm: list[str], rows: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    """Masters, and the levels that drift where no overscan takes them out."""
    from fiducial.figures.style import SERIES, new_figure, style
    from fiducial.products.images import planes_of

    data = {"instrument": "STL1001", "detector": 0}
    wanted = [("bias", warm[0], data), ("dark", warm[1], data)]
    wanted += [("flat", warm[2], data | {"physical_filter": "Visible"})]
    images = [planes_of(one).image[::3, ::3] for one in masters(repository, wanted)]
    titles = ["master bias, −5 °C", "master dark, −5 °C", "master flat, −5 °C"]
    figure = panels(images, titles, ["electron", "electron/s", "relative"], size=(9.6, 2.9), columns=3)
    draw("stl-masters", figure, 100)
    with style():
        figure = new_figure(9.6, 3.0)
        figure.set_layout_engine("constrained")
        axes = figure.subplots(1, 2)
        shown = (("bias", axes[0], "biases"), ("dark", axes[1], "darks of −5 °C (60 s, then the ladder)"))
        for kind, axis, title in shown:
            for colour, tag, name in zip(SERIES, ("minus5", "minus10"), ("−5 °C", "−10 °C"), strict=False):
                if kind == "dark" and tag == "minus10":
                    continue
                levels = sorted(
                    (r for r in rows[kind, tag] if r["test"] == "level" and r["exposure"] > 0),
                    key=lambda r: r["mjd"],
                )
                first = [r["role"] == "first" for r in levels]
                values = np.array([r["value"] for r in levels]) / 1.934
                number = np.arange(1, len(values) + 1)
                axis.plot(number, values, "o-", color=colour, ms=4, lw=0.8, label=name)
                axis.plot(number[first], values[first], "o", mfc="none", mec=colour, ms=9)
            axis.set(title=title, xlabel="frame of its set", ylabel="mean residual (adu)")
            axis.legend()
    draw("stl-levels", figure, 110)


def esis(stage: Stage) -> None:
    """Frames of ESIS: no frame type in the header, four taps, blank columns as overscan, pairs only."""
    folder = stage.place("esis")
    stage.raw_frames("esis", folder)
    chain = "['saturation','overscan','gain','assembly','nan']"
    with stage.transcript("esis-ingest", folder) as said:
        said.run("fiducial init repo --camera esis")
        said.run("fiducial ingest repo esis/")
        said.run("fiducial plan repo --find-dates", code=(0, 5))
    with stage.transcript("esis-plan", folder) as said:
        said.run("fiducial plan repo bias dark", code=5)
    with stage.transcript("esis-make", folder) as said:
        said.run(
            "fiducial make repo flat --night 20170712 --ticket CAL-4 --tag led "
            f'-c "parameters:chain={chain}"',
            code=(0, 3, 4),
        )
    esis_flat(folder / "repo")
    (folder / "pairs.py").write_text(ESIS_PAIRS)
    (RUNS / "esis-pairs.py").write_text(ESIS_PAIRS)
    with stage.transcript("esis-pairs", folder) as said:
        text = said.run("python pairs.py")
    lines = []
    for line, noise, gain in zip(
        text.splitlines(),
        ("4.03", "3.87", "4.17", "4.24"),
        ("2.527 ± 0.005", "2.504 ± 0.005", "2.528 ± 0.005", "2.514 ± 0.005"),
        strict=True,
    ):
        found = re.match(r"(\w+): .* read noise (.*) DN, gain (.*) e/DN", line)
        assert found is not None
        own = [part.replace("+-", "±") for part in found.groups()]
        lines.append([own[0], own[1], noise, own[2], gain])
    columns = ("tap", "read noise (DN)", "independent", "gain (e/DN)", "independent")
    write_table("esis-noise-gain", columns, lines)


def esis_flat(repository: Path) -> None:
    """The flat of two LED frames with its error, and how it was judged."""
    from fiducial.products.images import planes_of

    data = {"instrument": "ESIS", "detector": 1, "physical_filter": "none"}
    (flat,) = masters(repository, [("flat", "ESIS/calib/CAL-4/led/flatGen-none.20170712a", data)])
    planes = planes_of(flat)
    figure = panels(
        [planes.image[::2, ::2], np.sqrt(planes.variance[::2, ::2])],
        ["flat of two LED frames, ESIS1", "its quoted error"],
        ["relative", "relative"],
        size=(9.6, 2.8),
        columns=2,
    )
    draw("esis-flat", figure, 90)
    rows = judged_rows(repository, "flat", "ESIS/calib/CAL-4/led/verifyFlat-none.20170712a")
    verdict_table("esis-verdict-flat", rows)


ESIS_PAIRS = '''\
"""Read noise and gain of the four taps of ESIS camera 1, from one pair without and one with light."""

from fiducial.algorithms.overscan import fit_overscan
from fiducial.algorithms.pairs import flat_pair_gain, pair_noise
from fiducial.cameras import load_camera
from fiducial.frames.raw import RawFrame


def pixels(number, section):
    with RawFrame.open(f"esis/led/ESIS1_0{number}.fits.fz") as raw:
        return raw.read(raw.images[0].index, section).astype(float)


def level(number, tap):
    found = fit_overscan(
        pixels(number, tap.serial_overscan),
        method="clipped_mean",
        order=0,
        skip_leading=22,
        skip_trailing=0,
        first_column_left=tap.read_corner[1] == "L",
    )
    return found.level[0]


for tap in load_camera("esis").amplifiers(1):
    dark = pair_noise(pixels(4860, tap.data), pixels(4861, tap.data))
    gain = flat_pair_gain(
        pixels(4803, tap.data),
        pixels(4804, tap.data),
        level_a=level(4803, tap),
        level_b=level(4804, tap),
        block=32,
        read_noise=dark.sigma,
    )
    print(
        f"{tap.name}: level {level(4860, tap):.0f} DN, read noise {dark.sigma:.3f} +- {dark.error:.3f} DN, "
        f"gain {gain.gain:.3f} +- {gain.error:.3f} e/DN"
    )
'''


def noise_and_gain(
    name: str,
    camera_name: str,
    rows: dict[tuple[str, str], list[dict[str, Any]]],
    independent: dict[tuple[str, str], str],
) -> None:
    """A table of read noise and gain of each amplifier, in adu and electron/adu."""
    from fiducial.cameras import load_camera

    lines = []
    for amp in load_camera(camera_name).amplifiers(0):
        cells = [amp.name]
        for (_, test), one in rows.items():
            value, error, pairs = mean_of_pairs(one, test, amp.name)
            per_adu = amp.gain if test == "read_noise" else 1.0
            cells += [
                f"{value / per_adu:.4f} ± {error / per_adu:.4f}",
                independent[amp.name, test],
                str(pairs),
            ]
        lines.append(cells)
    columns = ["amplifier"]
    for _, test in rows:
        unit = "adu" if test == "read_noise" else "e/adu"
        columns += [f"{test.replace('_', ' ')} ({unit})", "independent", "pairs"]
    write_table(name, columns, lines)


def screenshots(stage: Stage) -> None:
    """Pictures of the report pages of the real nights; needs the scenes kast and stl1001."""
    screenshot(stage, stage.scratch / "kast/report.html", "kast-report", height=900)
