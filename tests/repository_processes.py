"""Real processes for tests of faults: killed at a moment, on a full disk, or without the right to write."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["fiducial.repository.repository", "repository_frames", "pyarrow.parquet"])

_CAPABILITY_VERSION = 0x20080522
_MAY_WRITE_EVERYWHERE = 1 << 1  # CAP_DAC_OVERRIDE


def time_of(work: Callable[..., None], *arguments: Any) -> float:
    """Seconds that the work takes in a process of its own, the start of the process left out."""
    queue = PROCESSES.Queue()
    process = PROCESSES.Process(target=_timed, args=(queue, work, arguments))
    process.start()
    seconds = float(queue.get(timeout=120))
    process.join()
    assert process.exitcode == 0
    return seconds


def kill_at(delay: float, work: Callable[..., None], *arguments: Any) -> bool:
    """Start the work in a process and send it SIGKILL after a delay; whether it was still at work."""
    ready = PROCESSES.Event()
    process = PROCESSES.Process(target=_announced, args=(ready, work, arguments))
    process.start()
    assert ready.wait(120)
    time.sleep(delay)
    process.kill()
    process.join()
    return process.exitcode == -9


def give_up_writing_everywhere() -> None:
    """Let the permissions of files hold for root too."""
    if os.geteuid() != 0:
        return
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    data = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable: low words, then high words
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.capget(header, data) == 0
    for word in (0, 1, 2):
        data[word] &= ~_MAY_WRITE_EVERYWHERE
    assert libc.capset(header, data) == 0


def make_read_only(folder: Path) -> None:
    """Take the right to write from everything below a folder, and the folder itself."""
    for path in sorted(folder.rglob("*"), reverse=True):
        path.chmod(0o500 if path.is_dir() else 0o400)
    folder.chmod(0o500)


def make_writeable(folder: Path) -> None:
    """Give it back."""
    folder.chmod(0o700)
    for path in sorted(folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


def _timed(queue: Any, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    begin = time.monotonic()
    work(*arguments)
    queue.put(time.monotonic() - begin)


def _announced(ready: Any, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    ready.set()
    work(*arguments)
