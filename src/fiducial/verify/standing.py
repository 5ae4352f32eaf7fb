"""What the single frames say: which are set aside, which amplifiers fail, and the means over the others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fiducial.verify.columns import Columns
from fiducial.verify.rows import MEAN_EXPOSURE, UNREADABLE, Row

type Amplifier = tuple[int, str]
"""Detector and amplifier; an empty name is the whole detector."""

type FrameOfDetector = tuple[int, int]
"""Exposure and detector."""

JUDGED = ("pass", "warn", "fail")


@dataclass(frozen=True)
class Standing:
    """What the single frames say, before their means are looked at.

    Parameters
    ----------
    frames
        Counted frames of each amplifier.
    failures
        Counted frames in which each amplifier fails.
    majority
        Amplifiers that fail in more than half of their counted frames.
    set_aside
        Frames in which an amplifier fails that does not fail as a whole, and frames that could not be
        measured.
    problems
        Why frames could not be measured.
    """

    frames: Mapping[Amplifier, frozenset[int]]
    failures: Mapping[Amplifier, frozenset[int]]
    majority: frozenset[Amplifier]
    set_aside: frozenset[FrameOfDetector]
    problems: Mapping[FrameOfDetector, str] = field(default_factory=dict)


def counted_rows(columns: Columns) -> NDArray[np.bool_]:
    """Rows that decide: judged, applicable, of frames that count."""
    return np.asarray(
        columns["counts"]
        & columns["applicable"]
        & np.isin(columns["outcome"], JUDGED)
        & (columns["test"] != "structure_peak")
    )


def amplifiers_of(columns: Columns, rows: NDArray[np.bool_]) -> Iterable[tuple[Amplifier, int]]:
    """Amplifier and exposure of each of these rows."""
    part = np.flatnonzero(rows)
    detectors = columns["detector"][part].tolist()
    names = columns["amplifier"][part].tolist()
    exposures = columns["exposure"][part].tolist()
    for detector, name, exposure in zip(detectors, names, exposures, strict=True):
        yield (detector, name), exposure


def standing_of(columns: Columns) -> Standing:
    """Which amplifiers fail in most frames, and which frames fail in the others."""
    counted = counted_rows(columns)
    frames: dict[Amplifier, set[int]] = {}
    failures: dict[Amplifier, set[int]] = {}
    for amplifier, exposure in amplifiers_of(columns, counted):
        frames.setdefault(amplifier, set()).add(exposure)
    for amplifier, exposure in amplifiers_of(columns, counted & (columns["outcome"] == "fail")):
        failures.setdefault(amplifier, set()).add(exposure)
    majority = {one for one, failing in failures.items() if 2 * len(failing) > len(frames[one])}
    aside = {
        (exposure, amplifier[0])
        for amplifier, failing in failures.items()
        if amplifier not in majority
        for exposure in failing
    }
    first = set(columns["exposure"][columns["role"] == "first"].tolist())
    problems = unmeasured(columns)
    aside |= {frame for frame in problems if frame[0] not in first}
    return Standing(
        {one: frozenset(found) for one, found in frames.items()},
        {one: frozenset(found) for one, found in failures.items()},
        frozenset(majority),
        frozenset(aside),
        problems,
    )


def unmeasured(columns: Columns) -> dict[FrameOfDetector, str]:
    """Frames that could not be measured, and why: not readable, without light, an amplifier saturated.

    An amplifier that can be measured in no frame at all is masked; that is no frame's fault.
    """
    single = columns["exposure"] != MEAN_EXPOSURE
    measured: set[FrameOfDetector] = set()
    seen: set[tuple[int, int, str]] = set()
    alive: set[Amplifier] = set()
    for row, (exposure, detector) in _frames_of(columns, single & columns["applicable"]):
        name = str(columns["amplifier"][row])
        measured.add((exposure, detector))
        seen.add((exposure, detector, name))
        alive.add((detector, name))
    out: dict[FrameOfDetector, str] = {}
    for row, frame in _frames_of(columns, single & ~columns["applicable"]):
        name, note = str(columns["amplifier"][row]), str(columns["note"][row])
        if columns["test"][row] == UNREADABLE:
            out[frame] = note
        elif frame not in measured:
            out.setdefault(frame, f"nothing can be measured on it ({columns['test'][row]}: {note})")
        elif name and (*frame, name) not in seen and (frame[1], name) in alive:
            out.setdefault(frame, f"nothing can be measured on amplifier {name} ({note})")
    return out


def _frames_of(columns: Columns, rows: NDArray[np.bool_]) -> Iterable[tuple[int, FrameOfDetector]]:
    chosen = np.flatnonzero(rows)
    exposures, detectors = columns["exposure"][chosen].tolist(), columns["detector"][chosen].tolist()
    for row, exposure, detector in zip(chosen.tolist(), exposures, detectors, strict=True):
        yield row, (exposure, detector)


def mean_rows(columns: Columns, standing: Standing) -> Columns:
    """One row for each test of each amplifier: the mean over its K counted frames that are not set aside.

    Its error is sqrt(mean(u^2) / K + tau^2 / K), tau^2 the scatter of the frames beyond their errors.
    Structure is averaged in the square, as it is tested.
    """
    counted = np.flatnonzero(counted_rows(columns))
    aside = standing.set_aside
    kept = np.array(
        [
            (int(columns["exposure"][row]), int(columns["detector"][row])) not in aside
            for row in counted.tolist()
        ],
        dtype=bool,
    )
    part = columns.take(counted[kept]) if counted.size else columns.take(counted)
    rows: list[Row] = []
    if len(part):
        group = part.group("test", "detector", "amplifier", "physical_filter")
        order = np.argsort(group, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
        rows = [_mean(part, members) for members in groups if members.size >= 2]
    return Columns.of(rows)


def _mean(part: Columns, members: NDArray[np.intp]) -> Row:
    first = int(members[0])
    squared = bool(np.isfinite(part["square"][members]).all())
    value, error = _mean_and_error(part["value"][members], part["uncertainty"][members])
    square = square_error = math.nan
    if squared:
        square, square_error = _mean_and_error(part["square"][members], part["square_uncertainty"][members])
        value = math.sqrt(max(0.0, square))
        error = math.sqrt(max(0.0, square) + square_error) - value
    return Row(
        kind=str(part["kind"][first]),
        test=str(part["test"][first]),
        scope="amplifier_mean",
        exposure=MEAN_EXPOSURE,
        detector=int(part["detector"][first]),
        amplifier=str(part["amplifier"][first]),
        physical_filter=str(part["physical_filter"][first]),
        mjd=float(np.mean(part["mjd"][members])),
        role="mean",
        counts=True,
        applicable=True,
        value=value,
        uncertainty=error,
        unit=str(part["unit"][first]),
        n_pixels=int(part["n_pixels"][members].sum()),
        n_frames=int(members.size),
        read_noise=float(np.mean(part["read_noise"][members])),
        electrons_per_unit=float(part["electrons_per_unit"][first]),
        overscan=bool(part["overscan"][first]),
        reference=float(
            np.sum(part["reference"][members]) if squared else np.mean(part["reference"][members])
        ),
        square=square,
        square_uncertainty=square_error,
        note=f"mean of {members.size} frames",
    )


def _mean_and_error(values: NDArray[np.float64], errors: NDArray[np.float64]) -> tuple[float, float]:
    k = values.size
    own = float(np.mean(np.square(errors)))
    tau_square = max(0.0, float(np.var(values, ddof=1)) - own)
    return float(np.mean(values)), math.sqrt((own + tau_square) / k)
