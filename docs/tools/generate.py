"""Parts of the reference that are taken from the code when the pages are built."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

CAMERA_MODELS = (
    "model.Camera",
    "model.Layout",
    "model.Amplifier",
    "model.Detector",
    "model.AmplifierValues",
    "model.Defaults",
    "model.OverscanDefaults",
    "model.SelectionDefaults",
    "rules.HeaderRules",
    "rules.FactRule",
    "rules.FrameTypeRule",
    "rules.StateRule",
)

PIPELINES = ("cpBias", "cpDark", "cpFlat", "VerifyBias", "VerifyDark", "VerifyFlat", "Detrend")

_OF_THE_MIDDLEWARE = {"connections", "saveLogOutput", "saveMetadata", "corrections"}
_BOUNDS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤", "pattern": "fits", "min_length": "length ≥"}


def write_all(folder: Path) -> None:
    """Write every generated page into a folder, those that have not changed left as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {
        "camera-file.md": camera_file(),
        "tasks.md": tasks(),
        "corrections.md": corrections(),
        "mask-planes.md": mask_planes(),
        "errors.md": errors(),
    }.items():
        file = folder / name
        if not file.exists() or file.read_text() != text:
            file.write_text(text)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def camera_file() -> str:
    """A section for each model of a camera file: its keys with type, default and meaning."""
    from importlib import import_module

    parts = []
    for name in CAMERA_MODELS:
        module, _, class_name = name.partition(".")
        model = getattr(import_module(f"fiducial.cameras.{module}"), class_name)
        about = inspect.cleandoc(model.__doc__ or "").split("\n\nParameters are the keys")[0]
        parts.append(f"({class_name})=\n### {class_name}\n\n{about}\n")
        parts.append(table(("key", "type", "default", "meaning"), _keys(model)))
    return "\n".join(parts)


def _keys(model: type) -> list[list[str]]:
    """The fields of a pydantic model as its source declares them, with the comments beside them."""
    source = inspect.getsource(model)
    lines = source.split("\n")
    rows = []
    for node in ast.parse(source).body[0].body:  # type: ignore[attr-defined]
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        default, bounds = _default(node.value)
        comment = lines[node.end_lineno - 1].partition("  # ")[2]
        kind = ast.unparse(node.annotation)
        meaning = "; ".join(part for part in (comment, bounds) if part)
        rows.append([f"`{node.target.id}`", f"`{_linked(kind)}`", default, meaning])
    return rows


def _linked(kind: str) -> str:
    return kind.replace("OverscanMethod", "overscan method").replace("FactRule", "rule")


def _default(value: ast.expr | None) -> tuple[str, str]:
    """Default and bounds of a field, as text."""
    if value is None:
        return "required", ""
    if not (isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "Field"):
        return f"`{re.sub(r'(?<=[a-z])[(][)]', '', ast.unparse(value))}`", ""
    given = {one.arg: ast.unparse(one.value) for one in value.keywords if one.arg}
    default = f"`{given['default']}`" if "default" in given else "required"
    return default, ", ".join(
        f"{sign} {given[name].strip(chr(39))}" for name, sign in _BOUNDS.items() if name in given
    )


def tasks() -> str:
    """A section for each pipeline: its tasks, and their settings with defaults."""
    from fiducial.execution.job import PIPELINES as FOLDER
    from fiducial.execution.run import load_pipeline

    parts = []
    for name in PIPELINES:
        file = FOLDER / f"{name}.yaml"
        pipeline = load_pipeline(file)
        parts.append(f"### {name}.yaml\n\n{yaml.safe_load(file.read_text())['description'].strip()}\n")
        for label, task in pipeline.to_graph().tasks.items():
            about = inspect.cleandoc(task.task_class.__doc__ or "").split("\n")[0]
            parts.append(f"`{label}`: {about}\n")
            parts.append(table(("setting", "default", "meaning"), _fields(task.config, label)))
    return "\n".join(parts)


def corrections() -> str:
    """The settings of each correction, by its name."""
    from fiducial.corrections.registry import BUILT_IN

    parts = []
    for correction in BUILT_IN:
        where = "raw amplifiers" if correction.stage == "raw" else "the assembled detector"
        if correction.name == "assembly":
            where = "raw amplifiers become a detector"
        needs = f"; needs a master {correction.master}" if correction.master else ""
        parts.append(f"(correction-{correction.name})=\n### {correction.name}\n")
        parts.append(f"{inspect.cleandoc(correction.__doc__ or '')}\n\nWorks on: {where}{needs}.\n")
        rows = _fields(correction.ConfigClass(), "TASK", f"corrections.{correction.name}.")
        if rows:
            parts.append(table(("setting", "default", "meaning"), rows))
    return "\n".join(parts)


def _fields(config: Any, label: str, start: str = "") -> list[list[str]]:
    rows = []
    for name, field in config._fields.items():
        if name in _OF_THE_MIDDLEWARE:
            continue
        value = getattr(config, name)
        shown = list(value) if type(value).__name__ == "List" else value
        text = " ".join(str(field.doc).split("\n")[0].split())
        allowed = getattr(field, "allowed", None)
        if allowed:
            text += " One of " + ", ".join(f"`{choice}`" for choice in allowed if choice is not None) + "."
        low, high = getattr(field, "min", None), getattr(field, "max", None)
        if low is not None:
            text += f" ≥ {low}." if high is None else f" From {low} to {high}."
        default = "not set" if shown is None else f"`{shown!r}`"
        rows.append([f"`{label}:{start}{name}`", default, text])
    return rows


def mask_planes() -> str:
    """Bit, name and meaning of each mask plane."""
    from fiducial.products.masks import DESCRIPTIONS, UNUSABLE, Plane

    rows = [
        [str(bit), f"`{plane.name}`", DESCRIPTIONS[plane], "yes" if plane & UNUSABLE else ""]
        for bit, plane in enumerate(Plane)
    ]
    return table(("bit", "plane", "meaning", "keeps a pixel out"), rows)


def errors() -> str:
    """Every error: its id, exit code and meaning."""
    from fiducial import errors as module

    found = [
        one
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, module.FiducialError) and one is not module.FiducialError
    ]
    rows = [
        [
            f"`{one.__name__}`",
            f"`{one.id}`",
            str(one.exit_code),
            inspect.cleandoc(one.__doc__ or "").split("\n")[0],
        ]
        for one in found
    ]
    return table(("class", "id", "exit code", "meaning"), rows)
