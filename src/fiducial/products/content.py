"""The content of a product that is no image, as one hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from fiducial.products.metadata import RUN


def hash_of(product: Any) -> str:
    """SHA-256 over everything in a product but what tells of the run: equal for equal content.

    Parameters
    ----------
    product
        A dataclass of numbers, texts, arrays, tuples, mappings and further dataclasses.
    """
    digest = hashlib.sha256()
    _feed(digest, product)
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        little = value.dtype.newbyteorder("<")
        digest.update(f"{little.str}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value, dtype=little).tobytes())
    elif isinstance(value, Mapping):
        for key in sorted(key for key in value if not key.startswith(RUN)):
            digest.update(f"{key}={value[key]!r}\n".encode())
    elif isinstance(value, tuple):
        digest.update(f"{len(value)} of".encode())
        for one in value:
            _feed(digest, one)
    elif is_dataclass(value):
        for field in fields(value):
            digest.update(f"{field.name}:".encode())
            _feed(digest, getattr(value, field.name))
    else:
        digest.update(f"{value!r};".encode())
