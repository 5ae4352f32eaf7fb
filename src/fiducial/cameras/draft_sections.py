"""Amplifiers from the FITS sections of headers: DATASEC, BIASSEC, TRIMSEC, CCDSEC, DETSEC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fiducial.cameras.draft_frames import DraftFrame, Notebook
from fiducial.cameras.draft_layout import DraftAmplifier
from fiducial.cameras.regions import Region

_DATA = ("DATASEC", "TRIMSEC")
_PLACE = ("DETSEC", "CCDSEC")
_LETTERS = "ABCDEFGH"


def layout_from_sections(frame: DraftFrame, notebook: Notebook) -> list[DraftAmplifier]:
    """Amplifiers that the headers describe; empty where they do not, or not completely.

    Either each image is one amplifier with DATASEC and DETSEC, or keywords with a letter (DATASECA, CCDSECA,
    BIASSECA) describe several in one image.
    """
    if len(frame.hdus) > 1:
        found = [
            _of_image(i, name, header, array.shape) for i, (name, header, array) in enumerate(frame.hdus)
        ]
        amplifiers = [amplifier for amplifier in found if amplifier is not None]
        if len(amplifiers) != len(found):
            return []
    else:
        amplifiers = _lettered(frame.hdus[0][1])
    amplifiers = _from_corner(amplifiers)
    for amplifier in amplifiers:
        key = f"layouts.ccd.amplifiers[{amplifier.name}]"
        notebook.note(f"{key}.data", amplifier.data, "DATASEC")
        notebook.note(f"{key}.detector", amplifier.detector, "DETSEC or CCDSEC")
    return amplifiers


def amplifier_from_sections(
    frame: DraftFrame, amplifier: DraftAmplifier, notebook: Notebook
) -> DraftAmplifier:
    """The only amplifier of an image with the sections of its header, where it has them."""
    header = frame.hdus[0][1]
    data, overscan = section(header, "TRIMSEC", "DATASEC"), section(header, "BIASSEC")
    if data is None or overscan is None or data.overlaps(overscan):
        return amplifier
    place = section(header, "CCDSEC")
    if place is None or place.shape != data.shape:
        place = Region(0, data.shape[1], 0, data.shape[0])
    key = f"layouts.ccd.amplifiers[{amplifier.name}]"
    notebook.note(f"{key}.data", data, f"TRIMSEC or DATASEC; by the pixels {amplifier.data}")
    notebook.note(f"{key}.serial_overscan", overscan, f"BIASSEC; by the pixels {amplifier.serial_overscan}")
    return replace(amplifier, data=data, detector=place, serial_overscan=overscan)


def section(header: Mapping[str, Any], *keys: str) -> Region | None:
    """The first of these keywords that is a FITS section."""
    for key in keys:
        try:
            return Region.parse(str(header.get(key, "")))
        except ValueError:
            continue
    return None


def _of_image(
    index: int, name: str | int, header: Mapping[str, Any], shape: tuple[int, ...]
) -> DraftAmplifier | None:
    """The amplifier that an image is: what is not data to its right is overscan, and what lies above."""
    data, place = section(header, *_DATA), section(header, *_PLACE)
    if data is None or place is None or data.shape != place.shape:
        return None
    ny, nx = shape
    serial = section(header, "BIASSEC")
    if serial is None and data.x1 < nx:
        serial = Region(data.x1, nx, data.y0, data.y1)
    parallel = Region(data.x0, data.x1, data.y1, ny) if data.y1 < ny else None
    return DraftAmplifier(
        str(name), data, place, serial_overscan=serial, parallel_overscan=parallel, hdu=name, index=index
    )


def _lettered(header: Mapping[str, Any]) -> list[DraftAmplifier]:
    out = []
    for letter in _LETTERS:
        data = section(header, f"DATASEC{letter}", f"TRIMSEC{letter}")
        place = section(header, f"CCDSEC{letter}", f"DETSEC{letter}")
        if data is None or place is None or data.shape != place.shape:
            break
        read = section(header, f"AMPSEC{letter}")
        corner = "LL" if read is None else ("U" if read.flip_y else "L") + ("R" if read.flip_x else "L")
        overscan = section(header, f"BIASSEC{letter}")
        out.append(DraftAmplifier(letter, data, place, serial_overscan=overscan, read_corner=corner))
    return out


def _from_corner(amplifiers: list[DraftAmplifier]) -> list[DraftAmplifier]:
    """Detector sections counted from the detector's own corner: DETSEC may be that of a mosaic."""
    if not amplifiers:
        return []
    x = min(amplifier.detector.x0 for amplifier in amplifiers)
    y = min(amplifier.detector.y0 for amplifier in amplifiers)
    out = []
    for amplifier in amplifiers:
        place = amplifier.detector
        moved = replace(place, x0=place.x0 - x, x1=place.x1 - x, y0=place.y0 - y, y1=place.y1 - y)
        out.append(replace(amplifier, detector=moved))
    return out
