"""Figures and arrays to text that stands inside a page: data URIs and inline SVG."""

from __future__ import annotations

import base64
import io
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from fiducial.figures.style import PAGE_COLOURS, style

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_PNG = "data:image/png;base64,"
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_FONT = re.compile(r"font:\s*([^;]*?)'DejaVu Sans'[^;]*")


def data_uri(png: bytes) -> str:
    """A PNG as the address of an image."""
    return _PNG + base64.b64encode(png).decode("ascii")


def to_png(figure: Figure, *, dots_per_inch: float = 144.0) -> bytes:
    """A figure as PNG, on a white ground: the form for papers and notebooks."""
    buffer = io.BytesIO()
    with style():
        figure.savefig(buffer, format="png", dpi=dots_per_inch, facecolor="white")
    return buffer.getvalue()


def to_data_uri(figure: Figure, *, dots_per_inch: float = 144.0) -> str:
    """A figure as the address of a PNG image."""
    return data_uri(to_png(figure, dots_per_inch=dots_per_inch))


def palette_png(image: NDArray[Any], colours: Colormap, low: float, high: float) -> bytes:
    """An image as PNG, one pixel a pixel, with a palette: row 0 at the bottom, NaN transparent.

    Parameters
    ----------
    image
        Shape (ny, nx).
    colours
        At most 255 colours of this map are used.
    low, high
        Values of its first and last colour.
    """
    number = min(colours.N, 255)
    scaled = Normalize(low, high, clip=True)(np.where(np.isfinite(image), image, low))
    index = np.minimum((np.asarray(scaled) * number).astype(np.int64), number - 1)
    index = np.where(np.isfinite(image), index + 1, 0).astype(np.uint8)
    table = np.zeros((number + 1, 3), dtype=np.uint8)
    table[1:] = np.round(colours(np.linspace(0, 1, number))[:, :3] * 255)
    return _with_palette(index[::-1], table, transparent=0)


def to_inline_svg(figure: Figure, *, name: str, title: str, description: str) -> str:
    """A figure as SVG to stand in an HTML page.

    Its colours become the page's CSS variables, its text takes the page's font, its ids get the
    prefix ``name`` (unique in the page), and images inside it become PNG with a palette.

    Parameters
    ----------
    figure
        The figure.
    name
        Unique in the page; letters, digits and hyphens.
    title, description
        For readers who do not see it: what it is, and what is to be seen.
    """
    buffer = io.BytesIO()
    with style():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    root = ElementTree.fromstring(buffer.getvalue())  # noqa: S314 (written the line above)
    for child in list(root):
        if child.tag == f"{{{_SVG}}}metadata":
            root.remove(child)
    for element in root.iter():
        _adapt(element, name)
    for length in ("width", "height"):
        root.attrib.pop(length, None)
    width, height = (72.0 * inches for inches in figure.get_size_inches())
    root.set("style", f"aspect-ratio: {width:.1f} / {height:.1f}; max-width: {width * 4 / 3:.0f}px")
    _describe(root, name, title, description)
    return ElementTree.tostring(root, encoding="unicode")


def _adapt(element: ElementTree.Element, name: str) -> None:
    """Rewrite one element: no name spaces, own ids, the page's colours and font, small images."""
    element.tag = element.tag.removeprefix(f"{{{_SVG}}}")
    if (identity := element.get("id")) is not None:
        element.set("id", f"{name}-{identity}")
    if (target := element.attrib.pop(f"{{{_XLINK}}}href", None)) is not None:
        element.set("href", f"#{name}-{target[1:]}" if target.startswith("#") else _shrink(target))
    if element.tag == "image":
        element.set("class", "pixels")
    for attribute in ("style", "clip-path", "fill", "stroke"):
        value = element.get(attribute)
        if value is None:
            continue
        value = _REFERENCE.sub(lambda found: f"url(#{name}-{found[1]})", value)
        if element.tag == "text":
            value = _FONT.sub(lambda found: f"font: {found[1]}var(--figure-font, sans-serif)", value)
        for colour, variable in PAGE_COLOURS.items():
            value = value.replace(colour, f"var({variable}, {colour})")
        element.set(attribute, value)


def _describe(root: ElementTree.Element, name: str, title: str, description: str) -> None:
    for index, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ElementTree.Element(tag, {"id": f"{name}-{tag}"})
        element.text = text
        root.insert(index, element)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-desc")


def _shrink(address: str) -> str:
    """A PNG of few colours, as matplotlib embeds it (RGBA), stored again with a palette."""
    if not address.startswith(_PNG):
        return address
    rgba = np.asarray(Image.open(io.BytesIO(base64.b64decode(address[len(_PNG) :]))).convert("RGBA"))
    packed = np.ascontiguousarray(rgba).view(np.uint32)[..., 0]
    colours, index = np.unique(packed, return_inverse=True)
    channels = colours.view(np.uint8).reshape(-1, 4)
    clear = np.flatnonzero(channels[:, 3] == 0)
    if len(colours) > 256 or len(clear) > 1 or np.any((channels[:, 3] > 0) & (channels[:, 3] < 255)):
        return address
    table = channels[:, :3]
    transparent = int(clear[0]) if len(clear) else None
    return data_uri(_with_palette(index.reshape(packed.shape).astype(np.uint8), table, transparent))


def _with_palette(index: NDArray[np.uint8], table: NDArray[np.uint8], transparent: int | None) -> bytes:
    picture = Image.fromarray(np.ascontiguousarray(index))
    picture.putpalette(np.ascontiguousarray(table).tobytes())
    buffer = io.BytesIO()
    options: dict[str, Any] = {} if transparent is None else {"transparency": transparent}
    picture.save(buffer, format="PNG", optimize=True, **options)
    return buffer.getvalue()
