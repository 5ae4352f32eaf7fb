"""What one run of a command costs: wall time, processor time, peak memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LAUNCHER = Path(__file__).with_name("launch.py")
_LONGEST = 1800  # seconds that any one run may take


@dataclass(frozen=True)
class Cost:
    """Of one run; memory is the largest of the processes of its tree."""

    wall: float  # seconds
    cpu: float  # seconds, of all processes and threads
    rss_mb: float  # MiB
    imports: float | None = None  # seconds of it that are not in the wall time, where the tool tells them


class RunFailed(Exception):
    """A command did not end well."""


def run(
    command: Sequence[str], *, folder: Path, log: Path, environment: Mapping[str, str] | None = None
) -> Cost:
    """Run a command in a folder, its output appended to a log; `RunFailed` if its exit code is not 0."""
    job = {
        "command": list(command),
        "folder": str(folder),
        "environment": dict(environment or {}),
        "log": str(log),
        "seconds": _LONGEST,
    }
    launcher = [sys.executable, "-I", "-S", str(_LAUNCHER), json.dumps(job)]
    told = subprocess.run(launcher, capture_output=True, text=True, check=True).stdout
    result = json.loads(told)
    if result["code"] != 0:
        last = log.read_text(errors="replace").splitlines()[-5:]
        raise RunFailed(f"{command[0]} ended with {result['code']} ({log}): " + " | ".join(last))
    return Cost(result["wall"], result["cpu"], result["rss_mb"])
