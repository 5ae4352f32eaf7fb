"""What the launcher says of a process."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from benchmarks.measure import RunFailed, run
from benchmarks.run import main

_ALLOCATE = "b = bytearray(300 << 20); b[::4096] = b'x' * len(b[::4096])"


def test_memory_is_of_the_command_and_not_of_its_parent(tmp_path: Path) -> None:
    held = bytearray(200 << 20)
    held[::4096] = b"x" * len(held[::4096])
    small = run([sys.executable, "-I", "-S", "-c", "0"], folder=tmp_path, log=tmp_path / "log")
    large = run([sys.executable, "-I", "-S", "-c", _ALLOCATE], folder=tmp_path, log=tmp_path / "log")
    assert small.rss_mb < 100 < len(held) >> 20
    assert 300 < large.rss_mb < 400


def test_folder_environment_and_time(tmp_path: Path) -> None:
    code = "import os, time; time.sleep(0.2); print(os.getcwd(), os.environ['WORD'])"
    log = tmp_path / "log"
    cost = run([sys.executable, "-c", code], folder=tmp_path, log=log, environment={"WORD": "said"})
    assert log.read_text().split() == [str(tmp_path), "said"]
    assert cost.wall >= 0.2
    assert cost.cpu < cost.wall


def test_a_failure_says_what_was_written_last(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match=r"ended with 3 .* the reason"):
        run(
            [sys.executable, "-c", "import sys; print('the reason'); sys.exit(3)"],
            folder=tmp_path,
            log=tmp_path / "log",
        )
    with pytest.raises(RunFailed, match="ended with 127"):
        run(["no-such-program"], folder=tmp_path, log=tmp_path / "log")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tools", "abacus"], "no tool abacus; there are fiducial, siril, CPL"),
        (["--repeats", "0"], "--repeats is 1 or more"),
        (["--workloads", "W9"], "invalid choice: 'W9'"),
    ],
)
def test_options_that_make_no_sense(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert said in capsys.readouterr().err
