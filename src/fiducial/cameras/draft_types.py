"""Frame types from words in keywords and names, believed only where exposure time and level agree."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fiducial.cameras.draft_frames import DraftFrame, Notebook
from fiducial.cameras.source import as_text

type Frames = Sequence[DraftFrame]

TYPE_KEYWORDS = ("IMAGETYP", "IMGTYPE", "OBSTYPE", "FRAMETYP", "FRAME", "IMTYPE")
FREE_TEXT = ("OBJECT", "TITLE")
NAMES = ("$FILENAME", "$FOLDER")
WORDS = {  # type -> words that mean it; the first that is found counts
    "bias": r"bias(es)?|zeros?",
    "flat": r"flats?|dome|twilight|led|lamp",
    "dark": r"darks?",
    "arc": r"arcs?|comp(arison)?|wavecal",
    "fe55": r"fe-?55",
    "science": r"light|object|science|sci",
}
_FEW = 0.1  # of frames of one type that may contradict it (a lamp that was off) and it is still believed
_BRIGHT = 3.0  # a gap in level that parts dark from lit frames is at least this factor in signal


@dataclass(frozen=True)
class Types:
    """The rules drafted, and the frames that each type has by words and content."""

    rules: list[dict[str, Any]]
    frames: dict[str, list[DraftFrame]]


def draft_types(frames: Frames, exposure_key: str, notebook: Notebook) -> Types:
    """Rules for the types of frames.

    A frame without exposure time must be a bias, a bright frame no dark, a dim one no flat: a source of
    words (a keyword, the file's name, the folder's) is believed for a type only where it agrees with that.
    Where no word will do, lit and dark frames are told apart by their level.
    """
    bright, threshold = split_by_level(frames)
    sources = [
        key for key in (*TYPE_KEYWORDS, *FREE_TEXT, *NAMES) if any(f.get(key) is not None for f in frames)
    ]
    wordless = not any(frame.get(key) is not None for frame in frames for key in (*TYPE_KEYWORDS, *FREE_TEXT))
    rules, found = [], {}
    for kind in ("bias", "arc", "fe55", "dark", "flat"):
        content = _content(kind, frames, bright)
        rule = _by_words(kind, frames, sources, content, exposure_key)
        if rule is None and wordless and kind in ("dark", "flat") and threshold is not None:
            rule = _by_level(kind, frames, bright, threshold)
        if rule is None:
            continue
        condition, members, reason = rule
        rules.append({"type": kind, "when": condition})
        found[kind] = members
        notebook.note(f"headers.frame_types[{kind}]", f"{len(members)} frames", reason)
    _science(frames, found, rules, sources, exposure_key, notebook)
    return Types(rules, found)


def split_by_level(frames: Frames) -> tuple[set[int], float | None]:
    """Which frames are lit, and the level (adu) between them and the others; None where none stand out.

    The lit ones lie above the largest gap (as a ratio) in signal above the lowest frame, if that is large.
    """
    levels = np.array([frame.level for frame in frames])
    base = levels.min()
    # A signal of less than 5 % of the bias level is no light for sure, so ratios are taken above that.
    signal = np.sort(np.maximum(levels - base, max(0.05 * abs(base), 20.0)))
    ratios = signal[1:] / signal[:-1]
    if not len(ratios) or ratios.max() < _BRIGHT:
        return set(), None
    edge = int(ratios.argmax())
    ordered = np.sort(levels)
    between = math.sqrt(max(ordered[edge], 1.0) * ordered[edge + 1])
    digits = 10 ** math.floor(math.log10(between))
    threshold = round(between / digits) * digits
    return {i for i, level in enumerate(levels) if level > threshold}, float(threshold)


def _content(kind: str, frames: Frames, bright: set[int]) -> list[bool]:
    """Whether each frame may be of this type, by exposure time and level."""
    zero = [frame.exposure_time == 0 for frame in frames]
    match kind:
        case "bias":
            return [zero[i] and i not in bright for i in range(len(frames))]
        case "dark":
            return [not zero[i] and i not in bright for i in range(len(frames))]
        case "flat":
            return [i in bright for i in range(len(frames))]
    return [not z for z in zero]


def kind_of(text: str) -> str | None:
    """The type that a word in a text means."""
    words = re.split(r"[^a-z0-9-]+|(?<=[a-z])(?=\d)|_", text.lower())
    whole = re.split(r"[^a-z0-9-]+|_", text.lower())
    for kind, pattern in WORDS.items():
        if any(re.fullmatch(pattern, word.strip("-")) for word in (*whole, *words, *_parts(words))):
            return kind
    return None


def _parts(words: Sequence[str]) -> list[str]:
    return [part for word in words for part in word.split("-")]


def _by_words(
    kind: str, frames: Frames, sources: Sequence[str], possible: Sequence[bool], exposure_key: str
) -> tuple[dict[str, Any], list[DraftFrame], str] | None:
    """The condition on the first source whose words agree with the content, for all frames they name."""
    for source in sources:
        texts = [frame.get(source) for frame in frames]
        named = [i for i, text in enumerate(texts) if text is not None and kind_of(as_text(text)) == kind]
        wrong = [i for i in named if not possible[i]]
        if not named or len(wrong) > _FEW * len(named):
            continue
        missed = [i for i in _surely(kind, frames, possible, sources) if i not in named]
        if len(missed) > _FEW * len(named):
            continue
        condition = _condition(kind, source, [as_text(texts[i] or "") for i in named], exposure_key)
        if source in NAMES:
            condition = _general_keyword(frames, named) | condition
        reason = f"{source} says so, and exposure time and level agree"
        return condition, [frames[i] for i in named], reason
    return None


def _surely(kind: str, frames: Frames, possible: Sequence[bool], sources: Sequence[str]) -> list[int]:
    """Frames that must be of this type by content, whatever words say: those no word calls another."""
    if kind not in ("dark", "flat"):
        return []
    others = {"arc", "fe55", "science"}
    return [
        i
        for i, frame in enumerate(frames)
        if possible[i]
        and not any(kind_of(as_text(frame.get(key) or "")) in others for key in sources)
        and not (kind == "dark" and frame.get("OBJECT") is not None)
    ]


def _condition(kind: str, source: str, texts: Sequence[str], exposure_key: str) -> dict[str, Any]:
    """A pattern for the texts; a type that only free text tells needs its exposure time too."""
    patterns = sorted({_pattern(kind, text, source) for text in texts})
    condition: dict[str, Any] = {source: "|".join(patterns)}
    if source in FREE_TEXT and kind == "bias":
        return {exposure_key: 0} | condition
    return condition


def _pattern(kind: str, text: str, source: str) -> str:
    if source == "$FOLDER":
        return text
    if source in FREE_TEXT:
        return f"{_singular(text)}*"
    if source in TYPE_KEYWORDS:
        return f"{_singular(text.split()[0])}*"
    start = re.match(rf"({WORDS[kind]})", text, re.IGNORECASE)
    return f"{_singular(start[0])}*" if start is not None else f"*{kind}*"


def _singular(word: str) -> str:
    return re.sub(r"(?<=bias)es$|(?<=[a-z]{2})(?<!bia)s$", "", word, flags=re.IGNORECASE)


def _general_keyword(frames: Frames, named: Sequence[int]) -> dict[str, Any]:
    """What a type keyword says of all these frames, where it says the same (Light Frame)."""
    for key in TYPE_KEYWORDS:
        values = {frames[i].get(key) for i in named}
        if len(values) == 1 and isinstance(value := values.pop(), str):
            return {key: f"{value.split()[0]}*"}
    return {}


def _by_level(
    kind: str, frames: Frames, bright: set[int], threshold: float
) -> tuple[dict[str, Any], list[DraftFrame], str]:
    members = [frame for i, frame in enumerate(frames) if (i in bright) == (kind == "flat")]
    members = [
        frame for frame in members if kind_of(as_text(frame.get("$FOLDER") or "")) in (kind, "flat", None)
    ]
    sign = ">" if kind == "flat" else "<="
    return {"$LEVEL": f"{sign} {threshold:g}"}, members, "no word tells them all; their level does"


def _science(
    frames: Frames,
    found: dict[str, list[DraftFrame]],
    rules: list[dict[str, Any]],
    sources: Sequence[str],
    exposure_key: str,
    notebook: Notebook,
) -> None:
    """What is left is science: by the keyword that says light or object, or by its exposure time."""
    if any("$LEVEL" in rule["when"] for rule in rules):
        return  # these rules leave nothing over
    for key in sources:
        texts = [as_text(f.get(key) or "") for f in frames]
        light = [text for text in texts if kind_of(text) == "science"]
        others = {text for text in texts if kind_of(text) in ("bias", "dark")}
        if light and key in TYPE_KEYWORDS and others and not _contradicted(frames, key):
            condition: dict[str, Any] = {key: f"{light[0].split()[0]}*"}
            break
    else:
        key, condition = exposure_key, {exposure_key: "> 0"}
    rules.append({"type": "science", "when": condition})
    left = len(frames) - sum(len(members) for members in found.values())
    notebook.note("headers.frame_types[science]", f"{left} frames", f"what is left, by {key}", sure=False)


def _contradicted(frames: Frames, key: str) -> bool:
    """Whether a keyword calls dark what has no exposure time."""
    return any(f.exposure_time == 0 and kind_of(as_text(f.get(key) or "")) == "dark" for f in frames)
