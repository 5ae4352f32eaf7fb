"""Photon transfer and linearizers of simulated curves, in two layouts that have little in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fiducial.algorithms.linearity_fit import fit_linearity, undetermined
from fiducial.algorithms.linearity_forms import PolynomialForm, spline_form
from fiducial.algorithms.pair_covariances import PairCovariances, covariance_errors
from fiducial.algorithms.ptc_curve import TransferCurve
from fiducial.algorithms.ptc_fit import ReadNoise
from fiducial.algorithms.ptc_models import VarianceCurve, exponential_variance
from fiducial.cameras.model import Amplifier, Camera
from fiducial.corrections.linearity_product import MeasuredLevels, linearizer_of
from fiducial.kinds.ptc_fits import fit_amplifier
from fiducial.products.linearizer import Linearizer
from fiducial.products.ptc import FlatPairs, PhotonTransferCurve
from fiducial.simulation.effects import Curve
from frame_arrays import tiny_camera
from transfer_curves import measured

type Floats = NDArray[np.float64]
type Damage = Callable[[Floats, Floats, FlatPairs], Floats]
"""(variances, means, pairs) of one amplifier, and what becomes of the variances."""

A00 = -2e-6
MJD = 60_000.0
DAY = 86_400.0


@dataclass(frozen=True)
class Setting:
    """Which camera, and how flats were taken."""

    layout: str
    overscan: bool
    pixels: int
    model: str
    rising: bool  # levels in time, or in any order with pairs torn apart

    @property
    def camera(self) -> Camera:
        return tiny_camera(self.layout)


SETTINGS = {
    # Thirty pairs beyond saturation, in any order; overscan.
    "two": Setting("two", True, 500_000, "exponential", False),
    # Twenty pairs by rising level, none saturated; no overscan.
    "bare": Setting("bare", False, 200_000, "polynomial", True),
}


def pairs_of(setting: Setting, rng: np.random.Generator) -> tuple[FlatPairs, Floats]:
    """The pairs by time, and their relative light."""
    light = np.geomspace(0.002, 0.8, 20) if setting.rising else np.linspace(0.01, 1.2, 30)
    order = np.arange(light.size) if setting.rising else rng.permutation(light.size)
    light = light[order]
    times = 60.0 * light
    begin = MJD + np.cumsum(2 * times + 20.0) / DAY
    apart = times + 10.0 + (0.0 if setting.rising else 40.0 * rng.integers(0, 8, light.size))
    nothing = np.full(light.size, np.nan)
    first = 2 * np.arange(light.size) + 1
    return FlatPairs(
        first, first + 1, times, times, nothing, nothing, begin, begin + apart / DAY, ("g",) * light.size
    ), light


def points_of(curve: TransferCurve) -> list[PairCovariances]:
    """The measured pairs of a curve."""
    return [
        PairCovariances(
            float(mean),
            float(mean),
            float(mean),
            int(counts[0, 0]),
            0,
            covariances,
            counts,
            covariance_errors(covariances[0, 0], counts),
            1.0,
            True,
            "",
        )
        for mean, covariances, counts in zip(curve.means, curve.covariances, curve.counts, strict=True)
    ]


def transfer(
    setting: Setting,
    rng: np.random.Generator,
    *,
    detector: int = 0,
    gain: float = 1.0,
    noise: float = 1.0,
    a00: float = A00,
    saturation: float = 1.0,
    damage: Damage | None = None,
    dead: tuple[str, ...] = (),
    created: str = "",
    overscan_noise: float = 1.0,
) -> PhotonTransferCurve:
    """Photon transfer of a detector; gain, noise and saturation are relative to the camera file."""
    pairs, light = pairs_of(setting, rng)
    found = []
    for amp in setting.camera.amplifiers(detector):
        own_gain, own_noise = amp.gain * gain, amp.read_noise * noise / amp.gain  # adu
        means = light * 60_000.0
        variances = exponential_variance(means, own_gain, a00, own_noise**2)[0]
        if damage is not None:
            variances = damage(variances, means, pairs)
        variances = np.where(means > 60_000.0 * saturation, 0.1 * variances, variances)
        if amp.name in dead:
            variances, means = np.full(light.size, own_noise**2), np.zeros(light.size)
        curve = measured(rng, means, variances[:, None, None], setting.pixels)
        points = points_of(curve)
        seen = own_noise * overscan_noise
        read = ReadNoise(seen * (1 + 0.002 * rng.standard_normal()), 0.002 * seen)
        found.append(
            fit_amplifier(
                amp.name,
                points,
                read if setting.overscan else None,
                model=setting.model,
                shape=VarianceCurve() if setting.model == "exponential" else VarianceCurve("polynomial", 3),
                samples=0,
            )
        )
    metadata = {"FID RUN CREATED": created} if created else {}
    return PhotonTransferCurve(detector, 1, pairs, tuple(found), (), metadata)


def linearizer(
    setting: Setting,
    rng: np.random.Generator,
    *,
    detector: int = 0,
    strength: float = 0.02,
    stability: float = 1e-4,
    left: Callable[[Floats], Floats] | None = None,
    dead: tuple[str, ...] = (),
    top: float = 0.98,
    created: str = "",
) -> Linearizer:
    """A linearizer of a detector in adu; ``left`` is a relative departure that no fit can follow."""
    light = np.concatenate([np.geomspace(0.005, 0.9, 30), np.linspace(0.05, top, 30)]) * 60_000.0
    light = light[light <= top * 60_000.0]
    times = light / 1000.0
    amplifiers = setting.camera.amplifiers(detector)
    fits, signals, errors = [], [], []
    lamp = stability * rng.standard_normal(light.size)
    # A polynomial cannot follow what is lost at low levels.
    curve = Curve(strength, 2.0, 0.0 if setting.rising else 0.002, 3000.0, 60_000.0)
    for amp in amplifiers:
        true = light * (1 + lamp)
        error = np.sqrt((light / amp.gain + 16.0) / setting.pixels)
        signal = curve.measured(true) + error * rng.standard_normal(light.size)
        if left is not None:
            signal = signal * (1 + left(signal))
        form = (
            PolynomialForm(5, 60_000.0, 30_000.0)
            if setting.rising
            else spline_form(signal, count=10, reference=30_000.0)
        )
        given = None if setting.rising else stability
        fit = fit_linearity(signal, times, form, error=error, stability=given)
        fits.append(undetermined("no signal", light.size) if amp.name in dead else fit)
        signals.append(signal)
        errors.append(error)
    return linearizer_of(
        fits,
        [amp.name for amp in amplifiers],
        MeasuredLevels(range(light.size), times, np.stack(signals, axis=1), np.stack(errors, axis=1)),
        detector=detector,
        unit="adu",
        abscissa="exposure_time",
        metadata={"FID RUN CREATED": created} if created else {},
    )


def amplifier_of(setting: Setting, name: str = "A", detector: int = 0, **changes: float) -> Amplifier:
    """An amplifier of the camera file, with some of its values changed."""
    found = next(amp for amp in setting.camera.amplifiers(detector) if amp.name == name)
    return found.model_copy(update=changes)


def changed(product: PhotonTransferCurve, **values: object) -> PhotonTransferCurve:
    """Photon transfer whose amplifiers have some of their values changed."""
    return replace(product, amplifiers=tuple(replace(one, **values) for one in product.amplifiers))


def with_fit(product: PhotonTransferCurve, **values: object) -> PhotonTransferCurve:
    """The same with some values of their fits changed."""
    return replace(
        product,
        amplifiers=tuple(replace(one, fit=replace(one.fit, **values)) for one in product.amplifiers),
    )
