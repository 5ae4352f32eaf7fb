"""The gains in force: those that the masters were made with, whatever the camera file says.

A master bias in electrons is made with the gains of the camera file or of photon transfer, and its header
says which. Whatever is made with it takes them from there, so that one production has one set of gains.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fiducial.cameras.model import AmplifierValues
from fiducial.corrections.measured_noise import with_measured_noise
from fiducial.errors import CalibrationMismatch
from fiducial.products import metadata as meta

if TYPE_CHECKING:
    from fiducial.cameras.model import Camera
    from fiducial.products.metadata import Scalar
    from fiducial.products.ptc import PhotonTransferCurve

GAINS = "FID GAINS"
"""Of a master bias: where its gains are from, ``camera`` or ``ptc``."""

TOLERANCE = 1e-6
"""Relative: gains that differ by more are not the same."""

_IMAGES = ("bias", "dark", "flat")


def as_measured(camera: Camera, detector: int, masters: Mapping[str, Any] | None) -> Camera:
    """Give the camera with the gains that its masters were made with, and the read noise of its biases.

    Parameters
    ----------
    camera, detector
        The camera, and whose amplifiers.
    masters
        By kind; headers are read.

    Raises
    ------
    CalibrationMismatch
        Masters were made with different gains.
    """
    return with_measured_noise(with_gains_in_force(camera, detector, masters), detector, masters)


def with_gains_in_force(camera: Camera, detector: int, masters: Mapping[str, Any] | None) -> Camera:
    """Give the camera with the gains that its masters in electrons were made with; without any as it is.

    A master that does not name its gains was made with those of the camera file.

    Raises
    ------
    CalibrationMismatch
        Naming the amplifier, both gains, and what to do.
    """
    made = {
        kind: _gains_of(master, camera, detector)
        for kind in _IMAGES
        if (master := (masters or {}).get(kind)) is not None and _header(master).get(meta.WORLD) == "electron"
    }
    if not made:
        return camera
    first, gains = next(iter(made.items()))
    for kind, others in made.items():
        for name, gain in others.items():
            if abs(gain - gains[name]) > TOLERANCE * gains[name]:
                raise CalibrationMismatch(
                    f"the {kind} was made with a gain of {gain:.7g} e-/adu in amplifier {name}, "
                    f"the {first} with {gains[name]:.7g}",
                    hint=f"Make the {kind} again with this {first}, or take one that was made with it.",
                )
    return with_gains(camera, detector, gains)


def with_gains(camera: Camera, detector: int, gains: Mapping[str, float]) -> Camera:
    """Give the camera with other gains of a detector's amplifiers; those not named keep theirs."""
    own = camera.detector(detector)
    values = dict(own.amplifiers)
    for amp in camera.amplifiers(detector):
        gain = gains.get(amp.name, amp.gain)
        if gain != amp.gain:
            before = values.get(amp.name, AmplifierValues())
            values[amp.name] = before.model_copy(update={"gain": float(gain)})
    if values == own.amplifiers:
        return camera
    changed = own.model_copy(update={"amplifiers": values})
    detectors = tuple(changed if d.id == own.id else d for d in camera.detectors)
    return camera.model_copy(update={"detectors": detectors})


def gains_of_transfer(product: PhotonTransferCurve) -> dict[str, tuple[float, float]]:
    """Gain and its error of each amplifier that photon transfer determines, the tied one if there is one."""
    found = {}
    for one in product.amplifiers:
        if np.isfinite(one.tied_gain) and one.tied_gain > 0:
            found[one.name] = (float(one.tied_gain), float(one.tied_gain_error))
        elif one.fit.determined and np.isfinite(one.fit.gain) and one.fit.gain > 0:
            found[one.name] = (float(one.fit.gain), float(one.fit.gain_error))
    return found


def gain_keys(
    camera: Camera, detector: int, measured: Mapping[str, tuple[float, float]] | None
) -> dict[str, Scalar]:
    """What a master bias says of its gains.

    Parameters
    ----------
    camera, detector
        Whose amplifiers.
    measured
        Gain and error of those that photon transfer determines; None: they are the camera file's.
    """
    if measured is None:
        return {GAINS: "camera"}
    keys: dict[str, Scalar] = {GAINS: "ptc"}
    for amp in camera.amplifiers(detector):
        start = f"FID AMP {amp.name} GAIN"
        keys[f"{start} SOURCE"] = "ptc" if amp.name in measured else "camera"
        error = measured.get(amp.name, (0.0, np.nan))[1]
        if np.isfinite(error):
            keys[f"{start} ERROR"] = float(error)
    return keys


def _gains_of(master: Any, camera: Camera, detector: int) -> dict[str, float]:
    """The gain of every amplifier that a master was made with."""
    header = _header(master)
    found = {}
    for amp in camera.amplifiers(detector):
        said = header.get(f"FID AMP {amp.name} GAIN")
        found[amp.name] = float(said) if isinstance(said, int | float) and said > 0 else float(amp.gain)
    return found


def _header(master: Any) -> Mapping[str, Any]:
    header: Mapping[str, Any] = getattr(master, "product", master).metadata
    return header
