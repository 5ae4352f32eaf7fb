"""The commands that users type, run as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
"""Where ``fiducial``, ``butler`` and ``pipetask`` are installed: beside the interpreter."""

PATIENCE = 300.0  # s; a command that takes longer hangs


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    command: str
    code: int
    out: str
    err: str
    seconds: float

    @property
    def said(self) -> str:
        """Everything it said."""
        return f"$ {self.command}\n{self.out}{self.err}[exit code {self.code}]"

    def json(self) -> Any:
        """What it printed for machines."""
        return json.loads(self.out)


def environment(**variables: str) -> dict[str, str]:
    """The environment of a user who has activated the interpreter's environment."""
    return os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"} | variables


def run(
    program: str,
    *arguments: object,
    code: int | tuple[int, ...] = 0,
    cwd: Path | None = None,
    before: Callable[[], None] | None = None,
    **variables: str,
) -> Ran:
    """Run a command to its end.

    Parameters
    ----------
    program
        ``fiducial``, ``butler``, ``pipetask`` or ``python``.
    *arguments
        Its arguments.
    code
        How it must end, or may end; a traceback is never right.
    cwd
        Where it is called.
    before
        Called in the new process before the program starts, to limit what it may do.
    **variables
        Variables to set.
    """
    command = [str(BIN / program), *(str(one) for one in arguments)]
    began = time.monotonic()
    ended = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=PATIENCE,
        preexec_fn=before,
        env=environment(**variables),
        check=False,
    )
    ran = Ran(" ".join(command), ended.returncode, ended.stdout, ended.stderr, time.monotonic() - began)
    assert ran.code in (code if isinstance(code, tuple) else (code,)), ran.said
    assert "Traceback" not in ran.out + ran.err, ran.said
    return ran


def fiducial(*arguments: object, code: int = 0, **wishes: Any) -> Ran:
    """Run ``fiducial`` to its end; see `run`."""
    return run("fiducial", *arguments, code=code, **wishes)


def butler(*arguments: object, code: int = 0, **wishes: Any) -> Ran:
    """Run ``butler`` to its end; see `run`."""
    return run("butler", *arguments, code=code, **wishes)


def pipetask(*arguments: object, code: int = 0, **wishes: Any) -> Ran:
    """Run ``pipetask`` to its end; see `run`."""
    return run("pipetask", *arguments, code=code, **wishes)
