"""Photon transfer as a master: turn-offs and gains are taken from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fiducial.errors import CalibrationMismatch, ConfigurationError

if TYPE_CHECKING:
    from fiducial.corrections.base import Context
    from fiducial.corrections.masters import Master
    from fiducial.products.ptc import PhotonTransferCurve


def transfer_master(masters: Mapping[str, Any], context: Context, setting: str) -> Master:
    """Find the photon transfer curve among masters, and hold it against the detector.

    Parameters
    ----------
    masters
        By kind.
    context
        Whose it should be.
    setting
        Which needs it, for the message.

    Raises
    ------
    ConfigurationError
        There is none.
    CalibrationMismatch
        It is of another detector, or something else.
    """
    from fiducial.products.ptc import PhotonTransferCurve  # long to import

    found: Master | None = masters.get("ptc")
    if found is None:
        raise ConfigurationError(
            f"{setting} needs photon transfer, and there is no master ptc",
            hint="Certify a ptc, give the collection that holds one, or change the setting.",
        )
    if not isinstance(found.product, PhotonTransferCurve):
        raise CalibrationMismatch(
            f"the ptc {found.dataset}".rstrip() + f" is a {type(found.product).__name__}",
            hint="Give the collection that holds a photon transfer curve.",
        )
    found.require_detector(context)
    return found


def curve_of(master: Master) -> PhotonTransferCurve:
    """The curve that `transfer_master` found."""
    product: Any = master.product
    curve: PhotonTransferCurve = product
    return curve
