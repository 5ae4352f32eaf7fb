"""Certifying, chaining and finding calibrations by date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from astropy.time import Time
from lsst.daf.butler import CollectionType

from fiducial.errors import IntegrityError, RepositoryError, UsageError
from fiducial.repository import Repository
from fiducial.repository.validity import moment
from repository_frames import exposure_id, put_bias, write_frame

CALIB = "TinyCam/calib"


def test_certified_calibrations_are_found_by_date(night: Repository) -> None:
    refs = put_bias(night, "TinyCam/gen/1")
    done = night.certify("bias", "TinyCam/gen/1", f"{CALIB}/bias.1", begin="2024-03-01", end="2024-04-01")
    assert [p.detector for p in done.products] == [0, 1]
    assert (done.begin, done.end) == ("2024-03-01T00:00:00.000", "2024-04-01T00:00:00.000")
    assert night.find_calibration("bias", "2024-03-15", 0) is None  # not in the chain yet
    night.prepend_chain(CALIB, [f"{CALIB}/bias.1"])
    for when in ("2024-03-01", "2024-03-31T23:59:59", exposure_id(1), Time("2024-03-15", scale="tai")):
        found = night.find_calibration("bias", when, 1)
        assert found is not None
        assert found.id == refs[1].id
    for when in ("2024-02-29T23:59:59", "2024-04-01"):
        assert night.find_calibration("bias", when, 1) is None


def test_dates_are_tai_and_zones_are_heeded() -> None:
    # TAI was 37 s ahead of UTC in 2024.
    noon = moment("2024-03-01T12:00:37")
    assert abs(moment(datetime(2024, 3, 1, 12, tzinfo=UTC)) - noon).to_value("s") < 1e-6
    east = datetime(2024, 3, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    assert abs(moment(east) - noon).to_value("s") < 1e-6
    with pytest.raises(UsageError, match="is no date"):
        moment("yesterday")


def test_an_empty_span(repository: Repository) -> None:
    put_bias(repository, "TinyCam/gen")
    with pytest.raises(UsageError, match="not before"):
        repository.certify("bias", "TinyCam/gen", "TinyCam/bias", begin="2024-03-02", end="2024-03-01")


def test_a_partial_set_is_refused_unless_told(repository: Repository) -> None:
    put_bias(repository, "TinyCam/gen", (1,))
    with pytest.raises(RepositoryError, match="no bias of detector 0: the set is not complete"):
        repository.certify("bias", "TinyCam/gen", "TinyCam/bias", begin=None)
    assert "TinyCam/bias" not in repository.butler.collections.query("*")
    assert repository.certify("bias", "TinyCam/gen", "TinyCam/bias", begin=None, detectors=[1]).products
    assert repository.certify("bias", "TinyCam/gen", "TinyCam/bias2", begin=None, partial=True).products


def test_the_newest_run_of_a_chain_counts_and_its_inputs_do_not(repository: Repository) -> None:
    """An output chain holds its inputs: after a partial failure an older certified bias must not slip in."""
    put_bias(repository, "TinyCam/old")
    put_bias(repository, "TinyCam/gen/1")
    put_bias(repository, "TinyCam/gen/2", (0,), seed=5)
    repository.butler.collections.register("TinyCam/gen", CollectionType.CHAINED)
    repository.butler.collections.redefine_chain(
        "TinyCam/gen", ["TinyCam/gen/2", "TinyCam/gen/1", "TinyCam/old"]
    )
    with pytest.raises(RepositoryError, match="TinyCam/gen/2 holds no bias of detector 1"):
        repository.certify("bias", "TinyCam/gen", "TinyCam/bias", begin=None)
    repository.butler.collections.redefine_chain("TinyCam/gen", ["TinyCam/old"])
    with pytest.raises(RepositoryError, match="without a run of its own"):
        repository.certify("bias", "TinyCam/gen", "TinyCam/bias", begin=None)


def test_overlaps_are_refused_and_named(repository: Repository) -> None:
    put_bias(repository, "TinyCam/one")
    put_bias(repository, "TinyCam/two", seed=7)
    repository.certify("bias", "TinyCam/one", "TinyCam/bias", begin="2024-01-01", end="2025-01-01")
    with pytest.raises(RepositoryError, match="already for 2024-01-01") as caught:
        repository.certify("bias", "TinyCam/two", "TinyCam/bias", begin="2024-06-01")
    assert "new collection" in caught.value.hint
    repository.certify("bias", "TinyCam/two", "TinyCam/bias", begin="2025-01-01")
    rows = repository.timeline("TinyCam/bias")
    assert [(r.detector, r.begin, r.end) for r in rows if r.detector == 0] == [
        (0, "2024-01-01T00:00:00.000", "2025-01-01T00:00:00.000"),
        (0, "2025-01-01T00:00:00.000", None),
    ]


def test_certifying_the_same_again_changes_nothing(repository: Repository) -> None:
    put_bias(repository, "TinyCam/gen")
    first = repository.certify("bias", "TinyCam/gen", "TinyCam/bias", begin="2024-01-01")
    again = repository.certify("bias", "TinyCam/gen", "TinyCam/bias", begin="2024-01-01")
    assert (first.already, again.already) == (False, True)
    assert len(repository.timeline("TinyCam/bias")) == 2


@pytest.mark.parametrize(
    ("kind", "run", "collection", "message"),
    [
        ("bias", "TinyCam/nowhere", "TinyCam/bias", "there is no collection TinyCam/nowhere"),
        ("dark", "TinyCam/gen", "TinyCam/dark", "holds no dark"),
        ("nonsense", "TinyCam/gen", "TinyCam/x", "holds no nonsense"),
        ("bias", "TinyCam/gen", "TinyCam/gen", "RUN collection"),
        ("bias", "TinyCam/calib/camera", "TinyCam/bias", "without a run of its own"),
    ],
)
def test_what_cannot_be_certified(
    repository: Repository, kind: str, run: str, collection: str, message: str
) -> None:
    put_bias(repository, "TinyCam/gen")
    with pytest.raises(RepositoryError, match=message):
        repository.certify(kind, run, collection, begin=None)


def test_a_missing_file_is_not_certified(repository: Repository) -> None:
    refs = put_bias(repository, "TinyCam/gen")
    Path(repository.butler.getURI(refs[1]).ospath).unlink()
    with pytest.raises(IntegrityError, match="is not there"):
        repository.certify("bias", "TinyCam/gen", "TinyCam/bias", begin=None)
    assert "TinyCam/bias" not in repository.butler.collections.query("*")


def test_the_first_in_the_chain_is_found_and_the_states_are_kept(repository: Repository) -> None:
    old = put_bias(repository, "TinyCam/one")
    new = put_bias(repository, "TinyCam/two", seed=7)
    for run, name in (("TinyCam/one", "TinyCam/bias.1"), ("TinyCam/two", "TinyCam/bias.2")):
        repository.certify("bias", run, name, begin="2024-01-01")
        repository.prepend_chain(CALIB, [name])
    found = repository.find_calibration("bias", "2024-06-01", 0)
    assert found is not None
    assert found.id == new[0].id
    change = repository.prepend_chain(CALIB, ["TinyCam/bias.1"])
    assert change.before == ("TinyCam/bias.2", "TinyCam/bias.1", "TinyCam/calib/camera")
    assert change.after == ("TinyCam/bias.1", "TinyCam/bias.2", "TinyCam/calib/camera")
    entry = repository.history()[-1]
    assert (entry.verb, entry.before[CALIB], entry.after[CALIB]) == ("chain", change.before, change.after)
    found = repository.find_calibration("bias", "2024-06-01", 0)
    assert found is not None
    assert found.id == old[0].id


def test_chains_refuse_nonsense(repository: Repository) -> None:
    with pytest.raises(RepositoryError, match="no collection TinyCam/nowhere"):
        repository.prepend_chain(CALIB, ["TinyCam/nowhere"])
    with pytest.raises(RepositoryError, match="is a RUN collection and no chain"):
        repository.prepend_chain("TinyCam/raw/frames", [f"{CALIB}/camera"])
    repository.prepend_chain("TinyCam/ticket", [CALIB])
    with pytest.raises(RepositoryError, match="contain itself"):
        repository.prepend_chain(CALIB, ["TinyCam/ticket"])


def test_an_exposure_across_two_ranges_is_explained(repository: Repository, tmp_path: Path) -> None:
    repository.ingest([write_frame(tmp_path / "a.fits", kind="dark", EXPTIME=100.0)])  # begins at 20:00:01
    for run, begin, end in (("one", None, "2024-03-26T20:00:30"), ("two", "2024-03-26T20:00:30", None)):
        put_bias(repository, f"TinyCam/{run}")
        repository.certify("bias", f"TinyCam/{run}", "TinyCam/bias", begin=begin, end=end)
    repository.prepend_chain(CALIB, ["TinyCam/bias"])
    with pytest.raises(RepositoryError, match="several calibrations bias of detector 0"):
        repository.find_calibration("bias", exposure_id(1), 0)


def test_looking_for_what_is_not_there(repository: Repository) -> None:
    assert repository.find_calibration("nonsense", "2024-01-01", 0) is None
    assert repository.find_calibration("flat", "2024-01-01", 0, "H-beta") is None
    with pytest.raises(RepositoryError, match="by its filter"):
        repository.find_calibration("flat", "2024-01-01", 0)
    with pytest.raises(RepositoryError, match="no exposure 5"):
        repository.find_calibration("bias", 5, 0)


def test_the_timeline_in_the_order_of_search(repository: Repository) -> None:
    put_bias(repository, "TinyCam/one")
    put_bias(repository, "TinyCam/two", seed=7)
    for run, name in (("TinyCam/one", "TinyCam/bias.1"), ("TinyCam/two", "TinyCam/bias.2")):
        repository.certify("bias", run, name, begin="2024-01-01")
        repository.prepend_chain(CALIB, [name])
    rows = [r for r in repository.timeline() if r.kind == "bias" and r.detector == 1]
    assert [(r.collection, r.run, r.rank) for r in rows] == [
        ("TinyCam/bias.2", "TinyCam/two", 0),
        ("TinyCam/bias.1", "TinyCam/one", 1),
    ]
    assert {r.kind for r in repository.timeline()} == {"bias", "camera"}
    with pytest.raises(RepositoryError, match="no collection TinyCam/nowhere"):
        repository.timeline("TinyCam/nowhere")


def test_an_audit_names_what_is_wrong(repository: Repository) -> None:
    refs = put_bias(repository, "TinyCam/gen")
    other = put_bias(repository, "TinyCam/other", (0,), seed=5)
    repository.certify("bias", "TinyCam/gen", "TinyCam/bias", begin="2024-01-01")
    repository.certify("bias", "TinyCam/other", "TinyCam/bias.other", begin="2024-01-01", partial=True)
    report = repository.audit()
    assert (report.checked, report.intact, report.clean) == (4, 4, True)
    paths = [Path(repository.butler.getURI(ref).ospath) for ref in refs]
    changed = bytearray(paths[0].read_bytes())
    changed[-1] ^= 1
    paths[0].write_bytes(bytes(changed))
    paths[1].unlink()
    # `butler remove-runs` deletes certified calibrations without a word.
    repository.butler.registry.decertify("TinyCam/bias.other", "bias", repository_span())
    repository.butler.removeRuns(["TinyCam/other"])
    report = repository.audit()
    assert report.changed == (str(paths[0]),)
    assert report.missing == (str(paths[1]),)
    assert len(report.lost) == 1
    assert other[0].run in report.lost[0]
    assert not report.clean


def repository_span():  # type: ignore[no-untyped-def]
    from fiducial.repository.validity import timespan

    return timespan(None, None)


def test_what_plain_butler_certified_is_named_by_the_audit_and_recorded_by_us(repository: Repository) -> None:
    refs = put_bias(repository, "TinyCam/gen")
    repository.butler.collections.register("TinyCam/bias", CollectionType.CALIBRATION)
    repository.butler.registry.certify("TinyCam/bias", refs, repository_span())
    assert len(repository.audit().unrecorded) == 2
    assert repository.certify("bias", "TinyCam/gen", "TinyCam/bias", begin=None).already
    report = repository.audit()
    assert (report.unrecorded, report.intact) == ((), 3)
