"""Strips of rows, and threads that work on them: for the programs in Python."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Lock, Thread

THREADS = os.cpu_count() or 1


def over_strips(
    rows: int, height: int, work: Callable[[int, int], object], *, threads: int = THREADS
) -> None:
    """Call ``work(first, last)`` for strips of a height, in threads; the first failure is raised."""
    strips = iter([(y, min(y + height, rows)) for y in range(0, rows, height)])
    failures: list[BaseException] = []
    lock = Lock()

    def run() -> None:
        try:
            while not failures:
                with lock:
                    strip = next(strips, None)
                if strip is None:
                    return
                work(*strip)
        except BaseException as error:
            failures.append(error)

    others = [Thread(target=run) for _ in range(threads - 1)]
    for thread in others:
        thread.start()
    run()
    for thread in others:
        thread.join()
    if failures:
        raise failures[0]
