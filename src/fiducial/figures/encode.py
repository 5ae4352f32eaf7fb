"""Figures and arrays to PNG, and PNG to text that stands inside a page (data URIs)."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from fiducial.figures.style import style

_PNG = "data:image/png;base64,"


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
        Values of its first and last colour; what is beyond gets the same colours.
    """
    number = min(colours.N, 255)
    finite = np.isfinite(image)
    scaled = np.clip((np.where(finite, image, low) - low) / (high - low), 0.0, 1.0)
    index = np.minimum((scaled * number).astype(np.int64), number - 1)
    index = np.where(finite, index + 1, 0).astype(np.uint8)
    table = np.zeros((number + 1, 3), dtype=np.uint8)
    table[1:] = np.round(colours(np.linspace(0, 1, number))[:, :3] * 255)
    return _with_palette(index[::-1], table, transparent=0)


def with_fewer_bytes(address: str) -> str:
    """The same PNG (data URI, RGBA) with a palette, where its colours are few enough for one."""
    if not address.startswith(_PNG):
        return address
    png = Image.open(io.BytesIO(base64.b64decode(address[len(_PNG) :])))
    packed = np.ascontiguousarray(np.asarray(png.convert("RGBA"))).view(np.uint32)[..., 0]
    colours, index = np.unique(packed, return_inverse=True)
    channels = colours.view(np.uint8).reshape(-1, 4)
    opacity = channels[:, 3]
    clear = np.flatnonzero(opacity == 0)
    if len(colours) > 256 or len(clear) > 1 or np.any((opacity > 0) & (opacity < 255)):
        return address
    transparent = int(clear[0]) if len(clear) else None
    return data_uri(_with_palette(index.reshape(packed.shape).astype(np.uint8), channels[:, :3], transparent))


def _with_palette(index: NDArray[np.uint8], table: NDArray[np.uint8], transparent: int | None) -> bytes:
    picture = Image.fromarray(np.ascontiguousarray(index))
    picture.putpalette(np.ascontiguousarray(table).tobytes())
    buffer = io.BytesIO()
    options: dict[str, Any] = {} if transparent is None else {"transparency": transparent}
    picture.save(buffer, format="PNG", optimize=True, **options)
    return buffer.getvalue()
