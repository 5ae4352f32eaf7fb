"""What a run leaves beside its products, and how a failure is put into words."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from fiducial.errors import NothingToDo, UnreadableFrame
from fiducial.execution.trace import LOGGERS, trace
from fiducial.execution.watch import describe


@pytest.mark.parametrize("fails", [False, True])
def test_everything_is_there_whether_the_run_fails_or_not(tmp_path: Path, fails: bool) -> None:
    folder = tmp_path / "run" / "fiducial"
    before = [(logging.getLogger(n).level, list(logging.getLogger(n).handlers)) for n in LOGGERS]

    def body() -> None:
        with trace(folder, command="pipetask run ...", settings={"path": Path("x")}, pipeline="tasks: {}\n"):
            logging.getLogger("fiducial.kinds.bias").info("exposure 7 is set aside")
            logging.getLogger("lsst.pipe").info("of the middleware")
            logging.getLogger("fiducial").debug("not this")
            if fails:
                raise RuntimeError("the disk is full")

    if fails:
        with pytest.raises(RuntimeError):
            body()
    else:
        body()
    assert "pipetask run ..." in (folder / "command.txt").read_text()
    assert json.loads((folder / "settings.json").read_text()) == {"path": "x"}
    assert (folder / "pipeline.yaml").read_text() == "tasks: {}\n"
    log = (folder / "log.txt").read_text()
    assert "exposure 7 is set aside" in log
    assert "of the middleware" in log
    assert "not this" not in log
    assert [(logging.getLogger(n).level, list(logging.getLogger(n).handlers)) for n in LOGGERS] == before


def test_a_run_that_is_continued_keeps_its_commands_and_its_log(tmp_path: Path) -> None:
    for number in (1, 2):
        with trace(tmp_path, command=f"command {number}", settings={}, pipeline=""):
            logging.getLogger("fiducial").warning("line %d", number)
    assert [line for line in (tmp_path / "command.txt").read_text().splitlines() if line[0] != "#"] == [
        "command 1",
        "command 2",
    ]
    assert (tmp_path / "log.txt").read_text().count("line ") == 2


def raised(error: BaseException) -> BaseException:
    """The error as it arrives when the middleware has wrapped it twice."""
    try:
        try:
            try:
                raise error
            except BaseException as inner:
                raise ValueError("reading failed") from inner
        except ValueError as middle:
            raise RuntimeError("quantum failed") from middle
    except RuntimeError as outer:
        return outer


def test_the_first_error_of_ours_speaks() -> None:
    ours = UnreadableFrame("b7.fits is truncated", hint="copy it again", file="b7.fits")
    failure = describe("bias", {"detector": 1}, raised(ours))
    assert (failure.message, failure.hint, failure.error) == (
        "b7.fits is truncated",
        "copy it again",
        "unreadable",
    )
    assert failure.data == {"detector": 1}


def test_an_error_that_was_raised_while_another_was_handled_is_found_too() -> None:
    later = KeyError("x")
    later.__context__ = NothingToDo("no frames")
    assert describe("bias", {}, later).error == "nothing"


def test_others_are_named_with_their_class() -> None:
    failure = describe("bias", {}, ZeroDivisionError("division by zero"))
    assert (failure.message, failure.error) == ("ZeroDivisionError: division by zero", "")
