"""Defects: the pixels that are not to be used, found in the masters of one detector."""

from collections.abc import Iterable, Sequence
from typing import Any

from lsst.pex.config import ConfigField, Field
from lsst.pipe.base import PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct
from lsst.pipe.base import connectionTypes as cT

from fiducial.algorithms.defects import find_defects
from fiducial.cameras.model import Camera
from fiducial.corrections.defect_masters import ChooseAny, candidates_of_detector
from fiducial.corrections.masters import Master
from fiducial.kinds.connections import camera_input, raw_frames
from fiducial.kinds.defects_config import SearchConfig
from fiducial.kinds.defects_product import defects_product, join_manual, planes_for, windows_of


def _masters(kind: str, *dimensions: str) -> cT.PrerequisiteInput:
    return cT.PrerequisiteInput(
        doc=f"Master {kind}; may be missing.",
        name=kind,
        storageClass="CalibrationImage",
        dimensions=("instrument", "detector", *dimensions),
        isCalibration=True,
        multiple=True,
        minimum=0,
        lookupFunction=candidates_of_detector,
    )


class DefectsConnections(ChooseAny, PipelineTaskConnections, dimensions=("instrument", "detector")):
    """The masters of a detector in, its defects out; which masters are valid, exposures say."""

    masters_of_exposures = ("bias", "dark", "flat")
    one_of = ("dark", "flat")

    raws = raw_frames("Exposures for whose time masters have to be valid. Not read.")
    camera = camera_input()
    bias = _masters("bias")
    dark = _masters("dark")
    flat = _masters("flat", "physical_filter")
    defects = cT.Output(
        doc="Defects of the detector.",
        name="defects",
        storageClass="FiducialProduct",
        dimensions=("instrument", "detector"),
        isCalibration=True,
    )


class DefectsConfig(PipelineTaskConfig, pipelineConnections=DefectsConnections):
    """Settings of the defects."""

    search: Any = ConfigField(doc="What a defect is.", dtype=SearchConfig)
    manual = Field[str](
        doc="A table (.ecsv, .csv) or product (.fits) of defects that are known anyway.", default=""
    )


class DefectsTask(PipelineTask):
    """Find the defects of one detector in all its masters, and join those that are known anyway."""

    ConfigClass = DefectsConfig
    _DefaultName = "defects"
    config: DefectsConfig

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        """Gather, search, write."""
        outputs = self.run(
            camera=butlerQC.get(inputRefs.camera),
            detector=int(butlerQC.quantum.dataId["detector"]),
            masters=[
                Master(kind, butlerQC.get(ref), str(ref.id))
                for kind in ("bias", "dark", "flat")
                for ref in _sorted(getattr(inputRefs, kind, ()))
            ],
        )
        butlerQC.put(outputs, outputRefs)

    def run(self, *, camera: Camera, detector: int, masters: Sequence[Master]) -> Struct:
        """Find defects.

        Parameters
        ----------
        camera, detector
            Whose.
        masters
            Any number of each kind, one at least; in adu or electrons.

        Returns
        -------
        Struct
            ``defects``: a `~fiducial.products.defects.DefectSet`.

        Raises
        ------
        AlgorithmError
            No master has a usable pixel.
        CalibrationMismatch
            A master is of another detector or shape.
        ConfigurationError
            The manual defects cannot be read, or are of another detector.
        """
        settings = self.config.search.settings()
        windows = windows_of(camera, detector)
        planes = [planes_for(master, camera, detector) for master in masters]
        found = find_defects(planes, windows, settings)
        product = defects_product(found, masters, planes, settings, camera, detector)
        product = join_manual(product, self.config.manual, camera, detector)
        for note in found.notes:
            self.log.warning("%s", note)
        self.log.info("detector %d: %s", detector, product.counts())
        return Struct(defects=product)


def _sorted(refs: Iterable[Any]) -> list[Any]:
    """In order of filters: the same product whatever the order of look-ups."""
    return sorted(refs, key=lambda ref: str(dict(ref.dataId.required)))
