"""What the header of a master says: what it is, made of what, how its pixels are distributed.

Keys are scalars only. Those that start with ``FID RUN `` tell of the run that made the product (its
time, its version) and are no content: `fiducial.products.images.content_hash` passes them over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fiducial.kernels import quantiles
from fiducial.products.masks import UNUSABLE

if TYPE_CHECKING:
    from fiducial.cameras.facts import FrameFacts, StateValue
    from fiducial.cameras.model import Camera

type Scalar = str | int | float | bool

SCHEMA_VERSION = 1
"""Of this layout of keys and of the image products' planes."""

OBSTYPE = "OBSTYPE"
INSTRUMENT = "INSTRUME"
DETECTOR = "DETECTOR"
DETECTOR_NAME = "DET_NAME"
DETECTOR_SERIAL = "DET_SER"
FILTER = "FILTER"
KIND = "FID KIND"
SCHEMA = "FID SCHEMA"
WORLD = "FID WORLD"
CHAIN = "FID CHAIN"
COMBINE = "FID COMBINE"
NUMBER_OF_INPUTS = "FID NINPUT"
NUMBER_ASIDE = "FID NASIDE"
RUN = "FID RUN "
STATE = "FID STATE "
MIXED_STATE = "FID MIXED STATE"

PERCENTILES = (0, 5, 16, 50, 84, 95, 100)


@dataclass(frozen=True, slots=True)
class InputNote:
    """One frame that went into a product."""

    exposure: int
    date: str  # TAI, ISO 8601
    scale: float  # what it was divided by
    time: float  # s: dark time of darks, exposure time of others
    sha256: str = ""  # of its file, where that is known


@dataclass(frozen=True, slots=True)
class AsideNote:
    """One frame that was offered and did not go in, and why."""

    exposure: int
    reason: str


def identity(
    kind: str, camera: Camera, detector: int, world: str, *, serial: str = "", physical_filter: str = ""
) -> dict[str, Scalar]:
    """What the product is, and of which detector."""
    own = camera.detector(detector)
    keys: dict[str, Scalar] = {
        OBSTYPE: kind,
        INSTRUMENT: camera.name,
        DETECTOR: detector,
        DETECTOR_NAME: own.name,
        KIND: kind,
        SCHEMA: SCHEMA_VERSION,
        WORLD: world,
    }
    if serial or own.serial:
        keys[DETECTOR_SERIAL] = serial or own.serial
    if physical_filter:
        keys[FILTER] = physical_filter
    return keys


def inputs(used: Sequence[InputNote], aside: Sequence[AsideNote] = ()) -> dict[str, Scalar]:
    """Every frame that was offered: those that went in, and those that did not; by exposure id."""
    keys: dict[str, Scalar] = {NUMBER_OF_INPUTS: len(used), NUMBER_ASIDE: len(aside)}
    for i, note in enumerate(sorted(used, key=lambda n: n.exposure)):
        start = f"FID INPUT {i}"
        keys |= {f"{start} ID": note.exposure, f"{start} DATE": note.date}
        keys |= {f"{start} SCALE": float(note.scale), f"{start} TIME": float(note.time)}
        if note.sha256:
            keys[f"{start} SHA256"] = note.sha256
    for i, left in enumerate(sorted(aside, key=lambda n: n.exposure)):
        keys |= {f"FID ASIDE {i} ID": left.exposure, f"FID ASIDE {i} REASON": left.reason}
    return keys


def read_inputs(metadata: Mapping[str, Any]) -> tuple[InputNote, ...]:
    """The frames that went into a product."""
    return tuple(
        InputNote(
            int(metadata[f"FID INPUT {i} ID"]),
            str(metadata[f"FID INPUT {i} DATE"]),
            float(metadata[f"FID INPUT {i} SCALE"]),
            float(metadata[f"FID INPUT {i} TIME"]),
            str(metadata.get(f"FID INPUT {i} SHA256", "")),
        )
        for i in range(int(metadata.get(NUMBER_OF_INPUTS, 0)))
    )


def read_aside(metadata: Mapping[str, Any]) -> tuple[AsideNote, ...]:
    """The frames that were offered for a product and did not go in."""
    return tuple(
        AsideNote(int(metadata[f"FID ASIDE {i} ID"]), str(metadata[f"FID ASIDE {i} REASON"]))
        for i in range(int(metadata.get(NUMBER_ASIDE, 0)))
    )


def amplifiers(
    image: NDArray[np.float32], mask: NDArray[np.int32], camera: Camera, detector: int
) -> dict[str, Scalar]:
    """Percentiles of the usable pixels of each amplifier, its bad pixels, gain and read noise.

    Parameters
    ----------
    image, mask
        Shape (ny, nx) of the assembled detector. Masked and NaN pixels are counted as bad and are
        in no percentile; an amplifier without a good pixel has no percentiles.
    camera, detector
        Whose amplifiers.
    """
    keys: dict[str, Scalar] = {}
    for amp in camera.amplifiers(detector):
        pixels = image[amp.detector.slices]
        good = (mask[amp.detector.slices] & np.int32(UNUSABLE)) == 0
        values, count = quantiles(pixels, good, [percent / 100 for percent in PERCENTILES])
        start = f"FID AMP {amp.name}"
        if count:
            for percent, value in zip(PERCENTILES, values, strict=True):
                keys[f"{start} P{percent}"] = float(value)
        keys[f"{start} NBAD"] = pixels.size - count
        keys[f"{start} GAIN"] = float(amp.gain)
        keys[f"{start} READ NOISE"] = float(amp.read_noise)
    return keys


def state(facts: Sequence[FrameFacts], camera: Camera) -> dict[str, Scalar]:
    """The state of the camera that all frames share.

    Numbers that agree within the camera's tolerance have their median. Keys that no header has are
    left out; those that differ are named in ``FID MIXED STATE``.
    """
    keys: dict[str, Scalar] = {}
    mixed = []
    for key, rule in camera.headers.state.items():
        values = [value for f in facts if (value := f.state.get(key)) is not None]
        if not values:
            continue
        common = _common(values, rule.tolerance)
        if common is None:
            mixed.append(key)
        else:
            keys[STATE + key] = common
    if mixed:
        keys[MIXED_STATE] = ",".join(mixed)
    return keys


def _common(values: Sequence[StateValue], tolerance: float | None) -> StateValue | None:
    if all(value == values[0] for value in values):
        return values[0]
    numbers = [v for v in values if isinstance(v, int | float)]
    if tolerance is None or len(numbers) < len(values) or max(numbers) - min(numbers) > 2 * tolerance:
        return None
    return float(np.median(numbers))


def read_state(metadata: Mapping[str, Any]) -> dict[str, StateValue | None]:
    """The state of the camera that a product was made in; what it does not say is not there."""
    return {key[len(STATE) :]: value for key, value in metadata.items() if key.startswith(STATE)}


def corrections(names: Sequence[str], notes: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The chain, and what its corrections say of themselves."""
    return {CHAIN: ",".join(names)} | {f"{CHAIN} {key}": value for key, value in notes.items()}


def run_notes(masters: Mapping[str, str] | None = None) -> dict[str, Scalar]:
    """What is of this run only: when, with which version, with which datasets as masters."""
    from fiducial import __version__

    keys: dict[str, Scalar] = {
        f"{RUN}VERSION": __version__,
        f"{RUN}CREATED": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    for kind, dataset in (masters or {}).items():
        if dataset:
            keys[f"{RUN}MASTER {kind.upper()}"] = dataset
    return keys
