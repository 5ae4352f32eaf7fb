"""Scenes of detector physics on real frames: photon transfer, linearity and interpolation, as tests have them."""

from __future__ import annotations

import sys
from importlib import import_module
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numbers_of import write_table
from pictures import draw
from stage import CHECKOUT, Stage


def _of_tests(name: str) -> Any:
    """A module of the tests: pages and tests show the same numbers."""
    for folder in ("tests", "tests/real"):
        if (path := str(CHECKOUT / folder)) not in sys.path:
            sys.path.insert(0, path)
    return import_module(name)


real = _of_tests("real_physics")


LOOSE = "r at 20,000 adu, scales to 0.3 % (%)"


def frames_of(stage: Stage, name: str) -> Path:
    """The folder of a camera's frames."""
    if stage.real_data is None:
        raise SystemExit("the real frames are not here")
    return stage.real_data / name


def transfer(stage: Stage) -> None:
    """What the task of photon transfer says of a night with one level of flats."""
    product = _of_tests("test_real_ptc").kast_transfer(frames_of(stage, "kast-blue").parent)
    lines = [[f"exposure {note.exposure}", "set aside", note.reason] for note in product.aside]
    lines += [[f"amplifier {one.name}", "not fitted", one.fit.reason] for one in product.amplifiers]
    write_table("kast-ptc", ("what", "", "reason"), lines)


def pairs(stage: Stage) -> None:
    """Gains of stl1001 by side of the blocks and by separation; of one level of each camera, with neighbours."""
    of_pairs = _of_tests("test_real_pairs")
    folder = frames_of(stage, "stl1001-2017")
    biases, flats = (
        [real.pixels(path) for path in sorted(folder.glob(pattern))]
        for pattern in ("biases-Neg5-*", "flat-expos23s-*")
    )
    bias, noise = np.mean(biases, axis=0), of_pairs.mean_noise(biases)[0]
    lines: list[list[Any]] = []
    for separation in (1, 3, 5, 7, 9):
        cells: list[Any] = [separation]
        for block in (8, 16, 32, 1024):
            gain = of_pairs.gain_of_neighbours(flats, bias, noise, block=block, separation=separation)
            cells.append(f"{gain.gain:.4f} ± {gain.error:.4f}")
        lines.append(cells)
    columns = ("frames apart", "8 × 8", "16 × 16", "32 × 32", "as a whole")
    write_table("stl-gain-separation", columns, lines)


def neighbours(stage: Stage) -> None:
    """One level of three cameras by the points of photon transfer, with and without covariances."""
    ptc = _of_tests("test_real_ptc")
    data = frames_of(stage, "stl1001-2017").parent
    curves = {
        "stl": ([ptc.stl_transfer(data)], {"A": "1.934 ± 0.002"}, {"A": 6.702}),
        "esis": (
            [ptc.esis_transfer(data)],
            {tap: f"{gain} ± 0.005" for tap, (_, gain) in ptc.ESIS.items()},
            {tap: noise for tap, (noise, _) in ptc.ESIS.items()},
        ),
    }
    for name, ((product,), readme, noise) in curves.items():
        lines = []
        for one in product.amplifiers:
            cells = [one.name, f"{one.mean[0]:.0f}", readme[one.name]]
            cells += ["{:.4f} ± {:.4f}".format(*ptc.gains(one, noise[one.name], lag)) for lag in (0, 1, 2)]
            lines.append([*cells, one.fit.reason])
        columns = (
            "amplifier",
            "mean (adu)",
            "independent",
            "gain (e/adu)",
            "to lag 1",
            "to lag 2",
            "the task says",
        )
        write_table(f"{name}-neighbours", columns, lines)


def defects(stage: Stage) -> None:
    """Defects of stl1001: hot pixels against the notes of the data, and where they are."""
    found = _of_tests("test_real_defects")
    night = found.night_of("stl1001", frames_of(stage, "stl1001-2017"))
    masters = found.masters_of(night)
    counted = found.hot_above(night, masters)
    lines = [[f"{above} adu", f"{notes:,}", f"{own:,}"] for above, (notes, own) in counted.items()]
    write_table("stl-defects-hot", ("in 60 s, more than", "notes", "found"), lines)
    defects = found.search(night, list(masters.values()))
    counts = {reason: number for reason, number in defects.counts().items() if number and reason != "any"}
    lines = [[f"`{reason}`", f"{number:,}"] for reason, number in sorted(counts.items())]
    total = defects.counts()["any"]
    lines.append(["any", f"{total:,} ({100 * total / 1024**2:.2f} %)"])
    write_table("stl-defects", ("reason", "pixels"), lines)
    _draw_defects(defects, masters["dark"].product)


