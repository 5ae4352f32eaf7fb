"""Figures to SVG that stands in an HTML page: its colours, its font, and no more bytes than needed."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

from matplotlib.figure import Figure

from fiducial.figures.encode import with_fewer_bytes
from fiducial.figures.style import PAGE_COLOURS, style

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_FONT = re.compile(r"'DejaVu Sans'[^;]*")
_DECIMALS = re.compile(r"(-?\d+\.\d{2})\d+")
_COORDINATES = ("d", "x", "y", "points")  # in points; not the scales in "transform", which multiply


def to_inline_svg(figure: Figure, *, name: str, title: str, description: str) -> str:
    """A figure as SVG to stand in an HTML page.

    Its colours become the page's CSS variables, its text takes the page's font, its ids and classes
    get the prefix ``name``, and images inside it become PNG with a palette.

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
        if child.tag == f"{_SVG}metadata":
            root.remove(child)
    for definitions in root.iter(f"{_SVG}defs"):
        for rule in definitions.findall(f"{_SVG}style"):
            definitions.remove(rule)  # it would style the whole page
    used = _references(root)
    classes: dict[str, str] = {}
    for element in root.iter():
        _adapt(element, name, used, classes)
    for length in ("width", "height", "version"):
        root.attrib.pop(length, None)
    width, height = (72.0 * inches for inches in figure.get_size_inches())
    root.set(
        "style",
        f"aspect-ratio: {width:.1f} / {height:.1f}; max-width: {width * 4 / 3:.0f}px; "
        "stroke-linejoin: round; stroke-linecap: butt",
    )
    _describe(root, name, title, description)
    rules = ElementTree.Element("style")
    rules.text = "".join(f".{label}{{{rule}}}" for rule, label in classes.items())
    root.insert(2, rules)
    return ElementTree.tostring(root, encoding="unicode")


def _references(root: ElementTree.Element) -> frozenset[str]:
    """The ids that something in the figure points to."""
    found = set()
    for element in root.iter():
        for attribute, value in element.attrib.items():
            if attribute == _HREF and value.startswith("#"):
                found.add(value[1:])
            found.update(_REFERENCE.findall(value))
    return frozenset(found)


def _adapt(element: ElementTree.Element, name: str, used: frozenset[str], classes: dict[str, str]) -> None:
    """Rewrite one element: no name spaces, own ids and classes, the page's colours, small images."""
    element.tag = element.tag.removeprefix(_SVG)
    if element.tag != "text" and not (element.text or "").strip():
        element.text = None
    element.tail = None
    if (identity := element.attrib.pop("id", None)) in used:
        element.set("id", f"{name}-{identity}")
    if (target := element.attrib.pop(_HREF, None)) is not None:
        element.set("href", f"#{name}-{target[1:]}" if target.startswith("#") else with_fewer_bytes(target))
    if (clip := element.get("clip-path")) is not None:
        element.set("clip-path", _REFERENCE.sub(lambda found: f"url(#{name}-{found[1]})", clip))
    for attribute in _COORDINATES:
        if (value := element.get(attribute)) is not None:
            element.set(attribute, _DECIMALS.sub(r"\1", value))
    labels = ["pixels"] if element.tag == "image" else []
    if (rule := element.attrib.pop("style", None)) is not None:
        labels.append(classes.setdefault(_page_style(rule, name), f"{name}-{len(classes)}"))
    if labels:
        element.set("class", " ".join(labels))


def _page_style(rule: str, name: str) -> str:
    """A style with the page's colours and font in the place of the figure's."""
    rule = _REFERENCE.sub(lambda found: f"url(#{name}-{found[1]})", rule)
    rule = _FONT.sub("var(--figure-font, sans-serif)", rule)
    for colour, variable in PAGE_COLOURS.items():
        rule = rule.replace(colour, f"var({variable}, {colour})")
    return rule


def _describe(root: ElementTree.Element, name: str, title: str, description: str) -> None:
    for index, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ElementTree.Element(tag, {"id": f"{name}-{tag}"})
        element.text = text
        root.insert(index, element)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-desc")
