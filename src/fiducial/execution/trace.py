"""What every run leaves beside its products, a failed one too: its command, configuration and log."""

from __future__ import annotations

import json
import logging
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, override

LOGGERS = ("fiducial", "lsst")


class _Log(logging.FileHandler):
    """A log that goes without the lines that a full disk does not take: what is run will say so itself."""

    @override
    def handleError(self, record: logging.LogRecord) -> None:
        pass

    @override
    def close(self) -> None:
        with suppress(OSError):
            super().close()


@contextmanager
def trace(folder: Path, *, command: str, settings: Mapping[str, Any], pipeline: str) -> Iterator[None]:
    """Write ``command.txt``, ``settings.json``, ``pipeline.yaml`` and ``log.txt`` into a folder.

    Parameters
    ----------
    folder
        Where to; made if it is not there. A folder that is continued keeps what it had.
    command
        The plain command that does the same.
    settings
        What was asked for, for machines.
    pipeline
        The expanded pipeline with every configuration value.
    """
    folder.mkdir(parents=True, exist_ok=True)
    called = shlex.join(sys.argv)
    with (folder / "command.txt").open("a") as file:
        file.write(f"# called as: {called}\n{command}\n")
    (folder / "settings.json").write_text(json.dumps(settings, indent=2, default=str) + "\n")
    (folder / "pipeline.yaml").write_text(pipeline)
    handler = _Log(folder / "log.txt")
    handler.setFormatter(logging.Formatter("%(levelname)s %(asctime)s %(name)s: %(message)s"))
    handler.setLevel(logging.INFO)
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(min(logger.level or logging.INFO, logging.INFO))
    try:
        yield
    except BaseException as error:
        logging.getLogger("fiducial").error("ended by %s: %s", type(error).__name__, error)
        raise
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
        handler.close()
