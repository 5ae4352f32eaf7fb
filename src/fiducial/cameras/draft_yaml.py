"""A camera file in YAML with the evidence for each value as a comment above it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from fiducial.cameras.draft_frames import Evidence
from fiducial.cameras.load import camera_content
from fiducial.cameras.model import Camera

_HEAD = (
    "# Drafted from raw frames. Each value stands below its evidence; look at those marked CHECK first.\n"
    "# Then try it: fiducial init REPO --camera THIS_FILE && fiducial ingest REPO FRAME...\n"
)
_WIDTH = 110


def yaml_with_evidence(camera: Camera, evidence: Sequence[Evidence]) -> str:
    """The camera's file; evidence for a key that has no line of its own stands at the end."""
    content = camera_content(camera)
    reasons: dict[str, list[str]] = {}
    for entry in evidence:
        text = entry.reason if entry.value in ("", "{}") else f"{entry.value}: {entry.reason}"
        reasons.setdefault(entry.key, []).append(text + ("" if entry.sure else " (CHECK)"))
    lines: list[str] = []
    _mapping(content, "", 0, reasons, lines)
    rest = [f"# {key}: {text}" for key, texts in reasons.items() for text in texts]
    return _HEAD + "\n".join(lines + (["", "# Also seen:", *rest] if rest else [])) + "\n"


def _mapping(
    content: dict[str, Any], path: str, indent: int, reasons: dict[str, list[str]], lines: list[str]
) -> None:
    for key, value in content.items():
        here = f"{path}.{key}" if path else key
        _comments(here, indent, reasons, lines)
        _entry(f"{_scalar(key)}:", value, here, indent, reasons, lines)


def _entry(
    start: str, value: Any, path: str, indent: int, reasons: dict[str, list[str]], lines: list[str]
) -> None:
    pad = " " * indent
    below = _said_below(path, reasons)
    if not below and len(flow := f"{pad}{start} {_flow(value)}") <= _WIDTH:
        lines.append(flow)
    elif isinstance(value, dict):
        lines.append(f"{pad}{start}")
        _mapping(value, path, indent + 2, reasons, lines)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        lines.append(f"{pad}{start}")
        for i, item in enumerate(value):
            _item(item, f"{path}[{item.get('name', item.get('type', i))}]", indent + 2, reasons, lines)
    else:
        lines.append(f"{pad}{start} {_flow(value)}")


def _item(
    item: dict[str, Any], path: str, indent: int, reasons: dict[str, list[str]], lines: list[str]
) -> None:
    """One mapping of a list: in one line where nothing is said of its keys."""
    _comments(path, indent, reasons, lines)
    pad = " " * indent
    if not _said_below(path, reasons) and len(flow := f"{pad}- {_flow(item)}") <= _WIDTH:
        lines.append(flow)
        return
    inner: list[str] = []
    _mapping(item, path, indent + 2, reasons, inner)
    lines.append(f"{pad}- {inner[0].lstrip()}")  # its name, which has no evidence of its own
    lines.extend(inner[1:])


def _said_below(path: str, reasons: dict[str, list[str]]) -> bool:
    return any(key.startswith((f"{path}.", f"{path}[")) for key in reasons)


def _comments(path: str, indent: int, reasons: dict[str, list[str]], lines: list[str]) -> None:
    lines.extend(f"{' ' * indent}# {reason}" for reason in reasons.pop(path, []))


def _flow(value: Any) -> str:
    """A value in one line."""
    text = yaml.safe_dump(
        value, default_flow_style=True, width=1_000_000, allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("\n").removesuffix("\n...").strip()


def _scalar(key: str) -> str:
    return _flow(key)
