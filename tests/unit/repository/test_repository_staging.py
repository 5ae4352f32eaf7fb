"""Files of products are written while the registry is free, and nothing of them stays if that fails."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lsst.daf.butler import DatasetRef

from fiducial.products.images import content_hash
from fiducial.repository import Repository
from fiducial.repository.formatters_image import CalibrationImageFormatter
from fiducial.repository.staging import StagingButler
from repository_frames import calibration, put_bias

RUN = "TinyCam/test"


def a_ref(repository: Repository) -> DatasetRef:
    repository.butler.collections.register(RUN)
    data = repository.butler.registry.expandDataId(instrument="TinyCam", detector=0)
    return DatasetRef(repository.butler.get_dataset_type("bias"), data, run=RUN)


def is_free(repository: Repository) -> bool:
    """Whether another process could write into the registry now."""
    (file,) = Path(repository.root).glob("*.sqlite3")
    other = sqlite3.connect(file, timeout=0, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    finally:
        other.close()
    return True


def files_of(repository: Repository) -> list[str]:
    return sorted(path.name for path in (Path(repository.root) / RUN).rglob("*") if path.is_file())


@pytest.mark.parametrize("ahead", [False, True])
def test_the_registry_is_free_while_a_file_is_written(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, ahead: bool
) -> None:
    free: list[bool] = []
    write = CalibrationImageFormatter.write_product

    def watched(self: Any, dataset: Any, path: str) -> None:
        free.append(is_free(repository))
        write(self, dataset, path)

    monkeypatch.setattr(CalibrationImageFormatter, "write_product", watched)
    ref = a_ref(repository)
    butler: Any = StagingButler(repository.butler) if ahead else repository.butler
    butler.put(calibration(), ref, provenance=None)
    assert free == [ahead]
    assert content_hash(repository.butler.get(ref)) == content_hash(calibration())
    assert len(files_of(repository)) == 1


def test_the_file_is_the_same_but_for_its_dates(repository: Repository) -> None:
    ref = a_ref(repository)
    StagingButler(repository.butler).put(calibration(), ref)
    (plain,) = put_bias(repository, "TinyCam/plain", (0,))
    one, other = (Path(repository.butler.getURI(r).ospath) for r in (ref, plain))
    assert one.name.replace("test", "plain") == other.name
    assert one.stat().st_size == other.stat().st_size
    for mine, theirs in zip(
        *(repository.butler.get(r).image.array.ravel() for r in (ref, plain)), strict=True
    ):
        assert mine == theirs or np.isnan(mine)


def test_a_file_that_cannot_be_written_leaves_nothing(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Any, dataset: Any, path: str) -> None:
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(CalibrationImageFormatter, "write_product", fails)
    ref = a_ref(repository)
    with pytest.raises(OSError, match="No space left"):
        StagingButler(repository.butler).put(calibration(), ref)
    assert files_of(repository) == []
    assert not repository.butler.exists(ref)


def test_a_put_that_is_refused_leaves_the_file_of_the_first(repository: Repository) -> None:
    ref = a_ref(repository)
    butler = StagingButler(repository.butler)
    butler.put(calibration(), ref)
    before = files_of(repository)
    with pytest.raises(Exception, match="already"):
        butler.put(calibration(1), ref)
    assert files_of(repository) == before
    assert content_hash(repository.butler.get(ref)) == content_hash(calibration())
    assert butler.dimensions is repository.butler.dimensions
