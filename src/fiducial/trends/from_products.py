"""Readings from products that are tables: counts of defects, and photon transfer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fiducial.products import metadata as meta
from fiducial.products.defects import REPORTED, DefectSet
from fiducial.products.ptc import PhotonTransferCurve
from fiducial.repository.everywhere import datasets_everywhere
from fiducial.trends.known import Known, certified_as, state_words
from fiducial.trends.readings import UNITS, Reading

if TYPE_CHECKING:
    from fiducial.cameras.model import Amplifier
    from fiducial.repository import Repository


def readings_of_products(repository: Repository, known: Known) -> Iterator[Reading]:
    """Counts of all sets of defects, gain, noise and turn-off of all photon transfer curves."""
    sets = list(_products(repository, known, "defects"))
    reasons = sorted({name for _, one in sets for name in one.names()} - REPORTED)
    for ref, one in sets:
        night = night_of_defects(known, one)
        if night:
            yield from readings_of_defects(known, ref, one, night, reasons)
        else:
            known.left_out.append(f"defects of detector {one.detector} in {ref.run}: of no known night")
    for ref, curve in _products(repository, known, "ptc"):
        yield from readings_of_transfer(known, ref, curve)


def _products(repository: Repository, known: Known, kind: str) -> Iterator[tuple[Any, Any]]:
    """Products of one kind with their references; one that cannot be read is passed over."""
    for ref in datasets_everywhere(repository.butler, known.camera.name, kind):
        if not known.wants(int(ref.dataId["detector"])):
            continue
        if (product := known.read(repository.butler, ref)) is not None:
            yield ref, product


def night_of_defects(known: Known, found: DefectSet) -> int:
    """The last night of the masters that defects were found in; 0 where none of them is here."""
    datasets = {str(value) for key, value in found.metadata.items() if key.startswith(f"{meta.RUN}MASTER ")}
    masters = (known.by_dataset.get(dataset) for dataset in datasets)
    return max((one.night for one in masters if one is not None), default=0)


def readings_of_defects(
    known: Known, ref: Any, found: DefectSet, night: int, reasons: Sequence[str]
) -> Iterator[Reading]:
    """Masked pixels of each amplifier, all and by reason; the error is the root of the number.

    Pixels near a limit come and go with the noise of the masters: no more of them than that.
    """
    state = state_words(known.camera, meta.read_state(found.metadata))
    masked = found.mask()
    for amp in known.camera.amplifiers(found.detector):
        window = amp.detector.slices
        counts = {"defects": int(np.count_nonzero(masked[window]))}
        counts |= {f"defects {reason}": pixels_within(found, reason, amp) for reason in reasons}
        for quantity, count in counts.items():
            yield _reading(
                known,
                ref,
                (quantity, found.detector, amp.name, night),
                (count, math.sqrt(max(count, 1))),
                "count",
                state=state,
                pixels=float(masked[window].size),
            )


def pixels_within(found: DefectSet, reason: str, amp: Amplifier) -> int:
    """Pixels of one reason on an amplifier; boxes of one reason do not overlap."""
    boxes = found.boxes[np.array([name == reason for name in found.reasons], dtype=bool)].astype(np.int64)
    x0, y0, width, height = boxes.T
    own = amp.detector
    across = np.minimum(x0 + width, own.x1) - np.maximum(x0, own.x0)
    along = np.minimum(y0 + height, own.y1) - np.maximum(y0, own.y0)
    return int(np.sum(np.maximum(across, 0) * np.maximum(along, 0)))


def readings_of_transfer(known: Known, ref: Any, curve: PhotonTransferCurve) -> Iterator[Reading]:
    """Gain, read noise and turn-off of each amplifier whose fit gives them.

    Of the two errors of a gain, by the fit and by resampled pairs, the larger one is taken.
    """
    exposures = [*curve.pairs.first.tolist(), *curve.pairs.second.tolist()]
    night = known.night_of(exposures)
    if not night:
        known.left_out.append(f"ptc of detector {curve.detector} in {ref.run}: of no known night")
        return
    state = state_words(known.camera, meta.read_state(curve.metadata))
    for one in curve.amplifiers:
        fit = one.fit
        errors = [error for error in (fit.gain_error, fit.gain_bootstrap) if math.isfinite(error)]
        values = {
            "gain": (fit.gain, max(errors, default=math.nan)),
            "read_noise": (fit.noise, fit.noise_error),
            "turnoff": (one.turnoff, one.turnoff_error) if one.turnoff_found else (math.nan, math.nan),
        }
        for quantity, pair in values.items():
            if all(math.isfinite(number) for number in pair) and pair[1] > 0:
                where = (quantity, curve.detector, one.name, night)
                yield _reading(known, ref, where, pair, "photon transfer", state=state)


def _reading(
    known: Known,
    ref: Any,
    where: tuple[str, int, str, int],
    pair: tuple[float, float],
    method: str,
    *,
    state: str,
    pixels: float = math.nan,
) -> Reading:
    quantity, detector, amplifier, night = where
    reading = Reading(
        quantity,
        detector,
        amplifier,
        night,
        float(pair[0]),
        float(pair[1]),
        UNITS[quantity.split(" ")[0]],
        method,
        1,
        str(ref.run),
        # No gain: electrons of a curve are its own.
        state=state,
        pixels=pixels,
    )
    return certified_as(reading, known.validity.get(str(ref.id)))
