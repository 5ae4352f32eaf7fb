"""Plans of what is made from ramps of flats: linearizer and photon transfer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fiducial.service.request import Request

if TYPE_CHECKING:
    from fiducial.cameras import Camera
    from fiducial.frames.records import FrameRecord
    from fiducial.kinds.budget import Forecast
    from fiducial.selection import KindPlan, PairingRule


def plan_from_ramp(kind: str, records: Sequence[FrameRecord], camera: Camera, request: Request) -> KindPlan:
    """Choose the flats of a ramp.

    Parameters
    ----------
    kind
        ``linearizer`` or ``ptc``.
    records
        Frames of the night and the detectors asked for.
    camera
        Whose.
    request
        What the user asks for.

    Raises
    ------
    NothingToDo
        There are no flats, or of too few exposure times.
    """
    from fiducial.selection import plan_ramp

    return plan_ramp(
        kind,
        records,
        camera,
        settings=request.settings_for(camera, kind),
        state=request.state or None,
        physical_filter=request.physical_filter,
        night=request.night,
        pairing=_pairing(kind, request.overrides),
    )


def _pairing(kind: str, settings: Sequence[str]) -> PairingRule | None:
    """How the task will pair flats, where the user has a wish."""
    if not any(setting.startswith(f"{kind}:pairing") for setting in settings):
        return None
    from fiducial.execution.pipelines import generation_of
    from fiducial.execution.run import load_pipeline
    from fiducial.execution.settings import settings_for
    from fiducial.selection import PairingRule

    pipeline = generation_of(kind)
    graph = load_pipeline(pipeline, settings_for(pipeline, settings)).to_graph()
    wishes = graph.tasks[kind].config.pairing  # type: ignore[attr-defined]
    return PairingRule(wishes.method, float(wishes.tolerance), wishes.mostSeparation)


def forecast_ramp(camera: Camera, detectors: Sequence[int], n_frames: int, processes: int) -> Forecast:
    """What measuring a ramp costs: two frames and the masters of a detector are in memory at a time."""
    from fiducial.kinds.budget import LIBRARIES, Forecast, raw_bytes

    sizes = [ny * nx for ny, nx in (camera.layout(detector).shape for detector in detectors)]
    return Forecast(
        memory=(LIBRARIES + max(sizes) * _BYTES) * processes,
        read_bytes=sum(
            1.05 * n_frames * raw_bytes(camera, detector) + size * _MASTERS
            for detector, size in zip(detectors, sizes, strict=True)
        ),
        disk_bytes=2_000_000.0 * len(sizes),
        seconds=sum(
            size * n_frames * _SECONDS + len(camera.amplifiers(detector)) * _SECONDS_PER_FIT
            for detector, size in zip(detectors, sizes, strict=True)
        )
        / processes
        + 1.0,
    )


_BYTES = 110  # bytes a pixel: two corrected frames, masters, what reading the last of them takes
_MASTERS = 24  # bytes a pixel stored, of bias and dark
_SECONDS = 100e-9  # a pixel and frame
_SECONDS_PER_FIT = 0.2
