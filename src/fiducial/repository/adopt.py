"""Masters that something else made become certified calibrations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import astropy.units as u
from lsst.daf.butler import CollectionType

from fiducial.cameras import translate
from fiducial.cameras.model import Camera
from fiducial.cameras.source import usable
from fiducial.errors import FrameError, HeaderError, LayoutMismatch, UsageError
from fiducial.frames.masters import read_master
from fiducial.repository.dataset_types import CALIBRATION_IMAGES, calibration_type
from fiducial.repository.foreign import UNITS, UNITS_ADU, ForeignMaster, to_calibration_images
from fiducial.repository.register import filter_record
from fiducial.repository.storage import storage_errors

if TYPE_CHECKING:
    from lsst.daf.butler import Butler

    from fiducial.cameras.facts import StateValue


def adopt_masters(
    butler: Butler,
    camera: Camera,
    kind: str,
    files: Sequence[Path],
    run: str,
    *,
    detector: int | None = None,
    physical_filter: str | None = None,
    unit: str | None = None,
    state: Mapping[str, StateValue] | None = None,
) -> tuple[str, ...]:
    """Write existing masters into a RUN as calibration images; see `Repository.adopt`.

    Returns
    -------
    tuple of str
        What the user should know: parts of the camera state that are unknown of a master.
    """
    if kind not in CALIBRATION_IMAGES:
        raise UsageError(f"no kind {kind!r}", hint=f"Choose one of {', '.join(CALIBRATION_IMAGES)}.")
    known_state(camera, state or {})
    read = [
        replace(one, state={**state_in(camera, one.master.header), **(state or {})})
        for one in (_read(camera, kind, Path(file), detector, physical_filter, unit) for file in files)
    ]
    _refuse_twice(read)
    images = to_calibration_images(camera, kind, read)
    with storage_errors(run):
        dataset_type = calibration_type(kind, butler.dimensions)
        butler.registry.registerDatasetType(dataset_type)
        butler.collections.register(run, CollectionType.RUN)
        for one in read:
            if one.physical_filter:
                butler.registry.syncDimensionData(
                    "physical_filter", filter_record(camera, one.physical_filter)
                )
        with butler.transaction():
            for one, image in zip(read, images, strict=True):
                data_id: dict[str, Any] = {"instrument": camera.name, "detector": one.detector}
                if one.physical_filter:
                    data_id["physical_filter"] = one.physical_filter
                butler.put(image, dataset_type, data_id, run=run)
    return tuple(note for one in read if (note := _unknown_state(camera, one)))


def _unknown_state(camera: Camera, one: ForeignMaster) -> str:
    unknown = [key for key in camera.headers.state if key not in one.state]
    if not unknown:
        return ""
    return (
        f"{Path(one.file).name} does not say {', '.join(unknown)}: frames of any will be taken for its own "
        f"(else adopt it with --state {unknown[0]}=VALUE)"
    )


def known_state(camera: Camera, state: Iterable[str]) -> None:
    """Refuse keys that are no part of this camera's state."""
    if unknown := sorted(set(state) - set(camera.headers.state)):
        raise UsageError(
            f"{', '.join(unknown)} is no part of the camera state of {camera.name}",
            hint=f"Its state is {', '.join(camera.headers.state) or 'not described: headers.state'}.",
        )


def state_in(camera: Camera, header: Mapping[str, Any]) -> dict[str, StateValue]:
    """What the header of a master says of the camera state it was made in."""
    found = {key: usable(header.get(key)) for key in camera.headers.state}
    return {key: value for key, value in found.items() if value is not None}


def _read(
    camera: Camera, kind: str, file: Path, detector: int | None, physical_filter: str | None, unit: str | None
) -> ForeignMaster:
    master = read_master(file)
    which = _detector(camera, file, master.header) if detector is None else detector
    try:
        layout = camera.layout(which)
    except KeyError as error:
        raise UsageError(
            f"{camera.name} has no detector {which}", hint="`fiducial camera show` lists them."
        ) from error
    if master.image.shape != layout.shape:
        ny, nx = master.image.shape
        raise LayoutMismatch(
            f"{file}: {nx} x {ny} pixels, but detector {which} of {camera.name} has "
            f"{layout.shape[1]} x {layout.shape[0]}",
            hint="A master is of the assembled detector: overscan trimmed, not binned.",
            file=str(file),
        )
    needs_filter = "physical_filter" in CALIBRATION_IMAGES[kind]
    return ForeignMaster(
        str(file),
        which,
        (physical_filter or _filter(camera, file, master.header)) if needs_filter else "",
        master,
        _unit(kind, file, master.header, unit),
    )


def _detector(camera: Camera, file: Path, header: Mapping[str, Any]) -> int:
    if len(camera.detectors) == 1:
        return camera.detectors[0].id
    value = header.get("DETECTOR", header.get("DET_NAME", header.get("CCDNUM")))
    for known in camera.detectors:
        if value is not None and value in (known.id, known.name, known.serial or None):
            return known.id
    if (facts := _facts(camera, file, header)) is not None and len(facts.detectors) == 1:
        return int(facts.detectors[0])
    raise HeaderError(
        f"{file}: its header does not say which detector it is of",
        hint="Name the detector.",
        file=str(file),
        keyword="DETECTOR",
    )


def _filter(camera: Camera, file: Path, header: Mapping[str, Any]) -> str:
    if (facts := _facts(camera, file, header)) is not None:
        return str(facts.filter)
    value = header.get("FILTER")
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise HeaderError(
        f"{file}: its header does not say which filter it is of",
        hint="Name the filter.",
        file=str(file),
        keyword="FILTER",
    )


def _facts(camera: Camera, file: Path, header: Mapping[str, Any]) -> Any:
    """What the camera's rules make of the header; None where they do not apply to it."""
    try:
        return translate(camera, header, file=str(file))
    except FrameError:
        return None


def _unit(kind: str, file: Path, header: Mapping[str, Any], given: str | None) -> u.UnitBase:
    text = given if given is not None else header.get("BUNIT")
    if text is None and kind.startswith("flat"):
        return u.dimensionless_unscaled
    if not isinstance(text, str):
        raise HeaderError(
            f"{file}: no BUNIT says in which unit its pixels are",
            hint="Give the unit: adu, electron, adu/s, electron/s.",
            file=str(file),
            keyword="BUNIT",
        )
    try:
        unit = u.Unit(
            {"e-": "electron", "dn": "adu", "counts": "adu"}.get(text.strip().lower(), text.lower())
        )
    except ValueError as error:
        raise HeaderError(
            f"{file}: {text!r} is no unit",
            hint="Give the unit: adu, electron, adu/s, electron/s.",
            file=str(file),
            keyword="BUNIT",
        ) from error
    base = kind.removesuffix("Bootstrap")
    allowed = {UNITS[base], UNITS_ADU[base]} | ({u.adu, u.electron} if base == "flat" else set())
    if unit not in allowed:
        raise HeaderError(
            f"{file}: a {kind} in {unit or 'no unit'} makes no sense",
            hint=f"Its unit is {' or '.join(sorted(str(one) or 'none' for one in allowed))}; "
            "divide a dark by its time first.",
            file=str(file),
            keyword="BUNIT",
        )
    return unit


def _refuse_twice(read: Sequence[ForeignMaster]) -> None:
    seen: dict[tuple[int, str], str] = {}
    for one in read:
        key = one.detector, one.physical_filter
        if key in seen:
            raise UsageError(
                f"{one.file} and {seen[key]} are of one detector ({one.detector} {one.physical_filter})",
                hint="Give one file of each detector and filter.",
            )
        seen[key] = one.file
