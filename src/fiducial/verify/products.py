"""One amplifier of a product as the checks of products see it, with what it is held against."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import nan
from typing import TYPE_CHECKING

import numpy as np

from fiducial.algorithms.linearity_packing import unpack_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.algorithms.linearity_models import LinearityModel
    from fiducial.cameras.model import Amplifier
    from fiducial.products.linearizer import AmplifierLinearity, Linearizer
    from fiducial.products.ptc import AmplifierTransfer, PhotonTransferCurve


@dataclass(frozen=True)
class TransferSubject:
    """Photon transfer of one amplifier.

    Parameters
    ----------
    amplifier
        What the camera file says of it.
    product
        Photon transfer of its detector.
    before
        What was certified, if anything was.
    """

    amplifier: Amplifier
    product: PhotonTransferCurve
    before: PhotonTransferCurve | None = None

    @cached_property
    def now(self) -> AmplifierTransfer | None:
        """What the product says of it."""
        return self.product.amplifier(self.amplifier.name)

    @cached_property
    def known(self) -> AmplifierTransfer:
        """The same, of an amplifier that is determined; ValueError if it is not."""
        if self.now is None or self.problem:
            raise ValueError(self.problem)
        return self.now

    @cached_property
    def was(self) -> AmplifierTransfer | None:
        """What was certified of it, if that was determined."""
        found = None if self.before is None else self.before.amplifier(self.amplifier.name)
        return found if found is not None and found.fit.determined else None

    @property
    def problem(self) -> str:
        """Why it is not determined; empty if it is."""
        if self.now is None:
            return "the product lacks it"
        return "" if self.now.fit.determined else self.now.fit.reason or "no reason is given"

    @property
    def variances(self) -> NDArray[np.float64]:
        """Shape (n,): of each pair, adu^2."""
        return np.asarray(self.known.covariances[:, 0, 0], np.float64)

    @property
    def model(self) -> NDArray[np.float64]:
        """Shape (n,): what the fit expects, adu^2."""
        return np.asarray(self.known.fit.curve[:, 0, 0], np.float64)

    @property
    def errors(self) -> NDArray[np.float64]:
        """Shape (n,): standard errors of the variances that the fit expects, adu^2."""
        with np.errstate(divide="ignore"):
            return np.asarray(self.model * np.sqrt(2.0 / self.known.counts[:, 0, 0]), np.float64)


@dataclass(frozen=True)
class LinearitySubject:
    """Linearity of one amplifier.

    Parameters
    ----------
    amplifier
        What the camera file says of it.
    product
        The linearizer of its detector.
    before
        What was certified, if anything was.
    transfer
        Photon transfer of the detector that is in force, if there is one.
    """

    amplifier: Amplifier
    product: Linearizer
    before: Linearizer | None = None
    transfer: PhotonTransferCurve | None = None

    @cached_property
    def now(self) -> AmplifierLinearity | None:
        """What the linearizer says of it."""
        return self.product.amplifier(self.amplifier.name)

    @cached_property
    def known(self) -> AmplifierLinearity:
        """The same, of an amplifier that is determined; ValueError if it is not."""
        if self.now is None or self.problem:
            raise ValueError(self.problem)
        return self.now

    @cached_property
    def was(self) -> AmplifierLinearity | None:
        """What was certified of it, if that was determined."""
        found = None if self.before is None else self.before.amplifier(self.amplifier.name)
        return found if found is not None and found.determined else None

    @property
    def problem(self) -> str:
        """Why it is not determined; empty if it is."""
        if self.now is None:
            return "the product lacks it"
        return "" if self.now.determined else self.now.reason or "no reason is given"

    @cached_property
    def model(self) -> LinearityModel:
        """The correction."""
        return unpack_model(self.known.model, self.known.parameters)

    @cached_property
    def model_before(self) -> LinearityModel | None:
        """The correction that was certified, if it was determined."""
        return None if self.was is None else unpack_model(self.was.model, self.was.parameters)

    @property
    def full_well(self) -> float:
        """What departures are shares of: the largest signal that the correction was made for."""
        return self.known.maximum if np.isfinite(self.known.maximum) else nan

    @property
    def per_adu(self) -> float:
        """One adu in the linearizer's unit."""
        return self.amplifier.gain if self.product.unit == "electron" else 1.0


type ProductSubject = TransferSubject | LinearitySubject
