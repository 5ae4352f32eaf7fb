"""The page: sections through a template that escapes whatever it is given."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fiducial.frames.atomic import atomic_write
from fiducial.reports.model import ReportData
from fiducial.reports.numbers import count, in_words, moment
from fiducial.reports.sections import Section, sections_of
from fiducial.reports.words import VERDICTS, worst_of


def render_report(data: ReportData | Sequence[ReportData], *, title: str) -> str:
    """Make the page of a production.

    Parameters
    ----------
    data
        One kind, or several: each becomes a section of the one page.
    title
        Of the page.

    Returns
    -------
    HTML that needs nothing from elsewhere: images, styles and scripts are inside, and a content
    security policy keeps the browser from fetching or running anything else.
    """
    reports = [data] if isinstance(data, ReportData) else list(data)
    sections = sections_of(reports)
    script = _resource("page.js")
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            title=title,
            sections=sections,
            overall=_overall(sections),
            style=Markup(_resource("page.css")),  # noqa: S704 (a file of ours)
            script=Markup(script),  # noqa: S704 (a file of ours)
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )


def write_report(path: str | os.PathLike[str], html: str) -> None:
    """Write a page; it appears whole or not at all.

    Raises
    ------
    StorageError
        If the disk is full or the folder may not be written.
    """
    with atomic_write(path) as temporary:
        temporary.write_text(html, encoding="utf-8")


def _overall(sections: Sequence[Section]) -> str:
    outcomes = {section.headline.outcome for section in sections}
    return "none" if outcomes <= {"none"} else worst_of(outcomes - {"none"})


def _resource(name: str) -> str:
    return files("fiducial.reports").joinpath("templates", name).read_text(encoding="utf-8")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("fiducial.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": count, "moment": moment, "in_words": in_words}
    environment.globals |= {"verdicts": VERDICTS}
    return environment
