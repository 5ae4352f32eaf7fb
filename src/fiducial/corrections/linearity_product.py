"""From fits to a linearizer, and from a linearizer to models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fiducial.algorithms.linearity_double import DoubleFit
from fiducial.algorithms.linearity_packing import pack_model, unpack_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fiducial.algorithms.arrays import Float64, Numbers
    from fiducial.algorithms.linearity_fit import LinearityFit
    from fiducial.algorithms.linearity_models import LinearityModel
    from fiducial.products.linearizer import AmplifierLinearity, Linearizer

_POINTS = 65  # signals at which the correction's error is told


@dataclass(frozen=True, eq=False)
class MeasuredLevels:
    """What was fitted: exposures (n,), their abscissa (n,), signals and errors (n, n_amplifier)."""

    exposures: Sequence[int]
    abscissa: Float64
    signals: Float64
    errors: Float64
    groups: Numbers | None = None


def linearizer_of(
    fits: Sequence[LinearityFit | DoubleFit],
    names: Sequence[str],
    levels: MeasuredLevels,
    *,
    detector: int,
    unit: str,
    abscissa: str,
    metadata: Mapping[str, str | int | float | bool],
) -> Linearizer:
    """The product of a detector's fits, amplifiers by name in their order."""
    from fiducial.products.linearizer import Linearizer  # long to import

    amplifiers = [
        _amplifier(fit, name, levels, number)
        for number, (fit, name) in enumerate(zip(fits, names, strict=True))
    ]
    return Linearizer(
        detector,
        unit,
        abscissa,
        np.asarray(levels.exposures, np.int64),
        tuple(amplifiers),
        dict(metadata),
    )


def models_of(product: Linearizer) -> dict[str, LinearityModel | None]:
    """The model of each amplifier by name; None where it is not determined.

    Raises
    ------
    ValueError
        Numbers that make no model.
    """
    return {
        one.name: unpack_model(one.model, one.parameters) if one.determined else None
        for one in product.amplifiers
    }


def _amplifier(
    fit: LinearityFit | DoubleFit, name: str, levels: MeasuredLevels, number: int
) -> AmplifierLinearity:
    """Levels, residuals and quality are those against the light, or against the reference amplifier."""
    from fiducial.products.linearizer import AmplifierLinearity

    step = (fit.relative or fit.absolute) if isinstance(fit, DoubleFit) else fit
    kind, parameters = pack_model(fit.model)
    signal = levels.signals[:, number]
    groups = np.zeros(len(signal)) if levels.groups is None else levels.groups
    at = np.linspace(0.0, fit.model.maximum, _POINTS) if fit.determined else np.zeros(0)
    return AmplifierLinearity(
        name=name,
        determined=fit.determined,
        reason=fit.reason,
        model=kind,
        parameters=parameters,
        maximum=fit.model.maximum,
        reference=step.reference,
        stability=step.stability,
        chi2=step.chi2,
        freedom=step.freedom,
        signal=np.asarray(signal, np.float64),
        error=np.asarray(levels.errors[:, number], np.float64),
        abscissa=np.asarray(levels.abscissa, np.float64),
        group=np.asarray(groups, np.int32),
        used=step.used,
        outlier=step.outlier,
        residual=step.residual,
        error_signal=at,
        error_correction=fit.correction_error(at),
    )
