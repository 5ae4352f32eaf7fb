from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

import frames_files
from fiducial.errors import LayoutMismatch, RepositoryError, StorageError, UnreadableFrame
from fiducial.frames.atomic import atomic_write
from fiducial.frames.checksum import sha256_of
from fiducial.frames.masters import read_master
from fiducial.frames.scan import scan_frame
from fiducial.frames.tables import record_schema, records_from_arrow, records_to_arrow


def scanned(tmp_path: Path, **changes: object) -> Path:
    path = tmp_path / f"bias-{changes.get('SEQNUM', 7)}.fits"
    path.write_bytes(frames_files.plain(**frames_files.CARDS | changes))
    return path


def test_scan_gives_hash_facts_and_content(tmp_path: Path) -> None:
    path = scanned(tmp_path)
    (record,) = scan_frame(path, frames_files.camera())
    assert record.sha256 == hashlib.sha256(path.read_bytes()).hexdigest() == sha256_of(path)
    assert (record.size, record.file) == (path.stat().st_size, str(path))
    assert (record.exposure, record.detector, record.facts.frame_type) == (2026011500007, 0, "bias")
    assert [a.amplifier for a in record.content] == ["A", "B"]
    assert record.signal() == pytest.approx(0.0, abs=3.0)


def test_records_survive_the_table_and_are_sorted(tmp_path: Path) -> None:
    camera = frames_files.camera()
    records = [r for k in (9, 7, 8) for r in scan_frame(scanned(tmp_path, SEQNUM=k), camera)]
    table = records_to_arrow(records)
    assert table.schema == record_schema()
    assert records_from_arrow(table) == sorted(records, key=lambda r: r.exposure)
    assert records_to_arrow(reversed(records)).equals(table)
    assert records_from_arrow(records_to_arrow([])) == []


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    table = records_to_arrow(scan_frame(scanned(tmp_path), frames_files.camera()))
    with pytest.raises(RepositoryError, match="no column facts"):
        records_from_arrow(table.drop_columns(["facts"]))
    import pyarrow

    broken = table.set_column(table.column_names.index("facts"), "facts", pyarrow.array(["{}"]))
    with pytest.raises(RepositoryError, match="makes no sense"):
        records_from_arrow(broken)


def test_atomic_write_replaces_whole_files_only(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "product.fits"
    with atomic_write(target) as part:
        part.write_text("one")
        assert not target.exists()
    assert target.read_text() == "one"
    with pytest.raises(TypeError), atomic_write(target) as part:
        part.write_text("half") + "of it"
    assert target.read_text() == "one"
    assert list(target.parent.iterdir()) == [target]


def test_atomic_write_names_what_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StorageError, match="product cannot be written") as caught,
        atomic_write(tmp_path / "file" / "product") as part,
    ):
        part.write_text("")
    assert "file stands where a folder" in caught.value.hint.lower()


def test_checksum_of_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFrame, match="absent"):
        sha256_of(tmp_path / "absent")


def test_masters_with_their_planes(tmp_path: Path) -> None:
    image = np.random.default_rng(0).normal(0, 1, (6, 8)).astype(np.float32)
    sigma = np.full((6, 8), 2.0, np.float32)
    mask = np.arange(48, dtype=np.int32).reshape(6, 8)
    planes = [fits.ImageHDU(sigma, name="ERR"), fits.ImageHDU(mask, name="DQ")]
    path = tmp_path / "master.fits"
    path.write_bytes(frames_files.to_bytes(fits.PrimaryHDU(), *planes, fits.ImageHDU(image, name="SCI")))
    master = read_master(path)
    np.testing.assert_array_equal(master.image, image)
    assert master.variance is not None
    assert (master.variance == 4.0).all()
    assert master.mask is not None
    np.testing.assert_array_equal(master.mask, mask)
    assert master.header["EXTNAME"] == "SCI"
    path.write_bytes(frames_files.plain(image))
    bare = read_master(path)
    assert bare.variance is None
    assert bare.mask is None


def test_a_master_whose_planes_differ_in_shape_is_refused(tmp_path: Path) -> None:
    image, variance = np.zeros((6, 8), np.float32), np.zeros((6, 7), np.float32)
    path = tmp_path / "master.fits"
    path.write_bytes(frames_files.to_bytes(fits.PrimaryHDU(image), fits.ImageHDU(variance, name="VARIANCE")))
    with pytest.raises(LayoutMismatch, match="VARIANCE"):
        read_master(path)
    with pytest.raises(LayoutMismatch, match=r"an image in HDU SCI is expected"):
        read_master(path, hdu="SCI")
