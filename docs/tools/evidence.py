"""Scenes that show what is claimed of the whole, on a clean copy of the source: the commands, and the tests."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stage import CHECKOUT, Stage, Transcript

HERE = Path(__file__).parent
PYTEST = ".venv/bin/python -m pytest -p no:cacheprovider --no-header"
COUNTED = r"| sed -nE 's/(\[.*\])? PASSED +\[.*//p; / passed/p' | uniq -c"
"""One line for each test, with the number of its cases."""


def make_demo(stage: Stage) -> None:
    """``make demo`` on a clean copy of what is committed, with nothing installed."""
    folder = stage.place("clean/fiducial")
    export = f"git -C {CHECKOUT} archive HEAD | tar x -C {folder}"
    subprocess.run(["/bin/bash", "-o", "pipefail", "-c", export], check=True)
    with _transcript(stage, "statement-make-demo") as said:
        said.run("ls -A | tr '\\n' ' '")
        said.run("make demo")


def make_test(stage: Stage) -> None:
    """``make test`` there; this and all of the following need the scene make_demo."""
    with _transcript(stage, "statement-make-test") as said:
        said.run("make test 2>&1 | tail -12")


def seed_commands(stage: Stage) -> None:
    """The commands of a calibration team's script, as a test."""
    _tests(stage, "statement-seed-commands", "tests/e2e/test_e2e_seed_commands.py -v")


def same_content(stage: Stage) -> None:
    """In process, by pipetask -j 2, and quantum-backed: equal hashes, as a test."""
    _tests(stage, "statement-same-content", "tests/e2e/test_e2e_same_content.py -v")


def memory(stage: Stage) -> None:
    """Bytes read and peak memory of stacks of 200 frames, as a test that tells its numbers."""
    what = "tests/e2e/test_e2e_memory_io.py -v"
    with _transcript(stage, "statement-memory") as said:
        said.run(f"PYTHONPATH={HERE} {PYTEST} -p tell_stacks -s {what}", shown=f"pytest {what}")


def truth(stage: Stage) -> None:
    """Masters, errors and verdicts against simulated truth, over many seeds."""
    _tests(stage, "statement-truth", "tests/truth -v", COUNTED)


def real_tests(stage: Stage) -> None:
    """The tests on real frames; and that they fail in CI where the frames are missing."""
    _tests(stage, "statement-real", "tests/real -v", COUNTED)
    with _transcript(stage, "statement-real-missing") as said:
        missing, what = "CI=true FIDUCIAL_REAL_DATA=/nowhere", "-q tests/real/test_real_pairs.py | tail -12"
        said.run(f"{missing} {PYTEST} {what}", shown=f"{missing} pytest {what}", code=1)


def bad_input(stage: Stage) -> None:
    """What bad input, a full disk and a kill get, as tests with the real thing."""
    _tests(stage, "statement-bad-input", "tests/e2e/test_e2e_bad_input.py tests/fault -v", COUNTED)


def notebook(stage: Stage) -> None:
    """The demonstration notebook, executed to its end; and what continuous integration calls."""
    with _transcript(stage, "statement-notebook") as said:
        said.run(f"cat {CHECKOUT}/.ci/run", shown="cat .ci/run")
        execute = "jupyter execute docs/tutorial/night.ipynb"
        said.run(f".venv/bin/{execute}", shown=execute)


def _tests(stage: Stage, name: str, what: str, then: str = "") -> None:
    with _transcript(stage, name) as said:
        said.run(f"{PYTEST} {what} {then}", shown=f"pytest {what} {then}".strip())


@contextmanager
def _transcript(stage: Stage, name: str) -> Iterator[Transcript]:
    """Record what is run in the clean copy, where the plug-in of the tests is not hidden."""
    hidden = stage.environment.pop("PYTHONPATH")
    if stage.real_data:
        stage.environment["FIDUCIAL_REAL_DATA"] = str(stage.real_data)
    with stage.transcript(name, stage.place("clean/fiducial", fresh=False)) as said:
        yield said
    stage.environment["PYTHONPATH"] = hidden
