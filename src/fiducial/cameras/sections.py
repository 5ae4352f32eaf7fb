"""FITS sections as values of a camera file."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from fiducial.cameras.regions import SECTION, Region


def _validate(value: Any) -> Region:
    if isinstance(value, Region):
        return value
    if isinstance(value, str):
        return Region.parse(value)
    raise ValueError(f"{value!r} is not a FITS section like [1:1024,1:350]")


type Section = Annotated[
    Region,
    BeforeValidator(_validate),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": SECTION.pattern}),
]