def _draw_defects(defects: Any, dark: Any) -> None:
    from pictures import block

    from fiducial.figures.style import MUTED, SERIES, new_figure, powers_of_ten, sequential, style
    from fiducial.products.images import planes_of

    rate = planes_of(dark).image * 1.934
    rate = rate - np.median(rate)
    mask = defects.mask_of("hot")
    with style():
        figure = new_figure(9.6, 3.6)
        figure.set_layout_engine("constrained")
        left, right = figure.subplots(1, 2)
        shown = left.imshow(100 * block(mask.astype(float), 32), cmap=sequential(), extent=(0, 1024, 0, 1024))
        figure.colorbar(shown, ax=left, label="masked pixels (%)")
        left.set(title="STL-1001, −5 °C: masked, blocks of 32 × 32", xlabel="column", ylabel="row")
        bins = np.geomspace(0.1, 500, 60)
        right.hist(rate.ravel(), bins, histtype="step", color=SERIES[0], label="all pixels")
        right.hist(rate[mask], bins, color=SERIES[1], alpha=0.7, label="masked as hot")
        right.axvline(3.0, color=MUTED, lw=0.8, ls=":", label="limit, 3 e-/s")
        right.set_xscale("log")
        right.set_yscale("log")
        for axis in (right.xaxis, right.yaxis):
            axis.set_major_formatter(powers_of_ten())
        right.set(title="Dark current above the median", xlabel="rate (electron/s)", ylabel="pixels a bin")
        right.legend()
    draw("stl-defects", figure, 90)


def hot_pixels(stage: Stage) -> None:
    """Linearity of stl1001 from hot pixels."""
    folder = frames_of(stage, "stl1001-2017")
    fits, loose = {}, {}
    for name in real.NOISE:
        darks = real.ladder(folder, name)
        fits[name] = real.hot_pixels(darks, name, 0.001), real.level_of(darks)
        loose[name] = real.hot_pixels(darks, name, 0.003)
    warm, cold = (fits[name][0] for name in ("Neg5", "Neg10"))
    lines = []
    for index, node in enumerate(warm.nodes):
        cells: list[Any] = [f"{node:,.0f}"]
        for fit in (warm, cold):
            value, error = 100 * fit.deviation[index], 100 * fit.error[index]
            fixed = fit.nodes[index] == fit.reference
            cells += ["0" if fixed else f"{value:.2f} ± {error:.2f}", f"{fit.counts[index]:,}"]
        lines.append(cells)
    columns = ("signal (adu)", "r at −5 °C (%)", "signals", "r at −10 °C (%)", "signals")
    write_table("stl-linearity", columns, lines)
    lines = []
    for name, temperature in (("Neg5", "−5 °C"), ("Neg10", "−10 °C")):
        fit, level = fits[name]
        used = int(fit.used.any(axis=0).sum())
        scales = f"{100 * fit.scales.min():+.2f} to {100 * fit.scales.max():+.2f}"
        share = int(fit.noisy.sum())
        lines.append(
            [
                *(temperature, f"{used:,}", share, f"{fit.chi2 / fit.freedom:.3f}", f"{level:.2f}", scales),
                f"{100 * loose[name].deviation[-1]:.2f} ± {100 * loose[name].error[-1]:.2f}",
            ]
        )
    columns = (
        "temperature",
        "pixels",
        "blinking",
        "reduced χ²",
        "level (adu)",
        "scales of frames (%)",
        LOOSE,
    )
    write_table("stl-linearity-fit", columns, lines)
    _draw_hot(warm, cold)


