"""Runs one command and says what it cost: a small process of its own, so that its memory is not counted.

A child's peak memory begins with what its parent had when it forked; this program has hardly anything.
Argument: a JSON object of ``command``, ``folder``, ``environment``, ``log`` and ``seconds`` (time limit).
"""

import json
import os
import signal
import sys
import time


def main() -> None:
    """Run the command, print wall and processor time, peak memory and exit code as JSON."""
    job = json.loads(sys.argv[1])
    log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            os.chdir(job["folder"])
            for target, source in ((0, nothing), (1, log), (2, log)):
                os.dup2(source, target)
            os.execvpe(job["command"][0], job["command"], {**os.environ, **job["environment"]})  # noqa: S606
        finally:
            os._exit(127)

    def stop(number: int, frame: object) -> None:
        os.killpg(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(int(job["seconds"]))
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - started
    print(
        json.dumps(
            {
                "wall": wall,
                "cpu": usage.ru_utime + usage.ru_stime,
                "rss_mb": usage.ru_maxrss / 1024,
                "code": os.waitstatus_to_exitcode(status),
            }
        )
    )


if __name__ == "__main__":
    main()
