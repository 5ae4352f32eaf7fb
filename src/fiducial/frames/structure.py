"""The skeleton of a FITS file: which HDUs there are, where their data lie, and whether that is sane."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from fiducial.errors import UnreadableFrame
from fiducial.frames.sources import Source, other_archive

BLOCK = 2880
CARD = 80
LARGEST_HEADER = 2000 * BLOCK  # bytes: some 70,000 cards
LARGEST_IMAGE = 1 << 30  # pixels; no detector is larger, and more is a corrupt NAXIS
_LARGEST_STEP = 8 * BLOCK
_STRUCTURAL = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|GROUPS|EXTNAME|BSCALE|BZERO|BLANK|TFIELDS|THEAP"
    r"|TTYPE\d+|TFORM\d+|TSCAL\d+|TZERO\d+|TNULL\d+|ZIMAGE|ZSIMPLE|ZCMPTYPE|ZBITPIX|ZNAXIS\d*|ZTILE\d+"
    r"|ZNAME\d+|ZVAL\d+|ZQUANTIZ|ZDITHER0|ZBLANK|ZSCALE|ZZERO|ZTENSION|ZEXTEND|ZPCOUNT|ZGCOUNT|ZHECKSUM"
    r"|ZDATASUM|ZBLOCKED|EXTEND|CHECKSUM|DATASUM"
)

type CardValue = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Hdu:
    """One header-data unit: where it lies in the file, and the keywords that say how it is built."""

    index: int
    text: str  # the header's cards, 80 characters each, without END
    data_offset: int
    data_bytes: int
    cards: dict[str, CardValue]

    @property
    def name(self) -> str:
        """EXTNAME, or an empty string."""
        return str(self.cards.get("EXTNAME", "")).strip()

    @property
    def label(self) -> str | int:
        """How a message calls this HDU: by name if it has one, else by number."""
        return self.name or self.index

    @property
    def compressed(self) -> bool:
        """Whether this is a table that holds a tile-compressed image."""
        return self.cards.get("ZIMAGE") is True and "XTENSION" in self.cards

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Axes of the image, slowest first; empty if there is none."""
        prefix = "ZNAXIS" if self.compressed else "NAXIS"
        if not self.compressed and str(self.cards.get("XTENSION", "IMAGE")).strip() != "IMAGE":
            return ()
        number = int(self.cards.get(prefix, 0))
        return tuple(int(self.cards[f"{prefix}{i}"]) for i in range(number, 0, -1))


def is_structural(keyword: str) -> bool:
    """Whether a keyword tells how the file is built, and nothing of the exposure."""
    return _STRUCTURAL.fullmatch(keyword) is not None


