"""Every error fiducial raises on purpose.

::

    FiducialError                 exit  what it means
    ├── UsageError                  2   the command or its arguments are off
    ├── ConfigurationError          2   a file of settings is off
    │   └── CameraError             2   a camera file is off, or unknown
    ├── CalibrationMismatch         2   a master does not belong to the frame
    ├── RepositoryError             2   no repository there, or not one for this
    ├── StorageError                2   the disk is full, or may not be written
    ├── FrameError                  3   one frame cannot be used; the others go on
    │   ├── UnreadableFrame         3   not FITS, truncated, empty, corrupt
    │   ├── HeaderError             3   a keyword is missing or makes no sense
    │   ├── WrongCamera             3   a frame of another camera
    │   ├── LayoutMismatch          3   its shape is not the camera's (binned?)
    │   └── DuplicateFrame          3   this exposure is already there
    ├── AlgorithmError              3   the numbers do not allow an answer
    ├── VerificationFailed          4   a product did not pass
    ├── NothingToDo                 5   no frames, or too few of them
    └── IntegrityError              6   bytes are not what was certified

An error has an ``id`` for machines, a ``message`` that names the thing, a ``hint`` that says
what to do, and the ``exit_code`` of a command that ends with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar


class FiducialError(Exception):
    """Base of all errors that are raised on purpose.

    Parameters
    ----------
    message
        What is wrong, naming the file, HDU, keyword or collection.
    hint
        What the user can do about it.
    """

    id: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process boundaries; keyword arguments must survive the pickle.
        return (_rebuild, (type(self), self.__dict__.copy()))


def chain_of(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and everything that led to it, the newest first; a ring of errors ends."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def first_of_ours(error: BaseException) -> FiducialError | None:
    """Find the outermost error of ours in a chain of errors that libraries wrapped around it."""
    return next((link for link in chain_of(error) if isinstance(link, FiducialError)), None)


def _rebuild(kind: type[FiducialError], state: dict[str, object]) -> FiducialError:
    error = kind.__new__(kind)
    Exception.__init__(error, state.get("message", ""))
    error.__dict__.update(state)
    return error


class UsageError(FiducialError):
    """The command or its arguments are off."""

    id = "usage"
    exit_code = 2


class ConfigurationError(FiducialError):
    """A file of settings is off."""

    id = "configuration"
    exit_code = 2


class CameraError(ConfigurationError):
    """A camera file is off, or no camera has that name."""

    id = "camera"


class CalibrationMismatch(FiducialError):
    """A master calibration does not belong to the frame: another detector, unit, filter or state."""

    id = "mismatch"
    exit_code = 2


class RepositoryError(FiducialError):
    """There is no repository there, or it does not serve this request."""

    id = "repository"
    exit_code = 2


class StorageError(FiducialError):
    """The disk is full, or the folder may not be written."""

    id = "storage"
    exit_code = 2


class FrameError(FiducialError):
    """One frame cannot be used; the others go on.

    Parameters
    ----------
    message, hint
        As in `FiducialError`.
    file, hdu, keyword
        Where the trouble is, as far as it is known.
    """

    id = "frame"
    exit_code = 3

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        file: str = "",
        hdu: str | int | None = None,
        keyword: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.file = file
        self.hdu = hdu
        self.keyword = keyword


class UnreadableFrame(FrameError):
    """The file is not FITS, or is truncated, empty or corrupt."""

    id = "unreadable"


class HeaderError(FrameError):
    """A keyword is missing or makes no sense."""

    id = "header"


class WrongCamera(FrameError):
    """The frame is of another camera."""

    id = "wrong-camera"


class LayoutMismatch(FrameError):
    """The frame's shape is not the camera's: binned, windowed, or another layout."""

    id = "layout"


class DuplicateFrame(FrameError):
    """Another file of the same exposure and detector is already there."""

    id = "duplicate"


class AlgorithmError(FiducialError):
    """The numbers do not allow an answer."""

    id = "algorithm"
    exit_code = 3


class VerificationFailed(FiducialError):
    """A product did not pass its verification."""

    id = "verification"
    exit_code = 4


class NothingToDo(FiducialError):
    """There are no frames, or too few, for what was asked."""

    id = "nothing"
    exit_code = 5


class IntegrityError(FiducialError):
    """Bytes are not what was certified."""

    id = "integrity"
    exit_code = 6
