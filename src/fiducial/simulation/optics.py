"""Light on the focal plane: vignetting, dust and the response of pixels, amplifiers and detectors."""

from __future__ import annotations

import numpy as np

from fiducial.cameras.model import Camera, Detector
from fiducial.simulation.plan import Physics
from fiducial.simulation.randomness import generator


def focal_plane_radius(camera: Camera) -> float:
    """Distance (mm) from the centre of the focal plane to the farthest corner of a detector."""
    return max(
        float(np.hypot(*detector.position)) + 0.5 * float(np.hypot(*_size(camera, detector)))
        for detector in camera.detectors
    )


def vignetting(camera: Camera, detector: Detector, physics: Physics, step: int = 1) -> np.ndarray:
    """Light that reaches every ``step``-th pixel of a detector: (ny, nx) float32.

    It is 1 at the centre of the focal plane; the loss grows with the third power of the distance, to
    ``physics.vignetting`` at the farthest corner of the camera.
    """
    ny, nx = camera.layout(detector.id).shape
    pitch = camera.layout(detector.id).pixel_size * 1e-3
    x = (np.arange(0, nx, step) - 0.5 * (nx - 1)) * pitch
    y = (np.arange(0, ny, step) - 0.5 * (ny - 1)) * pitch
    centre_x, centre_y = detector.position
    match detector.quarter_turns:
        case 0:
            across, along = centre_x + x, centre_y + y
        case 1:  # the columns of the detector run along the focal plane's y
            across, along = centre_y + x, centre_x - y
        case 2:
            across, along = centre_x - x, centre_y - y
        case _:
            across, along = centre_y - x, centre_x + y
    radius = focal_plane_radius(camera)
    squared: np.ndarray = np.add.outer((along / radius) ** 2, (across / radius) ** 2, dtype=np.float32)
    light: np.ndarray = np.float32(1.0) - np.float32(physics.vignetting) * squared * np.sqrt(squared)
    return light


def dust(shape: tuple[int, int], physics: Physics, rng: np.random.Generator) -> np.ndarray:
    """Light left by dust out of focus: soft rings, each ``dust_depth`` deep or less: (ny, nx) float32."""
    light = np.ones(shape, np.float32)
    ny, nx = shape
    smallest = min(shape)
    for _ in range(physics.dust_spots):
        radius = max(3.0, smallest * rng.uniform(0.02, 0.06))
        y0, x0 = rng.uniform(0, ny), rng.uniform(0, nx)
        depth = physics.dust_depth * rng.uniform(0.3, 1.0)
        ya, yb = max(0, int(y0 - 2 * radius)), min(ny, int(y0 + 2 * radius) + 1)
        xa, xb = max(0, int(x0 - 2 * radius)), min(nx, int(x0 + 2 * radius) + 1)
        y, x = np.mgrid[ya:yb, xa:xb]
        distance = np.hypot(y - y0, x - x0) / radius
        light[ya:yb, xa:xb] *= (1.0 - depth * np.exp(-8.0 * (distance - 0.8) ** 2)).astype(np.float32)
    return light


def pixel_response(camera: Camera, detector: Detector, physics: Physics, seed: int) -> np.ndarray:
    """Response of pixels and amplifiers of a detector, the same in every filter: (ny, nx) float32."""
    shape = camera.layout(detector.id).shape
    rng = generator(seed, "pixel response", detector.id)
    response = 1.0 + physics.pixel_response * rng.standard_normal(shape, np.float32)
    np.clip(response, 0.5, 1.5, out=response)
    for amp in camera.amplifiers(detector.id):
        response[amp.detector.slices] *= 1.0 + physics.amplifier_response * rng.standard_normal()
    return response


def filter_response(
    camera: Camera, detector: Detector, physics: Physics, seed: int, filter_number: int
) -> tuple[np.ndarray, float]:
    """What one filter adds: its dust, and the detector's response in it.

    Returns
    -------
    spots : ndarray
        (ny, nx) float32, relative.
    level : float
        Response of this detector relative to the camera's mean.
    """
    rng = generator(seed, "filter", detector.id, filter_number)
    level = 1.0 + physics.detector_response * rng.standard_normal()
    return dust(camera.layout(detector.id).shape, physics, rng), float(level)


def _size(camera: Camera, detector: Detector) -> tuple[float, float]:
    layout = camera.layout(detector.id)
    return layout.shape[0] * layout.pixel_size * 1e-3, layout.shape[1] * layout.pixel_size * 1e-3
