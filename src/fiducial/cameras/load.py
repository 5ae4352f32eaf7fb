"""Finding and reading camera files: packaged ones, those of plug-ins, and any path."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from fiducial.cameras.complaints import complaint
from fiducial.cameras.model import Camera
from fiducial.errors import CameraError

ENTRY_POINTS = "fiducial.cameras"
_DATA = files("fiducial.cameras") / "data"


def load_camera(name_or_path: str | Path) -> Camera:
    """Read a camera by its name or from a file.

    Parameters
    ----------
    name_or_path
        The name of a packaged camera file or of a plug-in's (``latiss``), the name of its instrument
        (``LATISS``; case does not matter), or the path of a YAML file.

    Raises
    ------
    CameraError
        No such camera or file; or the file has an unknown key or a value that does not fit. The
        message names file and key, the hint says what to do.

    Notes
    -----
    A plug-in package adds a camera by an entry point of the group ``fiducial.cameras``: its name is the
    camera's name, its value a package and the YAML file in it. No code of the package is called::

        [project.entry-points."fiducial.cameras"]
        mycam = "mypackage:mycam.yaml"
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or "/" in text or text.endswith((".yaml", ".yml")):
        return _read(Path(name_or_path))
    wanted = text.lower()
    sources = _sources()
    if wanted in sources:
        return sources[wanted]()
    for source in sources.values():
        if (camera := source()).name.lower() == wanted:
            return camera
    if Path(text).is_file():
        return _read(Path(text))
    raise CameraError(
        f"no camera is named {text!r}",
        hint=f"Known: {', '.join(known_cameras())}; or give the path of a camera file. "
        "`fiducial camera draft FRAME...` writes one.",
    )


def known_cameras() -> tuple[str, ...]:
    """Names of the packaged cameras and those of plug-ins, in alphabetical order."""
    return tuple(sorted(_sources()))


def camera_to_yaml(camera: Camera) -> str:
    """The camera as the text of a camera file; what has its default value is left out."""
    content = camera_content(camera)
    return yaml.dump(content, Dumper=_Readable, sort_keys=False, allow_unicode=True, width=110)


def camera_content(camera: Camera) -> dict[str, Any]:
    """The camera as the plain content of a file: no defaults, a bare keyword where a rule is no more."""
    content = camera.model_dump(mode="json", exclude_defaults=True)
    headers = content["headers"]
    for fact, rule in headers.items():
        if isinstance(rule, dict) and rule.keys() == {"key"} and isinstance(rule["key"], str):
            headers[fact] = rule["key"]
    return content


def camera_from_yaml(text: str, source: str) -> Camera:
    """Make a camera from the text of a camera file.

    Parameters
    ----------
    text
        YAML.
    source
        Where the text is from: named in errors.

    Raises
    ------
    CameraError
        It is not YAML, or not a camera.
    """
    try:
        # The safe loader in C is ten times faster; a camera of 189 detectors is a large file.
        content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise CameraError(f"{source}{line}: not YAML: {problem}", hint="Mend the file there.") from None
    if not isinstance(content, dict):
        raise CameraError(
            f"{source}: a camera file is a mapping (name: ..., layouts: ...), not {_kind(content)}",
            hint="`fiducial camera show simcam` prints one.",
        )
    content.pop("anchors", None)  # where a file keeps what it refers to with *name
    try:
        return Camera.model_validate(content)
    except ValidationError as error:
        raise complaint(error, content, source) from None


def _read(path: Path) -> Camera:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CameraError(
            f"there is no camera file {path}", hint=f"Cameras known by name: {', '.join(known_cameras())}."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CameraError(f"{path} cannot be read: {error}", hint="A camera file is YAML in UTF-8.") from None
    return camera_from_yaml(text, str(path))


@cache
def _packaged(file: str) -> Camera:
    return camera_from_yaml((_DATA / file).read_text(encoding="utf-8"), file)


def _sources() -> dict[str, Callable[[], Camera]]:
    """How each known camera is read, by its lower-case name; packaged names are not overridden."""
    plugged: dict[str, Callable[[], Camera]] = {
        entry.name.lower(): _plugged(entry) for entry in entry_points(group=ENTRY_POINTS)
    }
    packaged: dict[str, Callable[[], Camera]] = {
        item.name.removesuffix(".yaml").lower(): lambda file=item.name: _packaged(file)  # type: ignore[misc]
        for item in _DATA.iterdir()
        if item.name.endswith(".yaml")
    }
    return packaged | {name: read for name, read in plugged.items() if name not in packaged}


def _plugged(entry: EntryPoint) -> Callable[[], Camera]:
    def read() -> Camera:
        package, _, file = (part.strip() for part in entry.value.partition(":"))
        try:
            text = (files(package) / file).read_text(encoding="utf-8")
        except (ImportError, OSError, UnicodeDecodeError) as error:
            raise CameraError(
                f"the plug-in camera {entry.name} ({entry.value}) cannot be read: {error}",
                hint=f"An entry point of {ENTRY_POINTS} is 'package:file.yaml', a file inside the package.",
            ) from error
        return camera_from_yaml(text, entry.value)

    return read


def _kind(content: Any) -> str:
    return "an empty file" if content is None else f"a {type(content).__name__}"


class _Readable(yaml.SafeDumper):
    """Short sequences and mappings in one line, no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        return super().increase_indent(flow, False)


def _short(content: Any) -> bool:
    parts = content.values() if isinstance(content, dict) else content
    return all(not isinstance(part, dict | list) for part in parts) and len(str(content)) < 80


def _represent_dict(dumper: yaml.SafeDumper, content: dict[str, Any]) -> yaml.Node:
    node = dumper.represent_dict(content)
    node.flow_style = bool(content) and dumper.represented_objects is not None and _short(content)
    return node


def _represent_list(dumper: yaml.SafeDumper, content: list[Any]) -> yaml.Node:
    node = dumper.represent_list(content)
    node.flow_style = _short(content)
    return node


_Readable.add_representer(dict, _represent_dict)
_Readable.add_representer(list, _represent_list)
