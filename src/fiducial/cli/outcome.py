"""How a command ends: its exit code, and errors as sentences rather than tracebacks."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from enum import IntEnum
from typing import Any

import click

from fiducial.errors import StorageError, first_of_ours


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
    except BrokenPipeError:
        # The reader has gone (`| head`): nothing is wrong, and nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:
        known = first_of_ours(error) or (storage_trouble(error) if isinstance(error, OSError) else None)
        if known is None:
            return _our_fault(error)
        tell(known.message, hint=known.hint)
        return known.exit_code


def _our_fault(error: Exception) -> int:
    import traceback

    click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    tell("this is a fault of fiducial, not yours", hint="please report it, with the lines above")
    return Exit.OUR_FAULT


def storage_trouble(error: OSError) -> StorageError | None:
    """Say in our words what the operating system refused, where it is the matter of a disk or a path."""
    where = error.filename or "the disk"
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return StorageError(f"{where}: no space left", hint="free some space and repeat the command")
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return StorageError(f"{where}: may not be written", hint="check the folder's owner and mode")
        case errno.ENOENT | errno.EEXIST | errno.ENOTDIR | errno.EISDIR | errno.ENAMETOOLONG | errno.ELOOP:
            return StorageError(f"{where}: {_words(error)}", hint="check the path")
        case errno.EIO | errno.ESTALE:
            return StorageError(f"{where}: {_words(error)}", hint="the disk or its server has a fault")
    return None


def _words(error: OSError) -> str:
    text = error.strerror or "cannot be used"
    return text[0].lower() + text[1:]


def tell(message: str, *, hint: str = "") -> None:
    """Say on stderr what is wrong and what to do."""
    click.echo(f"fiducial: {message}", err=True)
    if hint:
        click.echo(f"  {hint}", err=True)
