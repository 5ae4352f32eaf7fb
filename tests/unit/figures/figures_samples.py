"""Small cameras and arrays for the tests of figures."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fiducial.cameras.model import Amplifier, Camera, Detector, Layout
from fiducial.cameras.rules import HeaderRules

SHAPE = (40, 60)


def amplifiers() -> tuple[Amplifier, ...]:
    """Two side by side; the right one is mirrored, so that it is read from the right."""
    common = {"data": "[1:30,1:40]", "gain": 1.5, "read_noise": 5.0, "saturation": 65535}
    return (
        Amplifier(name="left", detector="[1:30,1:40]", **common),
        Amplifier(name="right$1", detector="[60:31,1:40]", **common),
    )


def camera(*turns: int, apart: bool = True) -> Camera:
    """One detector for each number of quarter turns."""
    layout = Layout(raw_shape=(40, 30), amplifiers=amplifiers())
    return Camera(
        name="FigureCam",
        layouts={"two": layout},
        detectors=tuple(
            Detector(
                id=i,
                name=f"D{i}",
                layout="two",
                quarter_turns=turn,
                position=(i * 1.0, 2.0) if apart else (0.0, 0.0),
            )
            for i, turn in enumerate(turns)
        ),
        headers=HeaderRules(recognise={"INSTRUME": "FigureCam"}),
    )


def noise(seed: int, shape: tuple[int, int] = SHAPE) -> NDArray[np.float32]:
    """White noise of unit width."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def words(figure: Figure) -> str:
    """Everything that is written in a figure."""
    figure.canvas.draw()
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    texts += [axes.get_title(loc="left") for axes in figure.axes]
    texts += [axes.get_xlabel() for axes in figure.axes] + [axes.get_ylabel() for axes in figure.axes]
    texts += [tick.get_text() for axes in figure.axes for tick in axes.get_xticklabels()]
    texts += [figure.get_supxlabel(), figure.get_supylabel()]
    texts += [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    for axes in figure.axes:
        if (legend := axes.get_legend()) is not None:
            texts += [text.get_text() for text in legend.get_texts()]
    return "\n".join(texts)


def parse(svg: str) -> ElementTree.Element:
    """The tree of an inline SVG."""
    return ElementTree.fromstring(svg)  # noqa: S314 (our own)
