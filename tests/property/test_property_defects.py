"""Masks come back from their boxes exactly, and two sets differ by what their pixels say."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fiducial.products.boxes import boxes_of, paint_boxes
from fiducial.products.defects import DefectSet
from fiducial.products.defects_comparison import compare_defects

MASKS = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda shape: st.tuples(arrays(bool, shape), arrays(bool, shape))
)


@settings(max_examples=300)
@given(MASKS)
def test_a_mask_comes_back_and_its_boxes_do_not_overlap(pair: tuple[np.ndarray, np.ndarray]) -> None:
    mask, _ = pair
    boxes = boxes_of(mask)
    assert np.array_equal(paint_boxes(boxes, mask.shape), mask)
    assert int(np.sum(boxes[:, 2] * boxes[:, 3])) == mask.sum()
    # Never more boxes than runs along the columns, or along the rows.
    runs = [
        int(np.sum(np.diff(np.pad(m.astype(int), ((1, 0), (0, 0))), axis=0) == 1)) for m in (mask, mask.T)
    ]
    assert len(boxes) <= min(runs)


@settings(max_examples=40)
@given(MASKS)
def test_old_and_what_appeared_without_what_went_is_new(pair: tuple[np.ndarray, np.ndarray]) -> None:
    old, new = (
        DefectSet.from_masks({"hot": mask}, instrument="X", detector=0, shape=mask.shape) for mask in pair
    )
    found = compare_defects(new, old)
    assert np.array_equal((old.mask() & ~found.went.mask()) | found.appeared.mask(), new.mask())
    assert np.array_equal(old.joined([new]).mask(), pair[0] | pair[1])
    back = DefectSet.from_hdus(new.to_hdus())
    assert np.array_equal(back.mask(), pair[1])
