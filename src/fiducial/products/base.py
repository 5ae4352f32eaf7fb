"""Products that are not images: how each writes itself to FITS, and how its class is found again."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import Protocol, Self, cast, runtime_checkable

from astropy.io import fits

from fiducial.errors import IntegrityError

KIND = "FIDKIND"
SCHEMA = "FIDSCHEM"
_BUILT_IN = {
    "defects": "fiducial.products.defects:DefectSet",
    "linearizer": "fiducial.products.linearizer:Linearizer",
    "ptc": "fiducial.products.ptc:PhotonTransferCurve",
    "residuals": "fiducial.products.residuals:ResidualStack",
}
"""Where the class of a kind is; plug-ins name theirs in the entry-point group ``fiducial.products``."""

_registered: dict[str, type[Product]] = {}


@runtime_checkable
class Product(Protocol):
    """What a product class can do; its primary header names its kind and the version of its layout."""

    def to_hdus(self) -> fits.HDUList:
        """Everything the product holds; ``FIDKIND`` and ``FIDSCHEM`` stand in the primary header."""
        ...

    @classmethod
    def from_hdus(cls, hdus: fits.HDUList) -> Self:
        """The product again, from what `to_hdus` gave; ValueError if it cannot be."""
        ...


def register_product[P](kind: str) -> Callable[[type[P]], type[P]]:
    """Class decorator: files whose card ``FIDKIND`` is this kind are read by this class.

    Raises
    ------
    ValueError
        If another class has the kind already.
    """

    def register(cls: type[P]) -> type[P]:
        known = _registered.get(kind)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise ValueError(f"products of kind {kind!r} are read by {known.__qualname__} already")
        _registered[kind] = cast("type[Product]", cls)
        return cls

    return register


def product_hdus(product: Product) -> fits.HDUList:
    """The HDUs of a product, which are known to be readable again.

    Raises
    ------
    ValueError
        If nothing reads products of its kind: it is not registered.
    """
    hdus = product.to_hdus()
    kind = hdus[0].header.get(KIND)
    if not isinstance(kind, str) or _class_of(kind) is None:
        raise ValueError(f"{type(product).__qualname__}: nothing reads products of kind {kind!r}")
    return hdus


def read_product(hdus: fits.HDUList, source: str) -> Product:
    """The product that a file holds.

    Raises
    ------
    IntegrityError
        If the file names no kind, one that nothing reads, or a layout that cannot be read.
    """
    kind = hdus[0].header.get(KIND)
    if not isinstance(kind, str):
        raise IntegrityError(f"{source}: no card {KIND}", hint="The file was not written by fiducial.")
    cls = _class_of(kind)
    if cls is None:
        raise IntegrityError(
            f"{source}: nothing reads products of kind {kind!r}",
            hint="Install the plug-in that made it, or a newer fiducial.",
        )
    try:
        return cls.from_hdus(hdus)
    except (ValueError, KeyError) as error:
        raise IntegrityError(
            f"{source}: not a {kind} that can be read: {error}", hint="Install a newer fiducial."
        ) from error


def _class_of(kind: str) -> type[Product] | None:
    if kind not in _registered and kind in _BUILT_IN:
        module, _, name = _BUILT_IN[kind].partition(":")
        _registered[kind] = getattr(import_module(module), name)
    if kind not in _registered:
        for entry_point in entry_points(group="fiducial.products", name=kind):
            register_product(kind)(entry_point.load())
    return _registered.get(kind)
