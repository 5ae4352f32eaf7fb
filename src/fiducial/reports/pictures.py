"""Figures as they stand in the page: SVG, a caption, and words for who does not see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count as count_up

from markupsafe import Markup
from matplotlib.figure import Figure

from fiducial.figures.svg import to_inline_svg


@dataclass(frozen=True)
class Picture:
    """A figure in the page; ``svg`` was made by us and is not escaped again."""

    svg: Markup
    caption: str


@dataclass
class Album:
    """Makes pictures, gives each a name of its own, and keeps count of what they weigh."""

    characters: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: count_up(1))

    def name(self) -> str:
        """A name that no other figure of the page has."""
        return f"f{next(self._numbers)}"

    def picture(self, figure: Figure, *, title: str, description: str, caption: str) -> Picture:
        """Put a figure into the page.

        Parameters
        ----------
        figure
            The figure.
        title, description
            What it is and what is to be seen in it, for who does not see it.
        caption
            Under the figure, for everyone.
        """
        svg = to_inline_svg(figure, name=self.name(), title=title, description=description)
        self.characters += len(svg)
        return Picture(Markup(svg), caption)  # noqa: S704 (text in it was escaped by the XML writer)