def _draw_hot(warm: Any, cold: Any) -> None:
    from fiducial.figures.style import INK, RULE, SERIES, new_figure, style

    with style():
        figure = new_figure(7.6, 3.2)
        figure.set_layout_engine("constrained")
        axes = figure.subplots()
        for fit, colour, label, shift in (
            (warm, SERIES[0], "−5 °C", 0.97),
            (cold, SERIES[1], "−10 °C", 1.03),
        ):
            shown = fit.nodes >= 30
            axes.errorbar(
                fit.nodes[shown] * shift,
                100 * fit.deviation[shown],
                100 * fit.error[shown],
                fmt="o-",
                color=colour,
                ms=4,
                lw=0.9,
                capsize=2,
                label=label,
            )
        axes.axhline(0, color=INK, lw=0.7)
        axes.set_xscale("log")
        axes.set_xticks([30, 100, 300, 1000, 3000, 10_000, 20_000], minor=False)
        axes.set_xticklabels(["30", "100", "300", "1,000", "3,000", "10,000", "20,000"])
        axes.minorticks_off()
        axes.grid(axis="y", color=RULE)
        axes.set(
            title="STL-1001: signal of hot pixels against proportionality to time",
            xlabel="signal by proportionality (adu)",
            ylabel="deviation r (%)",
        )
        axes.legend()
    draw("stl-hot-linearity", figure, 110)


def slit(stage: Stage) -> None:
    """Photon transfer along the light of kast-blue, and the ratio of two exposure times."""
    from fiducial.algorithms.ptc_fit import ReadNoise, fit_variances
    from fiducial.algorithms.ptc_level import with_neighbours
    from fiducial.algorithms.ptc_models import VarianceCurve

    folder, line = frames_of(stage, "kast-blue"), VarianceCurve("polynomial", 1)
    lines, shown = [], {}
    for side in ("L", "R"):
        noise = ReadNoise(real.KAST_NOISE[side], 0.01)
        for block in (8, 16, 32):
            curve = real.slit_curve(folder, side, block)
            straight, bent, free, neighbours = (
                fit_variances(curve.curve, shape=line, read_noise=noise),
                fit_variances(curve.curve, read_noise=noise),
                fit_variances(curve.curve, shape=line),
                fit_variances(with_neighbours(curve.curve, 1), shape=line, read_noise=noise),
            )
            variance, error = free.parameters[1], sqrt(free.covariance[1, 1])
            seen = f"{sqrt(max(variance, 0)):.2f} ± {error / 2 / sqrt(max(variance, 1)):.2f}"
            lines.append(
                [
                    side,
                    f"{block} × {block}",
                    len(curve),
                    "{} ± {}".format(*real.KAST_GAIN[side]),
                    f"{straight.gain:.4f} ± {straight.gain_error:.4f}",
                    f"{straight.chi2 / straight.freedom:.2f}",
                    f"{neighbours.gain:.4f} ± {neighbours.gain_error:.4f}",
                    f"{1e7 * bent.a00:.1f} ± {1e7 * bent.a00_error:.1f}",
                    seen if free.noise_constrained else "not told",
                ]
            )
            if block == 16:
                shown[side] = curve, straight
    columns = (
        *("amplifier", "blocks", "points", "independent (e/adu)", "straight line", "reduced χ²"),
        *("with lag 1", "a₀₀ (10⁻⁷/e)", "noise by the intercept (adu)"),
    )
    write_table("kast-transfer", columns, lines)
    lines = []
    for zero in ("biases", "overscan"):
        fit = fit_variances(real.slit_curve(folder, "L", 16, zero=zero).curve, shape=line)
        variance, error = fit.parameters[1], sqrt(fit.covariance[1, 1])
        off = (variance - real.KAST_NOISE["L"] ** 2) * fit.gain
        gain = f"{fit.gain:.4f} ± {fit.gain_error:.4f}"
        lines.append([zero, gain, f"{variance:.1f} ± {error:.1f}", f"{off:+.1f} ± {error * fit.gain:.1f}"])
    columns = ("zero level of", "gain (e/adu)", "intercept (adu²)", "signal too low by (adu)")
    write_table("kast-zero", columns, lines)
    _draw_slit(shown)
    _two_times(folder)


