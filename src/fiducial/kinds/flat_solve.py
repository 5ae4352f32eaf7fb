"""The levels of all detectors solved together: what each exposure is divided by."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from lsst.pex.config import ChoiceField
from lsst.pipe.base import PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct
from lsst.pipe.base import connectionTypes as cT

from fiducial.algorithms.flat import solve_levels
from fiducial.kinds.level_table import ScaleRow, matrix, read_levels, scale_table

if TYPE_CHECKING:
    from numpy.typing import NDArray


class FlatSolveConnections(PipelineTaskConnections, dimensions=("instrument", "physical_filter")):
    """Levels of all detectors in, scales out."""

    levels = cT.Input(
        doc="Level of each exposure on each amplifier.",
        name="flatLevels",
        storageClass="ArrowTable",
        dimensions=("instrument", "detector", "physical_filter"),
        multiple=True,
    )
    scales = cT.Output(
        doc="What each exposure's amplifiers are divided by.",
        name="flatScales",
        storageClass="ArrowTable",
        dimensions=("instrument", "physical_filter"),
    )


class FlatSolveConfig(PipelineTaskConfig, pipelineConnections=FlatSolveConnections):
    """Settings of the solution."""

    normalise = ChoiceField[str](
        doc="What is divided by a level of its own, in each exposure.",
        default="exposure",
        allowed={
            "exposure": "every exposure as a whole: detectors and amplifiers must keep their ratios",
            "detector": "every detector: the light may move between detectors from exposure to exposure",
            "amplifier": "every amplifier: gains may change from exposure to exposure",
        },
    )


class FlatSolveTask(PipelineTask):
    """Separate levels into exposures and responses, and say what each frame is to be divided by.

    Whatever is normalised, detectors and amplifiers keep their mean response in the flat: the
    level of the focal plane is kept, with a weighted mean logarithm of 0.
    """

    ConfigClass = FlatSolveConfig
    _DefaultName = "flatSolve"
    config: FlatSolveConfig

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        """Gather, solve, write."""
        butlerQC.put(self.run(butlerQC.get(inputRefs)["levels"]), outputRefs)

    def run(self, levels: Sequence[Any]) -> Struct:
        """Solve.

        Parameters
        ----------
        levels
            Arrow tables, one a detector.

        Returns
        -------
        Struct
            ``scales``: an Arrow table with a row per exposure, detector and amplifier.

        Raises
        ------
        AlgorithmError
            Nothing was measured, or the exposures have nothing in common.
        """
        rows = read_levels(levels)
        exposures, units, level, weight = matrix(rows)
        solved = solve_levels(level, weight)
        scale = _scales(self.config.normalise, units, solved.exposure, solved.residual, weight)
        return Struct(
            scales=scale_table(
                ScaleRow(exposure, detector, amp, float(scale[k, i]), float(solved.residual[k, i]))
                for k, exposure in enumerate(exposures)
                for i, (detector, amp) in enumerate(units)
            )
        )


def _scales(
    normalise: str,
    units: Sequence[tuple[int, str]],
    exposure: "NDArray[np.float64]",
    residual: "NDArray[np.float64]",
    weight: "NDArray[np.float64]",
) -> "NDArray[np.float64]":
    """(n_exposure, n_unit): the exposure's level, and with it the part of the residual that is normalised."""
    own = np.zeros_like(residual)
    if normalise == "amplifier":
        own = np.nan_to_num(residual)
    elif normalise == "detector":
        known = np.where(np.isfinite(residual), weight, 0.0)
        for detector in {detector for detector, _ in units}:
            of = np.array([d == detector for d, _ in units])
            total = known[:, of].sum(axis=1)
            mean = np.sum(known[:, of] * np.nan_to_num(residual[:, of]), axis=1) / np.maximum(total, 1e-300)
            own[:, of] = mean[:, None]
    scale: NDArray[np.float64] = exposure[:, None] * np.exp(own)
    scale[~np.isfinite(residual)] = np.nan
    return scale
