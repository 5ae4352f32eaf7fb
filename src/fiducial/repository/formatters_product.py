"""How the middleware stores every other product: FITS, read by the class that its kind names."""

from __future__ import annotations

from typing import ClassVar

from astropy.io import fits

from fiducial.products.base import Product, product_hdus, read_product
from fiducial.repository.integrity import verify_certified
from fiducial.repository.staging import StagedFormatter
from fiducial.repository.storage import storage_errors


class ProductFormatter(StagedFormatter):
    """Reads and writes whatever `fiducial.products.base` knows; never a pickle."""

    default_extension: ClassVar[str | None] = ".fits"
    supported_extensions: ClassVar[frozenset[str]] = frozenset({".fits"})
    can_read_from_local_file: ClassVar[bool] = True

    def can_accept(self, in_memory_dataset: object) -> bool:
        """Whether the object says which kind of product it is."""
        return isinstance(in_memory_dataset, Product)

    def read_from_local_file(
        self, path: str, component: str | None = None, expected_size: int = -1
    ) -> Product:
        """Read the product with the class registered for the card ``FIDKIND``."""
        verify_certified(path, self.dataset_ref.id)
        with fits.open(path, memmap=False) as hdus:
            return read_product(hdus, path)

    def write_product(self, in_memory_dataset: Product, path: str) -> None:
        """Write the product's HDUs."""
        with storage_errors(self.file_descriptor.location.uri.ospath):
            product_hdus(in_memory_dataset).writeto(path, overwrite=True)
