"""What is wrong with a camera file, said so that it can be mended: file, key, problem, remedy."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from fiducial.cameras.model import Camera
from fiducial.errors import CameraError


def complaint(error: ValidationError, content: dict[str, Any], source: str) -> CameraError:
    """One error of ours for all that pydantic found: the first in full, the others counted."""
    found = sorted(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
    first = found[0]
    key, place = _place(first["loc"], content)
    where = f"{source}: {key}" if key else source
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return CameraError(f"{where}: {_problem(first)}{more}", hint=_remedy(first, place))


def _place(location: tuple[int | str, ...], content: Any) -> tuple[str, list[int | str]]:
    """The path of a key as a reader counts it, list items named where they have a name."""
    text, place = "", []
    for part in location:
        if isinstance(content, dict) and part not in content and part != location[-1]:
            continue  # pydantic names the branches of a union too
        place.append(part)
        content = _inside(content, part)
        if isinstance(part, int):
            name = content.get("name", content.get("type", part)) if isinstance(content, dict) else part
            text += f"[{name}]"
        else:
            text += f".{part}" if text else part
    return text, place


def _inside(content: Any, part: int | str) -> Any:
    if isinstance(content, dict):
        return content.get(part)
    if isinstance(content, list) and isinstance(part, int) and part < len(content):
        return content[part]
    return None


def _problem(detail: ErrorDetails) -> str:
    match detail["type"]:
        case "extra_forbidden":
            return "no such key"
        case "missing":
            return "this key is missing"
        case "value_error":
            return str(detail["msg"]).removeprefix("Value error, ")
    return f"{detail['input']!r}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"


def _remedy(detail: ErrorDetails, place: list[int | str]) -> str:
    if detail["type"] == "missing":
        return "Add it. `fiducial camera show simcam` prints a complete camera file."
    if detail["type"] != "extra_forbidden":
        return "Mend the value. docs/reference/camera-file says what each key may be."
    known = _known_keys(place[:-1])
    near = get_close_matches(str(place[-1]), known, n=1, cutoff=0.5)
    meant = f"Did you mean {near[0]}? " if near else ""
    return f"{meant}Known here: {', '.join(known)}."


def _known_keys(place: list[int | str]) -> list[str]:
    """The keys that a model knows, found by following the path of keys from the camera down."""
    model: Any = Camera
    for part in place:
        if isinstance(model, type) and issubclass(model, BaseModel):
            field = model.model_fields.get(str(part))
            model = _model_in(field.annotation) if field is not None else model
    return list(model.model_fields)


def _model_in(annotation: Any) -> Any:
    """The first pydantic model inside an annotation such as ``dict[str, Layout]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        if (found := _model_in(argument)) is not None:
            return found
    return None
