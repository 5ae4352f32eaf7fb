"""A camera file drafted from the real frames differs from the committed one in at most two fields.

Two cameras are compared field by field: their models are flattened to paths such as
``layouts.ccd.amplifiers[L].gain``, and every path counts, name and description too. Fields are equal or
they differ, except three whose value is a measurement or a choice within limits that are known beforehand:

- ``gain`` agrees within 3 %. The README of the frames says how far its definitions lie apart: adjacent
  pairs or not (3 %), covariances of neighbours added or not (0.8 and 3 %).
- ``read_noise`` (electron) agrees within 5 %: it carries the gain's 3 %, and differs by 2 % between the
  temperatures of one night.
- ``saturation`` agrees within 1 %: where below the top of the ADC one begins to mask is a choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fiducial.cameras import DraftInput, camera_from_yaml, draft_camera, load_camera
from fiducial.cameras.model import Camera
from fiducial.frames.raw import RawFrame

pytestmark = pytest.mark.real

AGREE = {"gain": 0.03, "read_noise": 0.05, "saturation": 0.01}
MOST = 2

# What is known to differ, so that a change for the worse within the two fields is seen as well.
DIFFERENT = {
    "stl1001": set(),
    "kast-blue": {"name"},  # VERSION says kastb
    "esis": {"detectors[ESIS3].position"},  # no keyword says where a detector is
}


def frames_of(folder: Path) -> list[DraftInput]:
    inputs = []
    for path in sorted(folder.rglob("*.fz")):
        with RawFrame.open(path) as raw:
            images = [(i.name or i.index, raw.header(i.index), raw.read(i.index)) for i in raw.images]
            inputs.append(DraftInput(raw.path, raw.header(), images))
    return inputs


def flattened(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Paths and values of all fields; items of a list go by their name or type."""
    if isinstance(content, dict) and content:
        for key, value in content.items():
            yield from flattened(value, f"{path}.{key}" if path else str(key))
    elif isinstance(content, list | tuple) and content and isinstance(content[0], dict):
        for item in content:
            yield from flattened(item, f"{path}[{item.get('name', item.get('type'))}]")
    else:
        yield path, content


def differing(one: Camera, other: Camera) -> set[str]:
    """Paths of the fields in which two cameras differ."""
    # Defaults are left out of both: a field that only one of them has differs from that default.
    a, b = (dict(flattened(camera.model_dump(exclude_defaults=True))) for camera in (one, other))
    return {path for path in a.keys() | b.keys() if not agree(path, a.get(path, ...), b.get(path, ...))}


def agree(path: str, one: Any, other: Any) -> bool:
    tolerance = AGREE.get(path.rsplit(".", 1)[-1])
    if tolerance is not None and isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= tolerance * abs(one)
    return bool(one == other)


@pytest.mark.parametrize(
    ("name", "folder"), [("stl1001", "stl1001-2017"), ("kast-blue", "kast-blue"), ("esis", "esis")]
)
def test_a_draft_differs_from_the_committed_file_in_two_fields_at_most(
    real_data: Path, name: str, folder: str
) -> None:
    draft = draft_camera(frames_of(real_data / folder))
    different = differing(load_camera(name), draft.camera)
    assert len(different) <= MOST
    assert different == DIFFERENT[name]
    assert camera_from_yaml(draft.yaml, "draft") == draft.camera


def test_the_comparison_sees_what_differs() -> None:
    kast = load_camera("kast-blue")
    content = kast.model_dump(mode="json")
    amplifiers = content["layouts"]["ccd"]["amplifiers"]
    amplifiers[0]["gain"] *= 1.04
    amplifiers[1]["gain"] *= 1.02
    content["headers"]["frame_types"][1]["when"]["OBJECT"] = "Lamp*"
    del content["headers"]["state"]["GAIN"]
    assert differing(kast, Camera.model_validate(content)) == {
        "layouts.ccd.amplifiers[L].gain",
        "headers.frame_types[arc].when.OBJECT",
        "headers.state.GAIN",
    }


def test_the_segments_of_a_rubin_file_are_drafted_from_its_sections(real_data: Path) -> None:
    path = real_data / "lsst-raw-layout" / "3018092000065-det000.fits"
    with RawFrame.open(path) as raw:
        images = [(i.name or i.index, raw.header(i.index), raw.read(i.index)) for i in raw.images]
        drafted = draft_camera([DraftInput(raw.path, raw.header(), images)]).camera.layouts["ccd"]
    committed = load_camera("latiss").layouts["itl"]
    for one, other in zip(drafted.amplifiers, committed.amplifiers, strict=True):
        for part in ("hdu", "data", "detector", "serial_overscan", "parallel_overscan"):
            assert getattr(one, part) == getattr(other, part)
