"""How the middleware stores calibration images: lossless FITS that other programs read too."""

from __future__ import annotations

import copy
import math
from typing import Any, ClassVar

from astropy.io import fits
from lsst.images import MaskedImage
from lsst.images.fits import ExtensionKey, FitsCompressionOptions, FitsOpaqueMetadata
from lsst.images.formatters import GenericFormatter
from lsst.resources import ResourcePath

from fiducial.errors import ConfigurationError
from fiducial.repository.compression import LosslessCompression
from fiducial.repository.integrity import verify_certified
from fiducial.repository.staging import StagedFormatter
from fiducial.repository.storage import storage_errors
from fiducial.repository.whole_mask import WholeMask, read_whole

_RECIPES = ("default", "lossless")

# astropy's CCDData takes a variance for a standard deviation unless it is told.
_UNCERTAINTY_TYPE = ("UTYPE", "VarianceUncertainty", "what this plane is, for astropy CCDData")


class CalibrationImageFormatter(StagedFormatter, GenericFormatter):
    """Writes image, int32 mask and variance, and the science metadata as FITS cards too.

    Uncompressed unless the repository's configuration asks for the recipe ``lossless``, here for one type
    of dataset::

        datastore:
          formatters:
            detrended:
              formatter: fiducial.repository.formatters_image.CalibrationImageFormatter
              parameters: {recipe: lossless}

    That takes less than half the room for twice the time, and the pixels come back bit by bit. The
    middleware's own recipes for floats can be lossy and are not taken.
    """

    supported_extensions: ClassVar[frozenset[str]] = frozenset({".fits"})
    supported_write_parameters: ClassVar[frozenset[str]] = frozenset({"recipe"})

    _metadata: dict[str, Any]

    def write_product(self, in_memory_dataset: MaskedImage, path: str) -> None:
        """Write the three planes; a full disk or a read-only folder is a `StorageError`."""
        self._metadata = dict(in_memory_dataset.metadata)
        labelled = copy.copy(in_memory_dataset)
        labelled._opaque_metadata = _labels()
        labelled._mask = WholeMask.of(in_memory_dataset.mask)
        with storage_errors(self.file_descriptor.location.uri.ospath):
            GenericFormatter.write_local_file(self, labelled, ResourcePath(path))

    def read_from_uri(self, uri: ResourcePath, component: str | None = None, expected_size: int = -1) -> Any:
        """Read a part, after the checksum of a certified file was found right."""
        if uri.isLocal:
            verify_certified(uri.ospath, self.dataset_ref.id)
        return super().read_from_uri(uri, component, expected_size)

    def read_from_local_file(self, path: str, component: str | None = None, expected_size: int = -1) -> Any:
        """Read all or a part, after the checksum of a certified file was found right."""
        verify_certified(path, self.dataset_ref.id)
        if component is None and not self.file_descriptor.parameters:
            return read_whole(path)
        return super().read_from_local_file(path, component, expected_size)

    def _get_compression_options(self) -> dict[str, FitsCompressionOptions]:
        recipe = self.write_parameters.get("recipe", "default")
        if recipe not in _RECIPES:
            raise ConfigurationError(
                f"image products have no recipe {recipe!r}",
                hint=f"There are {' and '.join(_RECIPES)}; datastore.formatters in butler.yaml names one.",
            )
        # None means "no compression" to the writer, which its annotation does not say.
        options: Any = LosslessCompression() if recipe == "lossless" else None
        return dict.fromkeys(("image", "mask", "variance"), options)

    def _update_header(self, header: fits.Header) -> None:
        super()._update_header(header)
        for key, value in self._metadata.items():
            name = key if len(key) <= 8 and " " not in key else f"HIERARCH {key}"
            header[name] = _card_value(value)


def _labels() -> FitsOpaqueMetadata:
    labels = FitsOpaqueMetadata()
    labels.headers[ExtensionKey()] = fits.Header()
    labels.headers[ExtensionKey("VARIANCE")] = fits.Header([_UNCERTAINTY_TYPE])
    return labels


def _card_value(value: Any) -> Any:
    """FITS has no card for NaN and infinity; the metadata table keeps them exactly."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
