"""Headers written so that the camera's own rules read the wanted facts back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fiducial.cameras import FrameFacts, translate
from fiducial.cameras.model import Camera
from fiducial.errors import CameraError, FrameError
from fiducial.simulation.inversion import HeaderAttempt, WantedFacts
from fiducial.simulation.writer import SUFFIX, CardValue, Compression, HduKey


@dataclass(frozen=True, slots=True)
class WrittenHeader:
    """The cards of a file, what the file is called, and what the camera's rules read from it."""

    cards: dict[str, CardValue]
    folder: str  # below the night's; "" for the night's own
    name: str
    facts: FrameFacts


class HeaderWriter:
    """Inverts the header rules of a camera.

    Rules can be ambiguous when read backwards (a detector by its id or name, several rules for one
    frame type, conditions on the file's name). So headers are tried until the camera's own
    translation gives the wanted facts; that is checked for every file.

    Parameters
    ----------
    camera
        Its ``headers`` are inverted.

    Raises
    ------
    CameraError
        The camera leaves facts to a translator, which cannot be read backwards.
    """

    def __init__(self, camera: Camera) -> None:
        if camera.headers.translator is not None:
            raise CameraError(
                f"{camera.name} cannot be simulated: its headers are read by the translator "
                f"{camera.headers.translator!r}, which cannot be inverted",
                hint="Simulate a camera whose file has rules for all facts.",
            )
        self.camera = camera

    def write(
        self, wanted: WantedFacts, images: Mapping[HduKey, np.ndarray], compression: Compression
    ) -> WrittenHeader:
        """Cards and name of a file; ``images`` are its pixels by HDU, asked where a rule does.

        Raises
        ------
        CameraError
            No header was found that the camera reads as wanted; the message names the fact.
        """
        structure = _structure(images)
        hdus = [{"EXTNAME": ""}, *({"EXTNAME": str(key)} for key in images if key not in (0, None))]
        problem = "no rule gives this frame type"
        for cards, folder, stem in self._attempts(wanted):
            name = stem + SUFFIX[compression]
            try:
                facts = translate(
                    self.camera,
                    structure | cards,
                    file=f"{folder or 'night'}/{name}",
                    hdu_headers=hdus,
                    level=lambda: _level(images),
                )
            except FrameError as error:
                problem = error.message
                continue
            difference = self._difference(facts, wanted)
            if difference is None:
                return WrittenHeader(cards, folder, name, facts)
            problem = difference
        raise CameraError(
            f"{self.camera.name}: no header can be written for a {wanted.frame_type} frame: {problem}",
            hint="Simulate other frame types or filters, or mend the rules in the camera file.",
        )

    def _attempts(self, wanted: WantedFacts) -> Iterator[tuple[dict[str, CardValue], str, str]]:
        rules = [rule for rule in self.camera.headers.frame_types if rule.type == wanted.frame_type]
        detector = self.camera.detector(wanted.detectors[0])
        for rule in rules:
            for who in (detector.name, detector.id):
                attempt = HeaderAttempt(self.camera, wanted, rule, who)
                for stem in attempt.stems():
                    yield attempt.cards, attempt.folder, stem

    def _difference(self, facts: FrameFacts, wanted: WantedFacts) -> str | None:
        """The first fact that was read otherwise than wanted, in words; None if all are right."""
        rules = self.camera.headers
        pairs: list[tuple[str, Any, Any]] = [
            ("frame_type", facts.frame_type, wanted.frame_type),
            ("detectors", facts.detectors, wanted.detectors),
            ("filter", facts.filter, wanted.filter),
            ("exposure_time", facts.exposure_time, wanted.exposure_time),
            ("begin", (facts.begin - wanted.begin).total_seconds(), 0.0),
            ("day_obs", facts.day_obs, int(wanted.day.strftime("%Y%m%d"))),
        ]
        if rules.seq_num is not None:
            pairs.append(("seq_num", facts.seq_num, wanted.seq_num))
        if rules.dark_time is not None:
            pairs.append(("dark_time", facts.dark_time, wanted.dark_time))
        if rules.temperature_set is not None:
            pairs.append(("temperature_set", facts.temperature_set, wanted.temperature))
        if rules.photodiode is not None and wanted.photodiode is not None:
            pairs.append(("photodiode", facts.photodiode, wanted.photodiode))
        for name, read, want in pairs:
            tolerance = 1e-2 if name == "begin" else 1e-6
            close = isinstance(read, float) and math.isclose(read, want, rel_tol=1e-6, abs_tol=tolerance)
            if read != want and not close:
                return f"{name} would be read as {read!r}, {want!r} is wanted"
        return None


def _structure(images: Mapping[HduKey, np.ndarray]) -> dict[str, CardValue]:
    """The structural keywords of the first image, as a merged header has them."""
    first = next(iter(images.values()))
    bits = 8 * first.dtype.itemsize
    return {"BITPIX": bits, "NAXIS": 2, "NAXIS1": first.shape[1], "NAXIS2": first.shape[0]}


def _level(images: Mapping[HduKey, np.ndarray]) -> float:
    first = next(iter(images.values()))
    return float(np.median(first[:: max(1, first.size >> 17)]))
