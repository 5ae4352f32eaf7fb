"""Taking in raw frames."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from astropy.io import fits

from fiducial.errors import UsageError
from fiducial.repository import Repository
from repository_frames import exposure_id, tiny_camera, write_frame, write_night


def accounted(report: object) -> bool:
    return len(report.used) + len(report.already) + len(report.refused) == report.offered  # type: ignore[attr-defined]


def registry_rows(repository: Repository) -> dict[str, int]:
    """Rows of each table of the registry, to see whether anything was written."""
    with sqlite3.connect(repository.root / "gen3.sqlite3") as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]  # noqa: S608
            for table in tables
            if not table.startswith("sqlite_stat")
        }


def test_exposure_records_hold_every_fact(night: Repository) -> None:
    records = {r.id: r for r in night.butler.query_dimension_records("exposure")}
    assert sorted(records) == [exposure_id(n) for n in (1, 2, 3)]
    record = records[exposure_id(2)]
    assert record.obs_id == "T_20240326_00002"
    assert record.group == "T_20240326_00002"
    assert (record.day_obs, record.seq_num, record.seq_start, record.seq_end) == (20240326, 2, 2, 2)
    assert (record.exposure_time, record.dark_time) == (0.0, 0.0)
    assert (record.observation_type, record.physical_filter) == ("bias", "none")
    assert (record.target_name, record.science_program, record.observation_reason) == (
        "FlatField position",
        "unknown",
        "unknown",
    )
    assert (record.can_see_sky, record.has_simulated) == (False, False)
    assert record.timespan.begin.tai.isot.startswith("2024-03-26T20:00:02.000")
    # An instant is stored as the shortest span there is, 1 ns, so that calibrations are found for it.
    assert 0 < (record.timespan.end - record.timespan.begin).to_value("s") < 1e-8


def test_the_observing_day_spans_24_hours(night: Repository) -> None:
    (day,) = night.butler.query_dimension_records("day_obs")
    assert day.timespan.begin.utc.isot.startswith("2024-03-26T12:00:00.000")
    assert (day.timespan.end - day.timespan.begin).to_value("h") == pytest.approx(24)


def test_raws_are_read_through_the_chain(night: Repository, tmp_path: Path) -> None:
    raw = night.butler.get(
        "raw", instrument="TinyCam", exposure=exposure_id(1), detector=1, collections="TinyCam/raw/all"
    )
    with raw, fits.open(tmp_path / "raws" / "t20240326_00001_1.fits") as hdus:
        assert (raw.read(raw.images[0].index) == hdus[0].data).all()


def test_used_already_and_refused_make_up_the_offered(repository: Repository, tmp_path: Path) -> None:
    files = write_night(tmp_path / "raws")
    (tmp_path / "empty.fits").write_bytes(b"")
    (tmp_path / "text.fits").write_text("no FITS")
    whole = write_frame(tmp_path / "cut.fits", number=9).read_bytes()
    (tmp_path / "cut.fits").write_bytes(whole[: len(whole) // 2])
    bad = [tmp_path / name for name in ("empty.fits", "text.fits", "cut.fits", "nowhere.fits")]
    bad.append(write_frame(tmp_path / "other.fits", number=10, instrument="OtherCam"))
    bad.append(write_frame(tmp_path / "undated.fits", number=11, DATE_BEG=None))
    report = repository.ingest([*files, *bad])
    assert accounted(report)
    assert sorted(report.used) == sorted(map(str, files))
    assert [r.file for r in report.refused] == sorted(map(str, bad))
    for refusal in report.refused:
        assert refusal.reason
        assert refusal.hint
    assert {r.keyword for r in report.refused if r.file.endswith("undated.fits")} == {"DATE-BEG"}
    assert len(repository.records()) == 6


def test_ingesting_again_changes_nothing(night: Repository, tmp_path: Path) -> None:
    before = registry_rows(night)
    files = sorted((tmp_path / "raws").iterdir())
    report = night.ingest(files)
    assert (len(report.used), len(report.already), len(report.refused)) == (0, 6, 0)
    assert registry_rows(night) == before


def test_a_file_named_twice_is_one_file(repository: Repository, tmp_path: Path) -> None:
    file = write_frame(tmp_path / "a.fits")
    report = repository.ingest([file, file, os.path.relpath(file)])
    assert (len(report.used), len(report.already), report.offered) == (1, 2, 3)


def test_a_copy_is_there_already_and_other_content_is_refused(night: Repository, tmp_path: Path) -> None:
    original = tmp_path / "raws" / "t20240326_00001_0.fits"
    copy = tmp_path / "copy.fits"
    shutil.copy(original, copy)
    other = write_frame(tmp_path / "other.fits", number=1, level=1500.0)
    report = night.ingest([copy, other])
    assert report.already == (str(copy),)
    (refusal,) = report.refused
    assert refusal.file == str(other)
    assert str(original) in refusal.reason


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_that_contradict_each_other_the_first_by_name_is_used(
    repository: Repository, tmp_path: Path, turned: bool
) -> None:
    files = [write_frame(tmp_path / "a.fits"), write_frame(tmp_path / "b.fits", level=1500.0)]
    report = repository.ingest(files[::-1] if turned else files, processes=2)
    assert report.used == (str(files[0]),)
    assert [r.file for r in report.refused] == [str(files[1])]


@pytest.mark.parametrize(
    ("card", "value", "fact"),
    [("IMGTYPE", "dark", "frame_type"), ("FILTER", "g", "filter"), ("EXPTIME", 30.0, "exposure_time")],
)
def test_a_detector_that_contradicts_its_exposure_is_refused(
    repository: Repository, tmp_path: Path, card: str, value: object, fact: str
) -> None:
    good = write_frame(tmp_path / "a.fits", detector=0)
    bad = write_frame(tmp_path / "b.fits", detector=1, **{card: value})
    for report in (repository.ingest([good, bad]), repository.ingest([bad])):
        (refusal,) = report.refused
        assert refusal.keyword == fact
        assert "a.fits" in refusal.reason
    assert len(repository.records()) == 1


def test_times_may_differ_a_little_between_detectors(repository: Repository, tmp_path: Path) -> None:
    files = [
        write_frame(tmp_path / "a.fits", detector=0, kind="dark", EXPTIME=30.0),
        write_frame(tmp_path / "b.fits", detector=1, kind="dark", EXPTIME=30.02),
    ]
    assert len(repository.ingest(files).used) == 2


def test_file_names_may_repeat_from_night_to_night(repository: Repository, tmp_path: Path) -> None:
    files = [
        write_frame(tmp_path / "a.fits", day=20240326, OBSID="bias_001"),
        write_frame(tmp_path / "b.fits", day=20240327, OBSID="bias_001"),
    ]
    for file in files:
        assert repository.ingest([file]).used == (str(file),)
    names = [r.obs_id for r in repository.butler.query_dimension_records("exposure", order_by="exposure")]
    assert names == ["bias_001", f"bias_001_{exposure_id(1, 20240327)}"]


def test_long_names_are_shortened_and_a_long_filter_is_refused(
    repository: Repository, tmp_path: Path
) -> None:
    long = write_frame(tmp_path / "a.fits", TARGET="x" * 66, OBSID="y" * 67)
    report = repository.ingest([long, write_frame(tmp_path / "b.fits", number=2, FILTER="f" * 40)])
    assert report.used == (str(long),)
    assert report.refused[0].keyword == "filter"
    (record,) = repository.butler.query_dimension_records("exposure")
    assert len(record.target_name) == 64
    assert len(record.obs_id) == 64


def test_an_unknown_filter_is_registered(repository: Repository, tmp_path: Path) -> None:
    repository.ingest([write_frame(tmp_path / "a.fits", kind="flat", FILTER="H-alpha")])
    filters = {f.name: f.band for f in repository.butler.query_dimension_records("physical_filter")}
    assert filters["H-alpha"] == "unknown"


@pytest.mark.parametrize("transfer", ["direct", "symlink", "copy", "hardlink"])
def test_every_transfer_leaves_the_file_and_reads_it(
    repository: Repository, tmp_path: Path, transfer: str
) -> None:
    file = write_frame(tmp_path / "a.fits")
    before = file.read_bytes()
    assert len(repository.ingest([file], transfer=transfer).used) == 1
    assert file.read_bytes() == before
    ref = repository.butler.query_datasets("raw", "TinyCam/raw/all")[0]
    stored = Path(repository.butler.getURI(ref).ospath)
    assert stored.read_bytes() == before
    assert {
        "direct": stored == file,
        "symlink": stored.is_symlink(),
        "copy": stored != file and stored.stat().st_ino != file.stat().st_ino,
        "hardlink": stored != file and stored.stat().st_ino == file.stat().st_ino,
    }[transfer]
    with repository.butler.get(ref) as raw:
        assert raw.images[0].shape == (24, 40)


def test_an_unknown_transfer(repository: Repository) -> None:
    with pytest.raises(UsageError, match="no transfer 'move'"):
        repository.ingest([], transfer="move")


def test_facts_of_a_day_are_merged(repository: Repository, tmp_path: Path) -> None:
    repository.ingest(write_night(tmp_path / "raws", numbers=range(1, 3)))
    repository.ingest(write_night(tmp_path / "raws", numbers=range(3, 5)))
    repository.ingest(write_night(tmp_path / "raws", numbers=range(1, 2), day=20240327))
    table = repository.butler.get(
        "frameFacts", instrument="TinyCam", day_obs=20240326, collections="TinyCam/raw/all"
    )
    assert table.num_rows == 8
    assert len(repository.butler.query_datasets("frameFacts", "TinyCam/raw/all")) == 2
    assert [(r.exposure, r.detector) for r in repository.records(night=20240326)] == [
        (exposure_id(n), d) for n in (1, 2, 3, 4) for d in (0, 1)
    ]


def test_the_facts_do_not_depend_on_order_or_workers(tmp_path: Path) -> None:
    files = write_night(tmp_path / "raws")
    tables = []
    for i, (order, workers) in enumerate(((files, 1), (files[::-1], 4))):
        with Repository.create(tmp_path / f"repo{i}", tiny_camera()) as repository:
            repository.ingest(order, processes=workers)
            tables.append(
                repository.butler.get(
                    "frameFacts", instrument="TinyCam", day_obs=20240326, collections="TinyCam/raw/all"
                )
            )
    assert tables[0].equals(tables[1])


def test_records_are_selected(repository: Repository, tmp_path: Path) -> None:
    repository.ingest(write_night(tmp_path / "raws"))
    repository.ingest([write_frame(tmp_path / "d.fits", number=9, kind="dark", EXPTIME=30.0)])
    assert {r.facts.frame_type for r in repository.records(frame_type="dark")} == {"dark"}
    assert [r.exposure for r in repository.records(where="exposure.exposure_time > 5")] == [exposure_id(9)]
    assert [r.exposure for r in repository.records(where="exposure.seq_num = 2 AND detector = 1")] == [
        exposure_id(2)
    ]
    assert repository.records(night=20230101) == []
    with pytest.raises(UsageError, match="is not understood"):
        repository.records(where="exposure.nonsense > 5")


def test_a_raw_without_facts_is_looked_at(night: Repository) -> None:
    refs = night.butler.query_datasets("frameFacts", "TinyCam/raw/facts", find_first=False)
    expected = night.records()
    night.butler.registry.disassociate("TinyCam/raw/facts", refs)
    assert night.records() == expected


def test_ingest_repairs_facts_that_are_missing(night: Repository, tmp_path: Path) -> None:
    refs = night.butler.query_datasets("frameFacts", "TinyCam/raw/facts", find_first=False)
    night.butler.registry.disassociate("TinyCam/raw/facts", refs)
    report = night.ingest(sorted((tmp_path / "raws").iterdir()))
    assert len(report.already) == 6
    assert len(night.butler.query_datasets("frameFacts", "TinyCam/raw/all")) == 1


def test_progress_counts_every_file(repository: Repository, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    repository.ingest(write_night(tmp_path / "raws"), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(n, 6) for n in range(1, 7)]


def test_the_statistics_of_the_registry_are_renewed(night: Repository) -> None:
    with sqlite3.connect(night.root / "gen3.sqlite3") as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_stat1").fetchone()[0] > 0


def test_one_file_of_several_detectors(tmp_path: Path) -> None:
    """Each detector in an HDU of its own: one file, two frames."""
    camera = tiny_camera(
        **{
            "name: S00, layout: ccd": "name: S00, layout: ccd, hdu: C0",
            "name: S01, layout: ccd": "name: S01, layout: ccd, hdu: C1",
        }
    )
    primary = fits.open(write_frame(tmp_path / "a.fits"))[0]
    primary.header.remove("DETECTOR")
    hdus = fits.HDUList([fits.PrimaryHDU(header=primary.header)])
    for name in ("C0", "C1"):
        hdus.append(fits.ImageHDU(primary.data, name=name))
    hdus.writeto(tmp_path / "both.fits")
    with Repository.create(tmp_path / "repo", camera) as repository:
        assert repository.ingest([tmp_path / "both.fits"]).used == (str(tmp_path / "both.fits"),)
        assert repository.ingest([tmp_path / "both.fits"]).already == (str(tmp_path / "both.fits"),)
        assert [r.detector for r in repository.records()] == [0, 1]
        refs = repository.butler.query_datasets("raw", "TinyCam/raw/all")
        assert len({str(repository.butler.getURI(ref)) for ref in refs}) == 1


def test_frames_that_were_moved_are_found_at_their_new_place(night: Repository, tmp_path: Path) -> None:
    (tmp_path / "raws").rename(tmp_path / "archive")
    files = sorted((tmp_path / "archive").iterdir())
    report = night.ingest(files)
    assert (len(report.used), len(report.already), len(report.refused)) == (6, 0, 0)
    assert {record.file for record in night.records()} == set(map(str, files))
    for ref in night.butler.query_datasets("raw", "TinyCam/raw/all"):
        with night.butler.get(ref) as raw:
            assert raw.path.startswith(str(tmp_path / "archive"))
    assert len(night.ingest(files).already) == 6


def test_a_copy_outlives_its_original(repository: Repository, tmp_path: Path) -> None:
    files = write_night(tmp_path / "raws")
    repository.ingest(files, transfer="copy")
    (tmp_path / "raws").rename(tmp_path / "archive")
    assert len(repository.ingest(sorted((tmp_path / "archive").iterdir())).already) == 6


def test_a_file_without_a_detector_of_the_camera_is_refused(repository: Repository, tmp_path: Path) -> None:
    report = repository.ingest([write_frame(tmp_path / "a.fits", detector=9)])
    assert len(report.refused) == 1
    assert "9" in report.refused[0].reason
