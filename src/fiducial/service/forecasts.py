"""What a product costs, over all of its detectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fiducial.service.planning_masters import FROM_MASTERS, forecast_from_masters
from fiducial.service.planning_ramps import forecast_ramp
from fiducial.service.request import Request
from fiducial.service.steps import RAMPED

if TYPE_CHECKING:
    from fiducial.cameras import Camera
    from fiducial.kinds.budget import Forecast
    from fiducial.selection import KindPlan


def whole_forecast(chosen: KindPlan, camera: Camera, detectors: Sequence[int], request: Request) -> Forecast:
    """Add up what the products of all detectors cost; memory is what one process needs for one of them.

    One process makes and verifies them, one after the other.
    """
    from fiducial.kinds.budget import LIBRARIES, Forecast, forecast
    from fiducial.verify.budget import measuring_bytes

    if chosen.kind in FROM_MASTERS:
        return forecast_from_masters(camera, detectors, request.processes)
    n_frames, kind = len(chosen.generate), chosen.kind
    if kind in RAMPED:
        return forecast_ramp(camera, detectors, n_frames, request.processes)
    each = [
        forecast(kind, n_frames=n_frames, camera=camera, detector=detector, threads=request.threads)
        for detector in detectors
    ]
    measuring = max(
        LIBRARIES + measuring_bytes(kind, camera.layout(detector).shape, len(chosen.measured))
        for detector in detectors
    )
    return Forecast(
        memory=max(measuring, *(one.memory for one in each)) * request.processes,
        read_bytes=sum(one.read_bytes for one in each),
        disk_bytes=sum(one.disk_bytes for one in each),
        seconds=sum(one.seconds for one in each) / request.processes,
    )
