"""Whose pixels a file holds: one detector by a rule, or those whose HDUs are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fiducial.cameras.facts_from_rules import find, header_error, keywords, missing
from fiducial.cameras.model import Camera, Detector
from fiducial.cameras.source import Source, as_text
from fiducial.errors import HeaderError

if TYPE_CHECKING:
    from fiducial.cameras.translator import TranslatedHeader


def detectors_in(camera: Camera, source: Source, translated: TranslatedHeader | None) -> tuple[int, ...]:
    """Ids of the detectors whose pixels are in a file, in the camera's order.

    Raises
    ------
    HeaderError
        The header names no detector, or one that the camera does not have; or none of the camera's HDUs
        is in the file.
    """
    if source.hdu_headers and any(detector.hdu is not None for detector in camera.detectors):
        return _present(camera, source)
    rules = camera.headers
    said = find(rules.detector, source)
    if translated is not None and "detector" not in rules.model_fields_set:
        said = translated.get("detector")
    if said is None:
        raise missing(source, rules.detector, "detector")
    for detector in camera.detectors:
        if as_text(said).lower() in (str(detector.id), detector.name.lower()):
            return (detector.id,)
    names = ", ".join(f"{d.id} ({d.name})" for d in camera.detectors[:9])
    more = ", ..." if len(camera.detectors) > 9 else ""
    raise header_error(
        source,
        rules.detector if keywords(rules.detector) else None,
        f"{camera.name} has no detector {said!r}",
        hint=f"Its detectors: {names}{more}. Others are left out.",
    )


def _present(camera: Camera, source: Source) -> tuple[int, ...]:
    names = {str(header.get("EXTNAME", "")).strip().lower() for header in source.hdu_headers}

    def there(detector: Detector) -> bool:
        if isinstance(detector.hdu, int):
            return detector.hdu < len(source.hdu_headers)
        return detector.hdu is not None and detector.hdu.lower() in names

    found = tuple(detector.id for detector in camera.detectors if there(detector))
    if not found:
        wanted = ", ".join(str(d.hdu) for d in camera.detectors[:4])
        raise HeaderError(
            f"{source.name} has none of the HDUs of {camera.name}'s detectors ({wanted}, ...)",
            hint="It may be a file of one detector, or of focus detectors only.",
            file=source.file,
            keyword="EXTNAME",
        )
    return found
