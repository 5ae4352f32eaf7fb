"""Figures of the documentation: small PNG files in ``_static``."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from stage import STATIC, Stage

from fiducial.figures.encode import to_png
from fiducial.figures.style import diverging, new_figure, sequential, stretch, style, symmetric_stretch

LARGEST = 300_000
"""Bytes of a figure."""


def save(name: str, png: bytes) -> None:
    """Write a picture with a white ground and few colours, so that it stays small."""
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    ground = Image.new("RGBA", picture.size, "white")
    flat = Image.alpha_composite(ground, picture).convert("RGB")
    STATIC.mkdir(exist_ok=True)
    for colours in (256, 128, 64, 32, 16):
        out = io.BytesIO()
        flat.quantize(colours, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        if out.tell() <= LARGEST:
            break
    else:
        raise SystemExit(f"{name}.png has {out.tell()} bytes")
    (STATIC / f"{name}.png").write_bytes(out.getvalue())
    print(f"{name}.png: {out.tell() / 1000:.0f} kB, {colours} colours", flush=True)


def draw(name: str, figure: Figure, dots: float = 110.0) -> None:
    """Write a figure."""
    save(name, to_png(figure, dots_per_inch=dots))


def screenshot(stage: Stage, page: Path, name: str, *, height: int, width: int = 1280, top: str = "") -> None:
    """Write a picture of a page as a browser shows it."""
    out = stage.scratch / f"{name}.png"
    out.unlink(missing_ok=True)
    command = (
        f"chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars "
        f"--disable-background-networking --disable-component-update --disable-sync "
        f"--user-data-dir={stage.scratch / 'chromium'} --screenshot={out} "
        f"--window-size={width},{height} file://{page}{top}"
    )
    subprocess.run(command.split(), check=True, capture_output=True, timeout=300)
    save(name, out.read_bytes())


def panels(
    images: list[np.ndarray[Any, Any]],
    titles: list[str],
    labels: list[str],
    *,
    size: tuple[float, float],
    columns: int,
    about_zero: bool = False,
    aspect: str = "equal",
    scales: list[tuple[float, float] | None] | None = None,
) -> Figure:
    """Draw images beside one another, each with its own scale."""
    with style():
        figure = new_figure(*size)
        figure.set_layout_engine("constrained")
        rows = -(-len(images) // columns)
        axes = np.ravel(figure.subplots(rows, columns))
        for index, (axis, image, title, label) in enumerate(zip(axes, images, titles, labels, strict=False)):
            if scales and scales[index] is not None:
                low, high = scales[index]  # type: ignore[misc]
            elif about_zero:
                high = symmetric_stretch(image)
                low = -high
            else:
                low, high = stretch(image)
            colours = diverging() if low == -high else sequential()
            shown = axis.imshow(image, vmin=low, vmax=high, cmap=colours, aspect=aspect)
            axis.set_title(title)
            axis.set_xticks([]), axis.set_yticks([])
            figure.colorbar(shown, ax=axis, label=label, shrink=0.85)
        for axis in axes[len(images) :]:
            axis.set_axis_off()
    return figure


def masters(repository: Path, wanted: list[tuple[str, str, dict[str, Any]]]) -> list[Any]:
    """Read masters: dataset type, collection and data id of each."""
    from lsst.daf.butler import Butler

    with Butler.from_config(repository) as butler:
        return [butler.get(kind, collections=run, **data) for kind, run, data in wanted]


def show_masters_against_truth(folder: Path) -> None:
    """The masters of the demonstration, and what is left when the truth is taken away."""
    from fiducial.cameras import load_camera
    from fiducial.products.images import planes_of
    from fiducial.service.comparing import true_values
    from fiducial.simulation import load_truth

    truth, camera = load_truth(folder / "raw"), load_camera("simcam")
    base = "SimCam/calib/DEMO/first-night"
    runs = [("bias", f"{base}/biasGen.20260115a", {}), ("dark", f"{base}/darkGen.20260115a", {})]
    runs += [("flat", f"{base}/flatGen-g.20260115a", {"physical_filter": "g"})]
    wanted = [(kind, run, {"instrument": "SimCam", "detector": 0} | more) for kind, run, more in runs]
    images, titles, labels = [], [], []
    for (kind, _, more), master in zip(wanted, masters(folder / "repo", wanted), strict=True):
        pixels = planes_of(master).image
        true = np.full_like(pixels, np.nan)
        for amp in camera.amplifiers(0):
            values = true_values(kind, more.get("physical_filter", ""), truth.detectors[0], amp)
            if kind == "flat":  # the response of amplifiers holds their gains, which are nominal
                values = values * np.nanmean(pixels[amp.detector.slices]) / values.mean()
            true[amp.detector.slices] = values
        unit = str(master.unit) or "relative"
        images += [pixels, block(pixels - true, 4)]
        titles += [f"master {kind}, detector S0", "less the truth (blocks of 4 × 4)"]
        labels += [unit, unit]
    scales: list[tuple[float, float] | None] = [None] * len(images)
    for index in (1, 3, 5):
        half = symmetric_stretch(images[index])
        scales[index] = (-half, half)
    draw("demo-masters", panels(images, titles, labels, size=(9.6, 7.6), columns=2, scales=scales), 90)


def show_stripes(folder: Path) -> None:
    """The first bias of the night beside the second: residuals to the master."""
    from lsst.daf.butler import Butler

    run = "SimCam/calib/DEMO/first-night/verifyBias.20260115a"
    with Butler.from_config(folder / "repo", collections=run) as butler:
        stack = butler.get("verifyBiasResiduals", instrument="SimCam", detector=0)
    images = [np.asarray(stack.images[i], dtype=np.float64) for i in (0, 1)]
    titles = [f"exposure {stack.exposures[i]} ({stack.roles[i]})" for i in (0, 1)]
    half = symmetric_stretch(images[0])
    figure = panels(images, titles, [stack.unit] * 2, size=(9.6, 2.6), columns=2, scales=[(-half, half)] * 2)
    draw("demo-stripes", figure)


def block(image: np.ndarray[Any, Any], side: int) -> np.ndarray[Any, Any]:
    """Means of blocks; NaN is passed over."""
    from fiducial.figures.display import block_mean

    return np.asarray(block_mean(image, side))


type Draw = Callable[[], Figure]
