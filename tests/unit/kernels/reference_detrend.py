"""Detrending in plain numpy, one operation after the other on whole arrays."""

from __future__ import annotations

import numpy as np

from fiducial.kernels import Detrending, Linearity, MasterPlanes


def detrended(values, steps: Detrending, masters: MasterPlanes, mask_type):
    """Image, variance or None, and mask of physical raw values, in float32 throughout."""
    image = values.astype(np.float32)
    if steps.row_level is not None:
        image -= steps.row_level[:, np.newaxis]
    if steps.column_level is not None:
        image -= steps.column_level
    if steps.linearity is not None:
        image = _linear(image, steps.linearity)
    image *= np.float32(steps.gain)
    mask = _marked(values, steps.limits, mask_type)
    row = column = None
    if steps.noise is not None:
        row, column = steps.noise.row, steps.noise.column
    if steps.flip_y:
        image, mask, row = image[::-1], mask[::-1], None if row is None else row[::-1]
    if steps.flip_x:
        image, mask, column = image[:, ::-1], mask[:, ::-1], None if column is None else column[::-1]
    if masters.bias is not None:
        image = image - masters.bias
    variance = None
    if steps.noise is not None:
        factor = steps.noise.factor
        variance = np.zeros_like(image)
        if factor is not None:
            variance = np.maximum(image, np.float32(0)) * np.float32(factor)
        variance = variance + row[:, np.newaxis]
        if column is not None:
            variance = variance + column
    if masters.dark is not None:
        image = image - masters.dark * np.float32(steps.time)
    inverse = masters.inverse_flat
    if inverse is not None:
        image = image * inverse
    if variance is not None:
        if inverse is not None:
            variance = variance * (inverse * inverse)
        if (shared := _shared(image, steps.time, masters)) is not None:
            variance = variance + shared
    if masters.mask is not None:
        mask = mask | masters.mask
    if steps.nan is not None:
        odd = ~np.isfinite(image)
        image = np.where(odd, np.float32(np.nan), image)
        mask = np.where(odd & ((mask & steps.nan.explained) == 0), mask | steps.nan.bit, mask)
    return image, variance, mask.astype(mask_type)


def _linear(x, linearity: Linearity):
    if linearity.polynomial is not None:
        total = np.full_like(x, linearity.polynomial[-1])
        for coefficient in linearity.polynomial[-2::-1]:
            total = total * x + coefficient
        x = x + x * x * total
    if linearity.table is not None:
        at = (x - np.float32(linearity.start)) * np.float32(1 / linearity.step)
        at = np.where(at > 0, at, np.float32(0))
        at = np.minimum(at, np.float32(linearity.table.size - 1))
        low = at.astype(int)
        high = np.minimum(low + 1, linearity.table.size - 1)
        first, last = linearity.table[low], linearity.table[high]
        x = x + (first + (last - first) * (at - low.astype(np.float32)))
    return x


def _marked(values, limits, mask_type):
    mask = np.zeros(values.shape, mask_type)
    near = values >= limits.suspect
    mask[near] |= mask_type(limits.suspect_bit)
    mask[near & (values >= limits.saturation)] |= mask_type(limits.saturation_bit)
    return mask


def _shared(image, time, masters: MasterPlanes):
    shared = None
    for plane, factor in ((masters.bias_variance, 1.0), (masters.dark_variance, time**2)):
        if plane is not None:
            own = plane * np.float32(factor)
            shared = own if shared is None else shared + own
    if masters.flat_variance is not None:
        own = image * image * masters.flat_variance
        shared = own if shared is None else shared + own
    if shared is not None and masters.inverse_flat is not None:
        shared = shared * (masters.inverse_flat * masters.inverse_flat)
    return shared