def read_structure(source: Source, path: str) -> tuple[Hdu, ...]:
    """Find all HDUs of a file by their headers alone.

    Raises `UnreadableFrame` if the file is empty, no FITS file, truncated, or says impossible
    things of its own size.
    """
    name = Path(path).name
    if source.size == 0:
        raise UnreadableFrame(f"{name} is empty", hint="Copy the file again from its source.", file=path)
    hdus: list[Hdu] = []
    offset = 0
    while offset < source.size:
        if hdus and not _starts_hdu(source, offset, path, hdus[-1]):
            break
        hdu = _read_hdu(source, offset, len(hdus), path)
        hdus.append(hdu)
        offset = hdu.data_offset + -(-hdu.data_bytes // BLOCK) * BLOCK
    return tuple(hdus)


def _starts_hdu(source: Source, offset: int, path: str, last: Hdu) -> bool:
    """Whether another HDU follows; blank padding at the end of a file is passed over."""
    if source.read(offset, min(8, source.size - offset)).tobytes() == b"XTENSION":
        return True
    start = source.read(offset, min(BLOCK, source.size - offset)).tobytes()
    if not start.strip(b"\0 "):
        return False
    raise UnreadableFrame(
        f"{Path(path).name}: after HDU {last.label} (byte {offset}) comes something that is not FITS",
        hint="The file is corrupt, or was appended to; copy it again from its source.",
        file=path,
        hdu=last.index + 1,
        keyword="XTENSION",
    )


def _read_hdu(source: Source, offset: int, index: int, path: str) -> Hdu:
    text, end = _read_header(source, offset, index, path)
    cards = _structural_cards(text)
    hdu = Hdu(index, text, end, 0, cards)
    data_bytes = _data_bytes(hdu, path)
    hdu = Hdu(index, text, end, data_bytes, cards)
    if end + data_bytes > source.size:
        raise UnreadableFrame(
            f"{Path(path).name} is truncated: the data of HDU {hdu.label} should reach byte "
            f"{end + data_bytes}, the file ends at {source.size}",
            hint="Copy the file again from where it was taken.",
            file=path,
            hdu=hdu.label,
        )
    return hdu


def _read_header(source: Source, offset: int, index: int, path: str) -> tuple[str, int]:
    """The cards of a header as text, and the offset where its data begin."""
    name = Path(path).name
    collected = bytearray()
    position = offset
    step = BLOCK  # small at first: bytes read here beyond the header are read again as pixels
    while True:
        chunk = source.read(position, min(step, source.size - position)).tobytes()
        if position == offset and index == 0 and not chunk.startswith(b"SIMPLE"):
            archive = other_archive(chunk)
            found = f"is a {archive} archive" if archive else "is not a FITS file"
            hint = "Unpack it first." if archive else "Give raw FITS frames."
            raise UnreadableFrame(f"{name} {found}", hint=hint, file=path, hdu=0, keyword="SIMPLE")
        searched = len(collected)
        collected += chunk
        end = _find_end(collected, searched)
        if end is not None:
            break
        position += len(chunk)
        step = min(2 * step, _LARGEST_STEP)
        if position >= source.size or len(collected) > LARGEST_HEADER:
            raise UnreadableFrame(
                f"{name} is truncated or corrupt: the header of HDU {index} has no END",
                hint="Copy the file again from where it was taken.",
                file=path,
                hdu=index,
                keyword="END",
            )
    text = bytes(collected[:end]).decode("latin-1")
    printable = re.sub(r"[^\x20-\x7e]", "?", text)
    blocks = (end + CARD + BLOCK - 1) // BLOCK
    if offset + blocks * BLOCK > source.size:
        raise UnreadableFrame(
            f"{name} is truncated: the header of HDU {index} should reach byte {offset + blocks * BLOCK}, "
            f"the file ends at {source.size}",
            hint="Copy the file again from where it was taken.",
            file=path,
            hdu=index,
        )
    return printable, offset + blocks * BLOCK


def _find_end(header: bytearray, searched: int) -> int | None:
    """Where the END card starts; cards begin every 80 bytes."""
    position = header.find(b"END" + b" " * 5, searched // CARD * CARD)
    while position >= 0:
        if position % CARD == 0:
            return position
        position = header.find(b"END" + b" " * 5, position + 1)
    return None


def _structural_cards(text: str) -> dict[str, CardValue]:
    cards: dict[str, CardValue] = {}
    for i in range(0, len(text), CARD):
        keyword = text[i : i + 8].rstrip()
        if text[i + 8 : i + 10] == "= " and keyword not in cards and is_structural(keyword):
            value = card_value(text[i + 10 : i + CARD])
            if value is not None:
                cards[keyword] = value
    return cards


def card_value(field: str) -> CardValue | None:
    """The value in a card's last 70 characters; None where it is blank or makes no sense."""
    field = field.strip()
    if field.startswith("'"):
        match = re.match(r"'((?:[^']|'')*)'", field)
        return match[1].replace("''", "'").rstrip() if match else None
    word = field.split("/", 1)[0].strip()
    if word in ("T", "F"):
        return word == "T"
    if re.fullmatch(r"[+-]?\d{1,30}", word):
        return int(word)
    try:
        number = float(word.replace("D", "E").replace("d", "e"))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _integer(hdu: Hdu, keyword: str, path: str, low: int, high: int, default: int | None = None) -> int:
    value = hdu.cards.get(keyword, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise UnreadableFrame(
            f"{Path(path).name}: HDU {hdu.label} has {keyword} = {value!r}, no integer from {low} to {high}",
            hint="The header is corrupt; copy the file again from its source.",
            file=path,
            hdu=hdu.label,
            keyword=keyword,
        )
    return value


def _data_bytes(hdu: Hdu, path: str) -> int:
    """Bytes of the data unit, after the keywords that give it were found sane."""
    bits = _bitpix(hdu, "BITPIX", path)
    number = _integer(hdu, "NAXIS", path, 0, 999)
    axes = [_integer(hdu, f"NAXIS{i}", path, 0, 1 << 50) for i in range(1, number + 1)]
    heap = _integer(hdu, "PCOUNT", path, 0, 1 << 50, 0)
    groups = _integer(hdu, "GCOUNT", path, 1, 1 << 30, 1)
    if hdu.cards.get("GROUPS") is True:
        raise UnreadableFrame(
            f"{Path(path).name}: HDU {hdu.label} holds random groups, not an image",
            hint="Give raw frames with image HDUs.",
            file=path,
            hdu=hdu.label,
            keyword="GROUPS",
        )
    if hdu.compressed:
        _bitpix(hdu, "ZBITPIX", path)
        number_z = _integer(hdu, "ZNAXIS", path, 0, 999)
        for i in range(1, number_z + 1):
            _integer(hdu, f"ZNAXIS{i}", path, 0, 1 << 50)
    if math.prod(hdu.image_shape) > LARGEST_IMAGE:
        keyword = "ZNAXIS1" if hdu.compressed else "NAXIS1"
        raise UnreadableFrame(
            f"{Path(path).name}: HDU {hdu.label} claims {' x '.join(map(str, hdu.image_shape))} pixels",
            hint="No detector is that large: the header is corrupt.",
            file=path,
            hdu=hdu.label,
            keyword=keyword,
        )
    return bits // 8 * groups * (heap + math.prod(axes)) if number else 0


def _bitpix(hdu: Hdu, keyword: str, path: str) -> int:
    value = hdu.cards.get(keyword)
    if value not in (8, 16, 32, 64, -32, -64) or isinstance(value, bool):
        raise UnreadableFrame(
            f"{Path(path).name}: HDU {hdu.label} has {keyword} = {value!r}",
            hint="It must be 8, 16, 32, 64, -32 or -64; the header is corrupt.",
            file=path,
            hdu=hdu.label,
            keyword=keyword,
        )
    return abs(int(value))
