"""Gains tied to one another by the levels of the same flats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fiducial.algorithms.gain_ratios import TiedGains, light_plane, tie_gains
from fiducial.products.ptc import AmplifierTransfer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.cameras.model import Amplifier
    from fiducial.products.metadata import Scalar

_SIGNIFICANT = 5.0  # errors: a dead amplifier has levels too, about 0


def with_tied_gains(
    found: Sequence[AmplifierTransfer], amplifiers: Sequence[Amplifier], config: Any
) -> tuple[list[AmplifierTransfer], dict[str, Scalar]]:
    """Tie the gains of a detector's amplifiers, and say how that went.

    Parameters
    ----------
    found
        Photon transfer of each amplifier.
    amplifiers
        The same in the layout: where they are.
    config
        A `~fiducial.kinds.ptc_config.TieConfig`.

    Returns
    -------
    amplifiers
        With tied gains; as they were where there are none.
    notes
        For the header.
    """
    levels, errors = _levels(found)
    gains = np.array([one.fit.gain for one in found])
    gain_errors = np.array([one.fit.gain_error for one in found])
    tied = tie_gains(levels, errors, gains, gain_errors, most_change=np.inf)
    light = None
    if tied.determined and config.method == "plane":
        light = light_plane(tied, gains, gain_errors, _centres(amplifiers))
        if light is None:
            return list(found), {"FID PTC TIE REASON": "too few gains to tell a plane of light"}
    if tied.determined:
        tied = tie_gains(
            levels,
            errors,
            gains,
            gain_errors,
            light=light,
            light_error=float(config.lightError),
            most_change=float(config.mostChange),
        )
    if not tied.determined:
        return list(found), {"FID PTC TIE REASON": tied.reason}
    return _stored(found, tied), {"FID PTC TIE CHI2": float(tied.chi2), "FID PTC TIE FREEDOM": tied.freedom}


def _levels(found: Sequence[AmplifierTransfer]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(pairs, amplifiers): mean of each pair up to the turn-off, and its error by the noise of two frames."""
    levels, errors = [], []
    for one in found:
        good = np.isfinite(one.mean) & ~one.outlier
        if one.turnoff_found:
            good &= one.mean <= one.turnoff
        with np.errstate(invalid="ignore", divide="ignore"):
            error = np.sqrt(0.5 * np.maximum(one.covariances[:, 0, 0], 0.0) / one.counts[:, 0, 0])
        good &= one.mean > _SIGNIFICANT * error
        levels.append(np.where(good, one.mean, np.nan))
        errors.append(np.where(good, error, np.nan))
    return np.stack(levels, axis=1), np.stack(errors, axis=1)


def _centres(amplifiers: Sequence[Amplifier]) -> NDArray[np.float64]:
    places = [amp.detector for amp in amplifiers]
    return np.array([[0.5 * (p.x0 + p.x1), 0.5 * (p.y0 + p.y1)] for p in places], np.float64)


def _stored(found: Sequence[AmplifierTransfer], tied: TiedGains) -> list[AmplifierTransfer]:
    return [
        replace(one, tied_gain=float(gain), tied_gain_error=float(error))
        for one, gain, error in zip(found, tied.gains, tied.errors, strict=True)
    ]
