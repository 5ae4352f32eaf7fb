"""How a command ends: its exit code, and errors as sentences rather than tracebacks."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from enum import IntEnum
from typing import Any

import click

from fiducial.errors import FiducialError, StorageError


class Exit(IntEnum):
    """Exit codes of every verb."""

    DONE = 0
    OUR_FAULT = 1
    USAGE = 2
    SET_ASIDE = 3
    FAILED = 4
    NOTHING = 5
    INTEGRITY = 6
    INTERRUPTED = 130


def guarded(action: Callable[[], Any]) -> int:
    """Call an action; return the exit code, telling on stderr what went wrong.

    An action returns an exit code or None. What is not an error of ours is a fault of ours: it is
    shown in full, with the request to report it.
    """
    try:
        result = action()
        return int(result) if isinstance(result, int) else Exit.DONE
    except click.exceptions.Exit as ended:
        return int(ended.exit_code)
    except (click.Abort, KeyboardInterrupt):
        tell("interrupted", hint="what was finished is kept; the same command goes on from there")
        return Exit.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return Exit.USAGE
    except FiducialError as error:
        tell(error.message, hint=error.hint)
        return error.exit_code
    except BrokenPipeError:
        # The reader has gone (`| head`): nothing is wrong, and nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        if (known := storage_trouble(error)) is None:
            raise
        tell(known.message, hint=known.hint)
        return known.exit_code


def storage_trouble(error: OSError) -> StorageError | None:
    """Say in our words what the operating system refused, where it is the disk's matter."""
    import errno

    where = error.filename or "the disk"
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return StorageError(f"{where}: no space left", hint="free some space and repeat the command")
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return StorageError(f"{where}: may not be written", hint="check the folder's owner and mode")
    return None


def tell(message: str, *, hint: str = "") -> None:
    """Say on stderr what is wrong and what to do."""
    click.echo(f"fiducial: {message}", err=True)
    if hint:
        click.echo(f"  {hint}", err=True)
