"""Where the bytes of a frame come from: a file, a file in memory, or one that was gzipped as a whole."""

from __future__ import annotations

import os
import resource
import stat
import threading
import zlib
from pathlib import Path
from typing import Protocol

import numpy as np

from fiducial.errors import UnreadableFrame

GZIP_MAGIC = b"\x1f\x8b"
LARGEST_FILE = 8 << 30  # bytes after decompression; more is not one raw frame but a bomb
_OTHER_ARCHIVES = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK\x03\x04": "zip", b"\x1f\x9d": "compress"}


class Source(Protocol):
    """Bytes that can be read at any offset, by several threads at once."""

    size: int

    def read(self, offset: int, count: int) -> np.ndarray:
        """Exactly ``count`` bytes from ``offset``, as a fresh writeable uint8 array."""

    def read_into(self, offset: int, out: np.ndarray) -> None:
        """Fill an array of any type, C-contiguous, with the bytes from ``offset``."""

    def close(self) -> None:
        """Give back what is held."""


class FileSource:
    """A file, read by ``pread``.

    The descriptor is kept open as long as plenty of them are left; a thousand frames at once would
    otherwise run into the limit of open files, so the later ones open the file for each read.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor: int | None = None
        self._lock = threading.Lock()
        descriptor = _open(path)
        self.size = os.fstat(descriptor).st_size
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if limit == resource.RLIM_INFINITY or descriptor < limit // 2:
            self._descriptor = descriptor
        else:
            os.close(descriptor)

    def read(self, offset: int, count: int) -> np.ndarray:
        """Exactly ``count`` bytes from ``offset``; UnreadableFrame if the file ends before."""
        out = np.empty(count, np.uint8)
        self.read_into(offset, out)
        return out

    def read_into(self, offset: int, out: np.ndarray) -> None:
        """Fill an array with the bytes from ``offset``; UnreadableFrame if the file ends before."""
        kept, count = self._descriptor, out.nbytes
        descriptor = _open(self.path) if kept is None else kept
        try:
            done = os.preadv(descriptor, [out], offset)
            while done < count:
                rest = memoryview(out.reshape(-1).view(np.uint8))[done:]
                got = os.preadv(descriptor, [rest], offset + done)
                if got == 0:
                    raise _short(self.path, offset + count, offset + done)
                done += got
        except OSError as error:
            raise _not_readable(self.path, error) from error
        finally:
            if kept is None:
                os.close(descriptor)

    def close(self) -> None:
        """Close the descriptor (not while another thread reads); a later read opens the file anew."""
        with self._lock:
            descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __del__(self) -> None:
        if hasattr(self, "_lock"):
            self.close()


class MemorySource:
    """The bytes of a file that was read as a whole."""

    def __init__(self, path: str, data: bytes | np.ndarray) -> None:
        self.path = path
        self.size = len(data)
        self._data = np.frombuffer(data, np.uint8)

    def read(self, offset: int, count: int) -> np.ndarray:
        """Exactly ``count`` bytes from ``offset``; UnreadableFrame if there are fewer."""
        self._require(offset + count)
        return self._data[offset : offset + count].copy()

    def read_into(self, offset: int, out: np.ndarray) -> None:
        """Fill an array with the bytes from ``offset``; UnreadableFrame if there are fewer."""
        self._require(offset + out.nbytes)
        out.reshape(-1).view(np.uint8)[:] = self._data[offset : offset + out.nbytes]

    def close(self) -> None:
        """Nothing is held that the garbage collector would not find."""

    def _require(self, end: int) -> None:
        if end > self.size:
            raise _short(self.path, end, self.size)


def open_source(path: str) -> Source:
    """The source for a path: by ``pread`` if it is plain, in memory if it is gzipped as a whole."""
    source = FileSource(path)
    if bytes(source.read(0, min(2, source.size))) == GZIP_MAGIC:
        return memory_source(path, source.read(0, source.size))
    return source


def memory_source(path: str, data: bytes | np.ndarray) -> MemorySource:
    """The source for the bytes of a file, decompressed if they are gzipped as a whole."""
    if bytes(data[:2]) == GZIP_MAGIC:
        data = _gunzip(path, bytes(data))
    return MemorySource(path, data)


def read_whole(path: str) -> np.ndarray:
    """All bytes of a file (uint8), read once; UnreadableFrame says why not."""
    source = FileSource(path)
    try:
        return source.read(0, source.size)
    finally:
        source.close()


def other_archive(start: bytes) -> str | None:
    """The name of an archive format that is not read here but could be taken for a broken FITS file."""
    return next((name for magic, name in _OTHER_ARCHIVES.items() if start.startswith(magic)), None)


def _open(path: str) -> int:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise UnreadableFrame(f"{path} is not a file", hint="Give FITS files, not folders.", file=path)
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise _not_readable(path, error) from error


def _not_readable(path: str, error: Exception) -> UnreadableFrame:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return UnreadableFrame(
        f"{Path(path).name} cannot be read: {reason}",
        hint=f"Look at {path}: does it exist, and may you read it?",
        file=path,
    )


def _short(path: str, wanted: int, size: int) -> UnreadableFrame:
    return UnreadableFrame(
        f"{Path(path).name} is truncated: byte {wanted} is needed, the file ends at {size}",
        hint="Copy the file again from where it was taken.",
        file=path,
    )


def _gunzip(path: str, data: bytes) -> bytes:
    """Decompress a gzip file of one or more members, up to `LARGEST_FILE`."""
    name = Path(path).name
    parts: list[bytes] = []
    total = 0
    rest = data
    while rest[:2] == GZIP_MAGIC:
        engine = zlib.decompressobj(wbits=31)
        try:
            part = engine.decompress(rest, LARGEST_FILE - total + 1)
        except zlib.error as error:
            raise UnreadableFrame(
                f"{name} is a corrupt gzip file: {error}",
                hint="Copy the file again from where it was taken.",
                file=path,
            ) from error
        total += len(part)
        if total > LARGEST_FILE:
            raise UnreadableFrame(
                f"{name} unpacks to more than {LARGEST_FILE >> 30} GiB",
                hint="That is no raw frame; unpack it by hand if you trust it.",
                file=path,
            )
        if not engine.eof:
            raise UnreadableFrame(
                f"{name} is a truncated gzip file ({total} bytes unpacked)",
                hint="Copy the file again from where it was taken.",
                file=path,
            )
        parts.append(part)
        rest = engine.unused_data
    return b"".join(parts)
