"""Scenes that show what is claimed of the whole: the tests that hold it, and what they measure."""

from __future__ import annotations

import shutil
from pathlib import Path

from stage import CHECKOUT, Stage

HERE = Path(__file__).parent
PYTEST = "env -u PYTHONPATH python -m pytest -p no:cacheprovider --no-header -q"


def seed_commands(stage: Stage) -> None:
    """The commands of a calibration team's script, as a test."""
    _tests(stage, "statement-seed-commands", "tests/e2e/test_e2e_seed_commands.py -v")


def same_content(stage: Stage) -> None:
    """In process, by pipetask -j 2, and quantum-backed: equal hashes, as a test."""
    _tests(stage, "statement-same-content", "tests/e2e/test_e2e_same_content.py -v")


def memory(stage: Stage) -> None:
    """Bytes read and peak memory of stacks of 200 frames, as a test that tells its numbers."""
    stage.environment["PYTHONPATH"] = str(HERE)
    command = "python -m pytest -p no:cacheprovider -p tell_stacks --no-header -q -s"
    with stage.transcript("statement-memory", CHECKOUT) as said:
        said.run(
            f"{command} tests/e2e/test_e2e_memory_io.py -v",
            shown="pytest tests/e2e/test_e2e_memory_io.py -v",
        )


def truth(stage: Stage) -> None:
    """Masters, errors and verdicts against simulated truth, over many seeds."""
    _tests(stage, "statement-truth", "tests/truth -v", "| grep -E 'PASS|FAIL|ERROR|passed|failed'")


def real_tests(stage: Stage) -> None:
    """The tests on real frames; and that they fail in CI where the frames are missing."""
    _tests(stage, "statement-real", "tests/real -v", "| grep -E 'PASS|FAIL|ERROR|passed|failed'")
    with stage.transcript("statement-real-missing", CHECKOUT) as said:
        said.run(
            f"CI=true FIDUCIAL_REAL_DATA=/nowhere {PYTEST} tests/real/test_real_pairs.py | tail -14",
            shown="CI=true FIDUCIAL_REAL_DATA=/nowhere pytest tests/real/test_real_pairs.py | tail -14",
            code=1,
        )


def make(stage: Stage) -> None:
    """``make demo`` and ``make test`` on a clean copy of the checkout, with nothing installed."""
    folder = stage.place("clean").parent / "clean/fiducial"
    ignored = shutil.ignore_patterns(
        ".git", ".venv", "build", "*cache*", ".hypothesis", "*.so", "__pycache__"
    )
    shutil.copytree(CHECKOUT, folder, ignore=ignored)
    stage.environment.pop("PYTHONPATH")
    real = f"FIDUCIAL_REAL_DATA={stage.real_data} " if stage.real_data else ""
    with stage.transcript("statement-make-demo", folder) as said:
        said.run("ls -a | tr '\\n' ' '")
        said.run("make demo")
    with stage.transcript("statement-make-test", folder) as said:
        said.run(f"{real}make test 2>&1 | tail -12", shown="make test | tail -12")


def _tests(stage: Stage, name: str, what: str, then: str = "") -> None:
    with stage.transcript(name, CHECKOUT) as said:
        said.run(f"{PYTEST} {what} {then}", shown=f"pytest {what} {then}".strip())
