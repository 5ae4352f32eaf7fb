"""Where the demonstration puts its files: never in place of somebody's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from fiducial.errors import UsageError
from fiducial.service.demonstration import FOLDERS, _make_room


def test_a_folder_of_somebody_is_left_alone(tmp_path: Path) -> None:
    # The name is one of ours, the frames are not.
    frame = tmp_path / "raw" / "b1.fits"
    frame.parent.mkdir()
    frame.write_text("photons")
    with pytest.raises(UsageError, match="holds raw, which no demonstration made"):
        _make_room(tmp_path)
    assert frame.read_text() == "photons"


def test_an_earlier_demonstration_is_replaced(tmp_path: Path) -> None:
    home = tmp_path / "new" / "demo"
    _make_room(home)
    for name in FOLDERS:
        (home / name).mkdir()
        (home / name / "old").touch()
    _make_room(home)
    assert not any((home / name).exists() for name in FOLDERS)


def test_what_was_put_beside_a_demonstration_stops_the_next(tmp_path: Path) -> None:
    _make_room(tmp_path)
    (tmp_path / "raw").mkdir()
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UsageError, match=r"holds notes\.txt"):
        _make_room(tmp_path)
    assert (tmp_path / "raw").is_dir()
