"""Headers as astropy gives them, but one value per keyword and None for what makes no sense."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from astropy.io import fits

from fiducial.frames.complaints import naming
from fiducial.frames.structure import CARD, Hdu, is_structural

_WITH_VALUE = re.compile(r"[A-Za-z0-9_-]{1,8} *= |HIERARCH .*=|CONTINUE  ")
_NOT_NUMBERS = {"nan", "+nan", "-nan", "inf", "+inf", "-inf"}


def clean_header(hdu: Hdu, path: str) -> fits.Header:
    """The header of one HDU: a keyword that stands twice has its first value, NaN is None."""
    return _header(_cards(hdu, path, without_structure=False), path, hdu)


def merged_header(hdus: Iterable[Hdu], path: str) -> fits.Header:
    """The headers of several HDUs as one; where two have a keyword, the first one's value stands.

    Keywords that say how the file is built come from the last HDU only, and those of a compressed
    image are the image's own (``NAXIS1`` is its width, not that of the table around it).
    """
    chain = list(hdus)
    last = chain[-1]
    cards: list[fits.Card] = []
    for hdu in chain:
        cards += _cards(hdu, path, without_structure=hdu is not last or hdu.compressed)
    if last.compressed:
        cards = _image_cards(last) + cards
    return _header(cards, path, last)


def _header(cards: list[fits.Card], path: str, hdu: Hdu) -> fits.Header:
    seen: dict[str, fits.Card] = {}
    for card in cards:
        seen.setdefault(card.keyword, card)
    with naming(path, hdu.label, "the header"):
        return fits.Header(seen.values())


def _cards(hdu: Hdu, path: str, *, without_structure: bool) -> list[fits.Card]:
    with naming(path, hdu.label, "the header"):
        images = (hdu.text[i : i + CARD] for i in range(0, len(hdu.text), CARD))
        header = fits.Header.fromstring("".join(image for image in images if _WITH_VALUE.match(image)))
        return [
            _usable(card, card.keyword)
            for card in header.cards
            if card.keyword != "CONTINUE" and not (without_structure and is_structural(card.keyword))
        ]


def _usable(card: fits.Card, keyword: str) -> fits.Card:
    """The card with None for a value that is NaN, infinite or not written as FITS demands."""
    try:
        value = card.value
    except (fits.VerifyError, ValueError):
        value = None
    if isinstance(value, float) and not math.isfinite(value):
        value = None
    if isinstance(value, str) and value.strip().lower() in _NOT_NUMBERS:
        value = None
    if value is not None:
        return card
    long = len(keyword) > 8 or " " in keyword
    return fits.Card(f"HIERARCH {keyword}" if long else keyword, None)


def _image_cards(hdu: Hdu) -> list[fits.Card]:
    cards = [fits.Card("BITPIX", hdu.cards["ZBITPIX"]), fits.Card("NAXIS", hdu.cards["ZNAXIS"])]
    for i, size in enumerate(reversed(hdu.image_shape), start=1):
        cards.append(fits.Card(f"NAXIS{i}", size))
    kept = ("EXTNAME", "BSCALE", "BZERO", "BLANK")
    return cards + [fits.Card(keyword, hdu.cards[keyword]) for keyword in kept if keyword in hdu.cards]
