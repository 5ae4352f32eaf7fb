"""The FITS library's decoders of HCOMPRESS and PLIO, in a process of their own.

Damaged bytes make them write outside their memory, or go on for ever. What dies of it, or is ended, is a
helper process and never the one that reads frames. It is started with the first such image and serves
one decoding after the other, each with a length (8 bytes) and as many bytes of a FITS file; it answers
with a length and a NumPy file.
"""

from __future__ import annotations

import atexit
import io
import os
import resource
import subprocess
import sys
import threading
from functools import cache
from typing import IO

import numpy as np

from fiducial.frames.tile_bytes import BadTile

_MOST_MEMORY = 8 << 30  # bytes of the helper; a damaged size would ask for more
_SECONDS_TO_START = 30.0
_PIXELS_PER_SECOND = 1e6


def decode_apart(file: bytes, pixels: int) -> np.ndarray:
    """The pixels of the first extension of a small FITS file; BadTile if the library cannot decode it."""
    return _helper(os.getpid()).decode(file, _SECONDS_TO_START + pixels / _PIXELS_PER_SECOND)


class _Helper:
    """One helper process, for all threads of this one; started when it is needed, and again if it died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)

    def decode(self, file: bytes, seconds: float) -> np.ndarray:
        with self._lock:
            fresh = self._process is None
            answer = self._ask(file, seconds)
            if not answer and not fresh:  # something before may have damaged it
                answer = self._ask(file, seconds)
        if not answer:
            raise BadTile("cannot be decoded by the FITS library")
        values: np.ndarray = np.load(io.BytesIO(answer), allow_pickle=False)
        return values

    def _ask(self, file: bytes, seconds: float) -> bytes:
        process = self._process = self._process or _start()
        assert process.stdin is not None  # noqa: S101  a pipe
        assert process.stdout is not None  # noqa: S101  a pipe
        limit = threading.Timer(seconds, process.kill)
        limit.start()
        answer = b""
        try:
            _send(process.stdin, file)
            answer = _receive(process.stdout)
        except BrokenPipeError:
            pass
        finally:
            limit.cancel()
            if not answer:  # half an answer would be taken for the next one's
                self.stop()
        return answer

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


@cache
def _helper(_process_id: int) -> _Helper:
    # A fork must not share its parent's helper: each would read the other's answers.
    return _Helper()


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "fiducial.frames.decode_apart"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)  # noqa: S603


def _send(stream: IO[bytes], data: bytes) -> None:
    stream.write(len(data).to_bytes(8, "big"))
    stream.write(data)
    stream.flush()


def _receive(stream: IO[bytes]) -> bytes:
    """What was sent; nothing if the other side has ended."""
    size = int.from_bytes(stream.read(8), "big")
    data = stream.read(size)
    return data if len(data) == size else b""


def serve() -> None:
    """Decode what comes in until nothing comes; whatever goes wrong ends the process."""
    from astropy.io import fits

    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the library prints is no answer
    while file := _receive(sys.stdin.buffer):
        with fits.open(io.BytesIO(file), memmap=False, do_not_scale_image_data=True) as opened:
            stream = io.BytesIO()
            np.save(stream, np.asarray(opened[1].data), allow_pickle=False)
        _send(answers, stream.getvalue())


if __name__ == "__main__":
    serve()
