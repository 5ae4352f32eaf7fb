"""Sets of defects: boxes, unions, files, tables, comparisons."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from fiducial.errors import ConfigurationError
from fiducial.products.base import product_hdus, read_product
from fiducial.products.boxes import boxes_of, paint_boxes
from fiducial.products.defects import DefectSet
from fiducial.products.defects_comparison import compare_defects
from fiducial.products.defects_table import read_defects, write_defects

SHAPE = (40, 60)


def masks() -> dict[str, np.ndarray]:
    out = {name: np.zeros(SHAPE, bool) for name in ("hot", "column", "dust")}
    out["hot"][[3, 7], [5, 50]] = True
    out["column"][:, 20:22] = True
    out["dust"][30:35, 40:45] = True
    return out


def example(**more: Any) -> DefectSet:
    return DefectSet.from_masks(
        masks(),
        instrument="SimCam",
        detector=1,
        shape=SHAPE,
        metadata={"FID KIND": "defects", "FID NOTE": "long " * 40, "FID LIMIT": 3.5, **more},
    )


def test_columns_side_by_side_are_one_box() -> None:
    assert boxes_of(masks()["column"]).tolist() == [[20, 0, 2, 40]]


def test_edges_and_columns_stay_whole() -> None:
    edge = np.zeros((20, 30), bool)
    edge[:2] = edge[:, 4] = True
    edge[10, 20:25] = True
    boxes = boxes_of(edge)
    assert boxes.tolist() == [[0, 0, 30, 2], [4, 2, 1, 18], [20, 10, 5, 1]]
    assert np.array_equal(paint_boxes(boxes, edge.shape), edge)


def test_no_pixel_no_box() -> None:
    assert boxes_of(np.zeros((3, 4), bool)).shape == (0, 4)
    assert paint_boxes(np.zeros((0, 4), np.int32), (3, 4)).sum() == 0
    assert boxes_of(np.ones((3, 4), bool)).tolist() == [[0, 0, 4, 3]]


def test_masks_and_counts() -> None:
    defects = example()
    for name, mask in masks().items():
        assert np.array_equal(defects.mask_of(name), mask)
    assert defects.counts() == {"hot": 2, "column": 80, "dust": 25, "any": 82}  # dust masks nothing
    assert defects.counts((slice(0, 5), slice(0, 10))) == {"hot": 1, "column": 0, "dust": 0, "any": 1}


def test_fits_round_trip(tmp_path: Path) -> None:
    file = tmp_path / "defects.fits"
    product_hdus(example()).writeto(file)
    with fits.open(file) as hdus:
        back = read_product(hdus, str(file))
        assert hdus[0].header["HIERARCH FID LIMIT"] == 3.5
    assert isinstance(back, DefectSet)
    assert (back.instrument, back.detector, back.shape) == ("SimCam", 1, SHAPE)
    assert np.array_equal(back.boxes, example().boxes)
    assert back.reasons == example().reasons
    assert back.metadata == example().metadata
    empty = DefectSet("SimCam", 0, SHAPE, np.zeros((0, 4), np.int32), ())
    assert DefectSet.from_hdus(empty.to_hdus()).reasons == ()


def test_a_file_of_a_later_layout_is_refused() -> None:
    hdus = example().to_hdus()
    hdus[0].header["FIDSCHEM"] = 99
    with pytest.raises(ValueError, match="99"):
        DefectSet.from_hdus(hdus)


def test_ecsv_is_what_astropy_reads_and_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "defects.ecsv"
    write_defects(example(), file)
    table = Table.read(file)
    assert table.colnames == ["x0", "y0", "width", "height", "reason"]
    assert table.meta["DETECTOR"] == 1
    assert len(table) == 4
    back = read_defects(file, instrument="SimCam", detector=1, shape=SHAPE)
    assert np.array_equal(back.boxes, example().boxes)
    assert back.reasons == example().reasons
    write_defects(example(), tmp_path / "defects.fits")
    assert read_defects(tmp_path / "defects.fits").reasons == example().reasons


def test_manual_defects_need_four_columns_only(tmp_path: Path) -> None:
    file = tmp_path / "manual.csv"
    file.write_text("detector,x0,y0,width,height\n1,5,6,1,30\n0,1,1,1,1\n")
    found = read_defects(file, instrument="SimCam", detector=1, shape=SHAPE)
    assert found.boxes.tolist() == [[5, 6, 1, 30]]
    assert found.reasons == ("manual",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x0,y0,width\n1,2,3\n", "no column height"),
        ("x0,y0,width,height\n1,2,3,4\n1,2.5,3,4\n", "row 2, column y0: 2.5 is no whole number"),
        ("x0,y0,width,height\n1,2,x,4\n", "row 1, column width: x is no whole number"),
        ("x0,y0,width,height\n1,2,3,4\n1,,3,4\n", "row 2, column y0: nothing is there"),
        ("x0,y0,width,height\n58,2,3,4\n", "row 1, column width: 3 is not between 1 and 2"),
        ("x0,y0,width,height\n-1,2,3,4\n", "row 1, column x0: -1 is not between 0 and 59"),
        ("", "manual.csv: "),
    ],
)
def test_a_wrong_table_is_refused_by_file_row_and_column(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "manual.csv"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_defects(file, instrument="SimCam", detector=1, shape=SHAPE)
    assert "manual.csv: " in caught.value.message
    assert words in caught.value.message


def test_files_of_something_else_are_refused(tmp_path: Path) -> None:
    write_defects(example(), tmp_path / "a.ecsv")
    for wanted in ({"instrument": "ESIS"}, {"detector": 0}, {"shape": (4, 4)}):
        with pytest.raises(ConfigurationError, match=r"a\.ecsv"):
            read_defects(tmp_path / "a.ecsv", **wanted)
    (tmp_path / "b.fits").write_bytes(b"no FITS")
    (tmp_path / "c.csv").write_text("x0,y0,width,height\n1,2,3,4\n")
    for name in ("b.fits", "none.ecsv", "c.csv", "d.txt"):
        with pytest.raises(ConfigurationError, match=name):
            read_defects(tmp_path / name)
    with pytest.raises(ConfigurationError, match="there is no such file"):
        read_defects(tmp_path / "none.ecsv")
    with pytest.raises(ConfigurationError, match=r"d\.txt"):
        write_defects(example(), tmp_path / "d.txt")


def test_the_union_keeps_reasons() -> None:
    manual = DefectSet("SimCam", 1, SHAPE, np.array([[0, 0, 3, 2], [1, 1, 2, 1]], np.int32), ("manual",) * 2)
    both = example().joined([manual])
    assert both.counts() == {"hot": 2, "column": 80, "dust": 25, "manual": 6, "any": 88}
    assert both.metadata == example().metadata
    with pytest.raises(ValueError, match="detector 0"):
        example().joined([replace(manual, detector=0)])


def test_comparison_says_what_appeared_and_what_went() -> None:
    now = masks()
    now["hot"][3, 5] = False
    now["hot"][10, 10] = True
    now["column"][:5, 21] = False
    other = DefectSet.from_masks(now, instrument="SimCam", detector=1, shape=SHAPE)
    found = compare_defects(other, example())
    by_reason = {change.reason: change for change in found.changes}
    assert (by_reason["hot"].appeared, by_reason["hot"].went) == (1, 1)
    assert (by_reason["column"].before, by_reason["column"].now, by_reason["column"].went) == (80, 75, 5)
    assert (found.total.reason, found.total.before, found.total.now) == ("any", 82, 77)
    assert (found.total.appeared, found.total.went) == (1, 6)
    assert found.appeared.boxes.tolist() == [[10, 10, 1, 1]]
    assert sorted(found.went.boxes.tolist()) == [[5, 3, 1, 1], [21, 0, 1, 5]]
    assert found.pixels_went.sum() == 6
    assert not found.same
    assert compare_defects(example(), example()).same


@pytest.mark.parametrize("box", [[-1, 0, 1, 1], [0, 0, 0, 1], [59, 0, 2, 1], [0, 39, 1, 2]])
def test_boxes_lie_on_the_detector(box: list[int]) -> None:
    with pytest.raises(ValueError, match="not on the detector"):
        DefectSet("SimCam", 1, SHAPE, np.array([box], np.int32), ("hot",))
