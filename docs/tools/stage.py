"""Where commands are run for the documentation, and how they and what they say are written down."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import selectors
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]
CHECKOUT = DOCS.parent
RUNS = DOCS / "runs"
STATIC = DOCS / "_static"
HOME = "/calib"
"""Stands for the folder in which everything is made: as long as ``/tmp/x``, so that tables stay aligned."""

COLUMNS = 126
"""Width of the terminal that commands believe to write to."""

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")
_PROGRESS = re.compile(
    r"^(reading frames|detrending|verifying \w+|simulating \w+|[\w-]+\.\d{8}[a-z]+): \d+( of \d+ ?.*)?$"
)
_NOISE = re.compile(r"Unable to import eups|^lsst\.utils\.packages WARNING|^WARNING: Location 'file:")
_FORBIDDEN = re.compile(r"/work/|/opt/|/tmp/|/root\b|/home/|site-packages")


class Stage:
    """A folder to work in, with the programs that users call.

    Parameters
    ----------
    scratch
        Where everything is made; nothing else is written but what is recorded.
    real_data
        Folder of the real frames; None where there are none.
    """

    def __init__(self, scratch: Path, real_data: Path | None) -> None:
        self.scratch = scratch
        self.real_data = real_data
        scratch.mkdir(parents=True, exist_ok=True)
        programs = Path(sys.executable).parent
        self.environment = os.environ | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "TERM": "xterm",
            "LANG": "C.UTF-8",
            "LOGNAME": "observer",
            "USER": "observer",
            "PYTHONWARNINGS": "ignore",
        }
        self.environment.pop("COLUMNS", None)
        self.environment["PYTHONPATH"] = str(_without_the_tests_plugin(scratch))

    def place(self, name: str, *, fresh: bool = True) -> Path:
        """Give a folder below the scratch folder, emptied unless it is to be kept."""
        folder = self.scratch / name
        if fresh and folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def raw_frames(self, name: str, folder: Path) -> None:
        """Make the real frames of a camera appear in a folder, under the folder's own name."""
        if self.real_data is None:
            raise SystemExit("the real frames are not here")
        (folder / name).symlink_to(self.real_data / name)

    @contextmanager
    def transcript(self, name: str, folder: Path) -> Iterator[Transcript]:
        """Record what is run in a folder into ``runs/NAME.txt``."""
        transcript = Transcript(self, folder)
        yield transcript
        transcript.write(RUNS / f"{name}.txt")


class Transcript:
    """Commands and what they said, one after another.

    Parameters
    ----------
    stage
        Whose programs are called.
    folder
        In which they are called; the folder above it is written as ``/calib``.
    """

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self.folder = folder
        self.parts: list[str] = []

    def run(
        self,
        command: str,
        *,
        code: int | Sequence[int] = 0,
        shown: str | None = None,
        lines: int | None = None,
        quiet: bool = False,
    ) -> str:
        """Call a command by a shell, and write down what it says.

        Parameters
        ----------
        command
            For bash.
        code
            The exit code, or codes, that are right; any other one stops the recording.
        shown
            Written down instead of the command.
        lines
            So many lines are kept at the beginning, and three at the end.
        quiet
            Whether to write nothing down.

        Returns
        -------
        What it said.
        """
        ended, text = _call(command, self.folder, self.stage.environment)
        text = neutral(text, self.stage.scratch)
        allowed = (code,) if isinstance(code, int) else tuple(code)
        if ended not in allowed:
            raise SystemExit(f"{command}\nended with {ended}, not {code}:\n{text}")
        if quiet:
            return text
        said = _shortened(text, lines)
        exit_line = [f"[exit code {ended}]"] if ended else []
        self.parts.append("\n".join(["$ " + (shown or command).strip(), *said, *exit_line]))
        print(self.parts[-1], flush=True)
        return text

    def note(self, text: str) -> None:
        """Write a line of explanation down."""
        self.parts.append(f"# {text}")

    def write(self, file: Path) -> None:
        """Write everything into a file, with date and versions on top."""
        text = header() + "\n\n" + "\n\n".join(self.parts) + "\n"
        if found := _FORBIDDEN.search(text):
            start = max(found.start() - 60, 0)
            raise SystemExit(f"{file.name} names a path of this machine: ...{text[start : found.end() + 40]}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def _without_the_tests_plugin(scratch: Path) -> Path:
    """A folder for PYTHONPATH that hides the entry points of the plug-in package of the tests.

    Users do not have that package. Of two distributions of one name Python takes the first on its path.
    """
    folder = scratch / "no-plugin"
    information = folder / "fiducial_plugin-0.1.0.dist-info"
    information.mkdir(parents=True, exist_ok=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: fiducial-plugin\nVersion: 0.1.0\n")
    return folder


def short_folder() -> Path:
    """A folder of one letter that is not there yet."""
    for letter in "abcdefghijklmnopqrstuvwxyz":
        if not (folder := Path(tempfile.gettempdir()) / letter).exists():
            return folder
    return Path(tempfile.mkdtemp(prefix="fiducial-docs-"))


def header() -> str:
    """When this was recorded, and with what."""
    packages = ("fiducial", "lsst-daf-butler", "lsst-pipe-base", "astropy", "numpy")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    python = ".".join(str(part) for part in sys.version_info[:3])
    return f"# {datetime.now(UTC):%Y-%m-%d}, {versions}, Python {python}"


def neutral(text: str, scratch: Path) -> str:
    """Take the machine out of what a command said: its paths, its user, its progress lines."""
    from importlib.resources import files

    package = str(files("fiducial"))
    text = _ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    for old, new in (
        (f"{package}/pipelines", "$FIDUCIAL/pipelines"),
        (package, "$FIDUCIAL"),
        (str(scratch), HOME),
        (str(CHECKOUT), "fiducial"),
        (str(Path(sys.executable).parent) + "/", ""),
        (os.uname().nodename, "host"),
        (" root:", " observer:"),
    ):
        text = text.replace(old, new)
    kept = [line.rstrip() for line in text.split("\n")]
    kept = [line for line in kept if not _PROGRESS.match(line) and not _NOISE.search(line)]
    return "\n".join(kept).strip("\n")


def _shortened(text: str, lines: int | None) -> list[str]:
    said = re.sub(r"\n{3,}", "\n\n", text).split("\n") if text else []
    if lines is None or len(said) <= lines + 4:
        return said
    return [*said[:lines], f"... {len(said) - lines - 3} lines more ...", *said[-3:]]


def _call(command: str, folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Run a command whose standard output is a terminal, so that it writes as it does for people."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    process = subprocess.Popen(
        ["/bin/bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
    )
    os.close(follower)
    assert process.stderr is not None
    said = bytearray()
    with selectors.DefaultSelector() as watched:
        watched.register(leader, selectors.EVENT_READ)
        watched.register(process.stderr.fileno(), selectors.EVENT_READ)
        while watched.get_map():
            for key, _ in watched.select():
                try:
                    data = os.read(key.fd, 65536)
                except OSError:  # a terminal whose other side is closed says so
                    data = b""
                if data:
                    said += data
                else:
                    watched.unregister(key.fd)
    os.close(leader)
    return process.wait(), said.decode(errors="replace")
