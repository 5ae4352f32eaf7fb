"""A mask that is written as it is: the library's own writing sorts its planes anew, one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
from lsst.images import Mask, MaskSchema, MaskSerializationModel
from lsst.images.serialization import NumberType


class WholeMask(Mask):
    """A mask of one int32 per pixel whose planes follow each other from the lowest bit on.

    Its file is that of the `lsst.images.Mask` with the same planes, byte by byte; only the way there is
    shorter, by half of the time that a product of three planes takes to write.
    """

    @classmethod
    def of(cls, mask: Mask) -> Mask:
        """The same mask, sharing its pixels; as it was where it has other planes."""
        if not _is_whole(mask.schema):
            return mask
        return cls(mask.array, schema=mask.schema, bbox=mask.bbox, sky_projection=mask.sky_projection)

    def serialize(self, archive: Any, *, save_projection: bool = True, **details: Any) -> Any:
        """Write the pixels as they are."""
        if save_projection and self.sky_projection is not None:
            return super().serialize(archive, save_projection=save_projection, **details)
        (schema,) = self.schema.split(np.int32)
        return MaskSerializationModel.model_construct(
            data=[self.view(schema=schema)._serialize_2d(archive, **details)],
            yx0=list(self.bbox.start),
            planes=list(self.schema),
            dtype=NumberType.int32,
            sky_projection=None,
            metadata=self._metadata,
        )


def _is_whole(schema: MaskSchema) -> bool:
    named = [plane for plane in schema if plane is not None]
    return schema.dtype == np.int32 and schema.mask_size == 1 and list(schema)[: len(named)] == named
