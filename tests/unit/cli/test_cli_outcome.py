"""How a command ends: its exit code, a sentence for what the user can mend, all of it for our faults."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
from pathlib import Path

import click
import pytest

from commands import BIN, environment, fiducial
from fiducial import errors
from fiducial.cli.outcome import Exit, guarded, storage_trouble
from fiducial.errors import FiducialError, StorageError, UnreadableFrame


def raising(error: BaseException) -> int:
    def action() -> None:
        raise error

    return guarded(action)


KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, FiducialError) and kind is not FiducialError
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_of_ours_is_two_lines_and_its_code(
    kind: type[FiducialError], capsys: pytest.CaptureFixture[str]
) -> None:
    assert raising(kind("b7.fits is off", hint="copy it again")) == kind.exit_code
    assert capsys.readouterr().err == "fiducial: b7.fits is off\n  copy it again\n"
    assert kind.exit_code in set(Exit)


def test_an_error_of_ours_is_found_in_what_a_library_wrapped_it_in(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wrapped = ValueError("reading failed")
    wrapped.__cause__ = UnreadableFrame("b7.fits is truncated")
    assert raising(wrapped) == Exit.SET_ASIDE
    assert capsys.readouterr().err == "fiducial: b7.fits is truncated\n"


def test_what_is_our_fault_is_shown_in_full_with_the_request_to_report_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert raising(ZeroDivisionError("division by zero")) == Exit.OUR_FAULT
    said = capsys.readouterr().err
    assert said.startswith("Traceback")
    assert "ZeroDivisionError: division by zero" in said
    assert said.endswith(
        "fiducial: this is a fault of fiducial, not yours\n  please report it, with the lines above\n"
    )


@pytest.mark.parametrize(
    ("result", "code"), [(None, 0), (Exit.SET_ASIDE, 3), (4, 4), ("text", 0), (Exit.DONE, 0)]
)
def test_what_an_action_returns_is_the_exit_code(result: object, code: int) -> None:
    assert guarded(lambda: result) == code


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()], ids=["control-c", "abort"])
def test_an_interruption_says_that_nothing_is_lost(
    error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    assert raising(error) == Exit.INTERRUPTED
    assert "what was finished is kept" in capsys.readouterr().err


def full_disk(_: Path) -> None:
    with open("/dev/full", "w") as file:
        file.write("x")


def file_too_large(folder: Path) -> None:
    (folder / "large").write_bytes(b"x" * 200)


def folder_for_a_file(folder: Path) -> None:
    (folder / "d").mkdir()
    (folder / "d").write_text("x")


def file_for_a_folder(folder: Path) -> None:
    (folder / "f").write_text("x")
    (folder / "f" / "g").write_text("x")


def missing_folder(folder: Path) -> None:
    (folder / "no" / "such").write_text("x")


def name_too_long(folder: Path) -> None:
    (folder / ("x" * 300)).write_text("x")


def ring_of_links(folder: Path) -> None:
    (folder / "a").symlink_to(folder / "b")
    (folder / "b").symlink_to(folder / "a")
    (folder / "a").read_text()


@pytest.mark.parametrize(
    ("action", "says"),
    [
        (full_disk, "no space left"),
        (folder_for_a_file, "is a directory"),
        (file_for_a_folder, "not a directory"),
        (missing_folder, "no such file or directory"),
        (name_too_long, "file name too long"),
        (ring_of_links, "too many levels of symbolic links"),
    ],
)
def test_real_troubles_of_disks_and_paths_become_sentences(action: object, says: str, tmp_path: Path) -> None:
    assert callable(action)
    with pytest.raises(OSError, match=r"\[Errno \d+\]") as caught:
        action(tmp_path)
    trouble = storage_trouble(caught.value)
    assert isinstance(trouble, StorageError)
    assert says in trouble.message
    assert trouble.hint
    assert raising(caught.value) == StorageError.exit_code


def test_a_file_beyond_the_limit_of_its_size_becomes_a_sentence(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
        with pytest.raises(OSError, match=r"\[Errno \d+\]") as caught:
            file_too_large(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    trouble = storage_trouble(caught.value)
    assert trouble is not None
    assert "no space left" in trouble.message


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.EROFS, "/x: may not be written"),
        (errno.EACCES, "/x: may not be written"),
        (errno.EPERM, "/x: may not be written"),
        (errno.EDQUOT, "/x: no space left"),
        (errno.EIO, "/x: input/output error"),
        (errno.ESTALE, "/x: stale file handle"),
    ],
)
def test_troubles_that_a_test_cannot_make_become_sentences(number: int, says: str) -> None:
    trouble = storage_trouble(OSError(number, os.strerror(number), "/x"))
    assert trouble is not None
    assert trouble.message == says


def test_other_troubles_of_the_system_are_not_the_disks() -> None:
    assert storage_trouble(ConnectionRefusedError(errno.ECONNREFUSED, "refused")) is None
    assert raising(ConnectionRefusedError(errno.ECONNREFUSED, "refused")) == Exit.OUR_FAULT


def test_a_reader_that_goes_away_is_no_error() -> None:
    shell = f"{BIN / 'fiducial'} camera show lsstcam | head -n 1; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(
        ["bash", "-c", shell], capture_output=True, text=True, env=environment(), check=True
    )
    assert ended.stdout.splitlines()[0] == "name: LSSTCam"
    assert int(ended.stdout.splitlines()[-1]) in (0, 128 + signal.SIGPIPE)
    assert ended.stderr == ""


WRONG = {
    "no such verb": (("nosuchverb",), "nosuchverb"),
    "no such option": (("init", "--nosuch"), "--nosuch"),
    "an argument is missing": (("init",), "REPO"),
    "no such camera": (("init", "repo", "--camera", "nocam"), "no camera is named 'nocam'"),
    "no such camera file": (("init", "repo", "--camera", "no/cam.yaml"), "no/cam.yaml"),
    "no such camera to show": (("camera", "show", "nocam"), "no camera is named 'nocam'"),
    "no such kind": (("make", "repo", "bais"), "'bais' is not one of"),
    "no repository: timeline": (("timeline", "nowhere"), "nowhere is no repository"),
    "no repository: history": (("history", "nowhere"), "nowhere is no repository"),
    "no repository: hash": (("hash", "nowhere", "run"), "nowhere is no repository"),
    "no repository: plan": (("plan", "nowhere"), "nowhere is no repository"),
    "no repository: make": (("make", "nowhere", "bias"), "nowhere is no repository"),
    "no repository: report": (("report", "nowhere", "run"), "nowhere is no repository"),
    "no repository: export": (("export", "nowhere", "run", "out"), "nowhere is no repository"),
    "no repository: detrend": (("detrend", "nowhere", "--exposures", "1"), "nowhere is no repository"),
    "no repository: verify": (("verify", "nowhere", "bias", "--exposures", "1"), "nowhere is no repository"),
    "no repository: certify": (
        ("certify", "nowhere", "run", "--begin", "2026-01-01"),
        "nowhere is no repository",
    ),
    "no process": (("make", "repo", "bias", "-j", "0"), "-j"),
    "no thread": (("make", "repo", "bias", "--threads", "0"), "--threads"),
    "a fraction of a night": (("plan", "repo", "--night", "2026.5"), "--night"),
    "a file for a folder": (("init", "{file}/repo", "--camera", "simcam"), "file exists"),
    "nothing to ingest": (("ingest", "repo", "{empty}"), "no raw frames are below"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_ends_with_two_and_a_sentence(case: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    arguments, says = WRONG[case]
    places = {"file": tmp_path / "file", "empty": tmp_path / "empty"}
    ran = fiducial(*(argument.format(**places) for argument in arguments), code=2, cwd=tmp_path)
    assert says in ran.err
    assert ran.out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "file"]
