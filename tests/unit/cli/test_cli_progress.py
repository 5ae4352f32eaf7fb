"""Progress: a bar on a terminal, plain lines elsewhere, never among the results."""

from __future__ import annotations

import os
import pty
import subprocess

import pytest

from commands import BIN, environment, fiducial
from fiducial.cli import progress as module
from fiducial.cli.progress import Bars, Lines, progress


def test_elsewhere_than_on_a_terminal_there_are_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    lines = progress(False)
    assert isinstance(lines, Lines)
    lines.begin("reading frames", 8)
    for _ in range(8):
        clock[0] += 4.0  # s; a line every ten
        lines.step("b.fits")
    lines.end()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "reading frames: 8",
        "reading frames: 3 of 8 b.fits",
        "reading frames: 6 of 8 b.fits",
    ]


class Terminal:
    """What says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_machines_get_lines_even_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.sys, "stderr", Terminal())
    assert isinstance(progress(True), Lines)


def test_a_bar_goes_from_one_work_to_the_next_and_may_end_twice() -> None:
    bars = Bars()
    bars.begin("reading", 2)
    bars.step("a")
    bars.begin("combining", 1)
    bars.step("b")
    bars.end()
    bars.end()


def test_results_are_alone_on_stdout(tmp_path: object) -> None:
    ran = fiducial("camera", "draft", "no.fits", "--json", code=5)
    assert ran.out == ""
    assert ran.err.startswith("reading frames: 1\n")


def test_a_terminal_gets_a_bar() -> None:
    leader, follower = pty.openpty()
    try:
        subprocess.run(
            [str(BIN / "fiducial"), "camera", "draft", "no.fits"],
            stdout=subprocess.PIPE,
            stderr=follower,
            env=environment(TERM="xterm", COLUMNS="100"),
            check=False,
        )
        os.close(follower)
        said = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:  # the other end is closed: all was read
                break
            if not part:
                break
            said += part
    finally:
        os.close(leader)
    assert b"reading frames" in said
    assert b"/1" in said
    assert b"reading frames: 1" not in said
