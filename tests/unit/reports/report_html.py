"""A page as its reader has it: its words, tags, addresses and tables."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "hr", "input", "path", "use"}


class Page(HTMLParser):
    """Checks that tags match, and keeps what the tests ask for."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self._note(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self._note(tag, attrs)

    def _note(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        for name, value in attrs:
            if name in ("src", "href", "action", "srcset", "poster", "data"):
                self.addresses.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)

    def words(self) -> str:
        """The text that a reader sees, with single spaces."""
        return re.sub(r"\s+", " ", " ".join(self.text))


def table(html: str, caption: str) -> list[dict[str, str]]:
    """The rows of the first table whose caption begins so, by their column's head."""
    for found in re.findall(r"<table[^>]*>(.*?)</table>", html, re.DOTALL):
        if _plain(found.split("</caption>")[0]).startswith(caption):
            heads = [_plain(cell) for cell in re.findall(r"<th scope=\"col\"[^>]*>(.*?)</th>", found)]
            body = found.split("<tbody>")[1]
            rows = re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)
            cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL) for row in rows]
            return [dict(zip(heads, map(_plain, row), strict=True)) for row in cells]
    raise AssertionError(f"no table {caption!r}")


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text))).strip()


def says(text: str, value: float) -> bool:
    """Whether a number is what the text shows: the same to half of the last digit that is there."""
    shown = text.split(" ±")[0].split(" ")[0].replace("\u2212", "-").replace("\u202f", "")
    digits = len(shown.partition(".")[2])
    return abs(float(shown) - value) <= 0.5001 * 10.0**-digits
