"""Photon transfer as a master: turn-offs and gains are taken from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fiducial.algorithms.linearity_models import signal_before
from fiducial.corrections.linearity_product import models_of
from fiducial.errors import CalibrationMismatch, ConfigurationError
from fiducial.products import metadata as meta

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


def turnoffs_of(transfer: Master, linearizer: Master | None = None) -> dict[str, float]:
    """Turn-offs that photon transfer found, by amplifier: adu above bias, before linearity.

    Parameters
    ----------
    transfer
        As `transfer_master` found it.
    linearizer
        By which linearised turn-offs are taken back, if photon transfer was measured behind linearity; None:
        they stay as they are, off by the non-linearity at the turn-off.
    """
    found = {
        one.name: float(one.turnoff)
        for one in curve_of(transfer).amplifiers
        if one.turnoff_found and one.turnoff > 0
    }
    if linearizer is None or "linearity" not in str(transfer.metadata.get(meta.CHAIN, "")).split(","):
        return found
    product: Any = linearizer.product
    if getattr(product, "unit", "") != "adu":
        return found
    models = models_of(product)
    return {
        name: level if (model := models.get(name)) is None else signal_before(model, level)
        for name, level in found.items()
    }