def _draw_slit(shown: dict[str, Any]) -> None:
    from fiducial.figures.style import INK, MUTED, RULE, SERIES, new_figure, powers_of_ten, style

    with style():
        figure = new_figure(9.6, 3.6)
        figure.set_layout_engine("constrained")
        left, right = figure.subplots(1, 2)
        for (side, (curve, fit)), colour in zip(shown.items(), SERIES, strict=False):
            means, variances = curve.curve.means, curve.curve.variances
            error = variances * np.sqrt(2 / curve.curve.counts[:, 0, 0])
            label = f"{side}: {fit.gain:.4f} ± {fit.gain_error:.4f} e/adu"
            left.plot(means, variances, "o", ms=3.5, color=colour, label=label)
            grid = np.geomspace(means.min(), means.max(), 50)
            left.plot(grid, grid / fit.gain + real.KAST_NOISE[side] ** 2, "-", lw=0.8, color=MUTED)
            expected = means / fit.gain + fit.parameters[1]
            right.errorbar(
                means,
                100 * (variances / expected - 1),
                100 * error / expected,
                fmt="o",
                ms=3,
                lw=0.7,
                color=colour,
            )
        for axes in (left, right):
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(powers_of_ten())
            axes.set_xlabel("signal of the bin (adu)")
            axes.grid(axis="y", color=RULE)
        left.set_yscale("log")
        left.yaxis.set_major_formatter(powers_of_ten())
        left.set(title="Kast blue: photon transfer along the light", ylabel="variance (adu²)")
        left.legend()
        right.axhline(0, color=INK, lw=0.7)
        right.set(title="less the straight line", ylabel="variance (%)")
    draw("kast-transfer", figure, 100)


def _two_times(folder: Path) -> None:
    from fiducial.figures.style import RULE, SERIES, new_figure, style

    bins = {"L": np.geomspace(300, 14_000, 12), "R": np.geomspace(10_000, 27_000, 6)}
    nodes = {"L": [300.0, 1000, 3000, 10_000, 25_000], "R": [10_000.0, 20_000, 40_000, 60_000]}
    lines = []
    with style():
        figure = new_figure(7.6, 3.2)
        figure.set_layout_engine("constrained")
        axes = figure.subplots()
        for side, colour in zip(("L", "R"), SERIES, strict=False):
            signal, good = real.two_times(folder, side)
            short, long = signal
            points = []
            for low, high in zip(bins[side][:-1], bins[side][1:], strict=True):
                inside = good & (short >= low) & (short < high)
                light, total = short[inside].sum(), long[inside].sum()
                gain = real.KAST_GAIN[side][0]
                relative = sqrt((1 / total + 1 / light / 11) / gain)
                points.append((light / inside.sum(), total / light, total / light * relative))
            at, ratio, error = np.array(points).T
            axes.errorbar(
                at, ratio, error, fmt="o-", ms=4, lw=0.9, capsize=2, color=colour, label=f"amplifier {side}"
            )
            fit = real.along_the_light(signal, good, side, nodes[side])
            for node, value, sigma, count in zip(
                fit.nodes, fit.deviation, fit.error, fit.counts, strict=True
            ):
                cell = "0" if node == fit.reference else f"{100 * value:.3f} ± {100 * sigma:.3f}"
                lines.append([side, f"{node:,.0f}", cell, f"{count:,}"])
        axes.set_xscale("log")
        axes.set_xticks([300, 1000, 3000, 10_000, 30_000], minor=False)
        axes.set_xticklabels(["300", "1,000", "3,000", "10,000", "30,000"])
        axes.minorticks_off()
        axes.grid(axis="y", color=RULE)
        axes.set(
            title="Kast blue: flat of 30 s over the mean of eleven of 15 s",
            xlabel="signal in 15 s (adu)",
            ylabel="ratio of signals",
        )
        axes.legend()
    draw("kast-ratio", figure, 110)
    write_table("kast-linearity", ("amplifier", "signal (adu)", "r (%)", "signals"), lines)


def interpolation(stage: Stage) -> None:
    """Good pixels of real frames hidden and filled in: values and quoted variances against what was hidden."""
    real_interpolation = _of_tests("real_interpolation")
    lines = []
    for name, frame in real_interpolation.frames(frames_of(stage, "kast-blue")).items():
        for hidden in real_interpolation.HIDDEN:
            for method in real_interpolation.METHODS:
                found = real_interpolation.judged(frame, hidden, method)
                if found is None:
                    continue
                lines.append(
                    [
                        name,
                        hidden,
                        method,
                        f"{found.number:,}",
                        f"{found.bias:+.3f} ± {found.bias_error:.3f}",
                        f"{found.scatter:.2f}",
                        f"{found.quoted:.2f}",
                        f"{100 * found.covered:.1f}",
                    ]
                )
    columns = (
        "frame",
        "hidden",
        "method",
        "pixels",
        "bias (σ)",
        "scatter (σ)",
        "quoted (σ)",
        "within quoted (%)",
    )
    write_table("kast-interpolation", columns, lines)
