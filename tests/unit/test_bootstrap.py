"""A clean machine: which Python and which compiler are found, and what is said where there is none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools"
REAL = Path(sys.executable)

FAILS = "#!/bin/sh\necho 'Python 2.7.18' >&2\nexit 1\n"
SHIM = '#!/bin/sh\necho "pyenv: $(basename $0): command not found" >&2\nexit 127\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The only folder on PATH: a few plain tools, no Python and no compiler."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "basename", "cp", "env", "find", "make", "mkdir", "printf", "touch"):
        found = shutil.which(name)
        assert found is not None, name
        (folder / name).symlink_to(found)
    return folder


def program(file: Path, text: str = f'#!/bin/sh\nexec "{REAL}" "$@"\n') -> Path:
    """A program; by default it is this Python."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return file


def patched(change: str) -> str:
    """This Python with something changed before it runs what it is given with -c."""
    return f'#!/bin/sh\nexec "{REAL}" -c "import sys, sysconfig\n{change}\n$2"\n'


def call(tool: str, path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    home = path.parent / "home"
    return subprocess.run(
        ["/bin/sh", str(TOOLS / tool)],
        env={"PATH": str(path), "HOME": str(home)} | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def found(ended: subprocess.CompletedProcess[str]) -> Path:
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    (line,) = ended.stdout.splitlines()
    return Path(line)


def refused(ended: subprocess.CompletedProcess[str]) -> str:
    """One line for people, nothing for programs."""
    assert ended.returncode == 1
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("fiducial: ")
    return line


@pytest.mark.parametrize("name", ["python3.13", "python3.12", "python3", "python"])
def test_a_python_on_the_path(path: Path, name: str) -> None:
    program(path / name)
    assert found(call("find-python", path)) == REAL


def test_an_old_python_on_the_path_is_passed_over(path: Path) -> None:
    program(path / "python3", FAILS)
    program(path / "python3.12")
    assert found(call("find-python", path)) == REAL


def test_the_one_that_is_asked_for_comes_first(path: Path) -> None:
    program(path / "python3.13", FAILS)
    mine = program(path.parent / "my pythons" / "python")
    assert found(call("find-python", path, PYTHON=str(mine))) == REAL


@pytest.mark.parametrize("told_by", ["pyenv root", "PYENV_ROOT", "HOME"])
def test_only_shims_of_pyenv_on_the_path(path: Path, told_by: str) -> None:
    root = path.parent / ("home/.pyenv" if told_by == "HOME" else "pyenv")
    for name in ("python3.13", "python3.12", "python3", "python"):
        program(path / name, SHIM)
    program(path / "pyenv", f"#!/bin/sh\necho {root}\n" if told_by == "pyenv root" else FAILS)
    program(root / "versions" / "3.11.7" / "bin" / "python3", FAILS)
    program(root / "versions" / "3.13.0" / "bin" / "python3")
    variables = {"PYENV_ROOT": str(root)} if told_by == "PYENV_ROOT" else {}
    assert found(call("find-python", path, **variables)) == REAL


def test_only_through_uv(path: Path) -> None:
    hidden = program(path.parent / "uv" / "python" / "cpython-3.12" / "bin" / "python3.12")
    program(
        path / "uv",
        f"""#!/bin/sh
case "$*" in
    "python find --system 3.12") echo {hidden} ;;
    *) echo "error: No interpreter found for $4" >&2; exit 2 ;;
esac
""",
    )
    assert found(call("find-python", path)) == REAL


def test_uv_installs_one_where_there_is_none(path: Path) -> None:
    hidden = path.parent / "uv" / "python3.13"
    program(
        path / "uv",
        f"""#!/bin/sh
case "$*" in
    "python install -q 3.13") mkdir -p {hidden.parent}; cp {path}/template {hidden} ;;
    "python find --system 3.13") [ -x {hidden} ] && echo {hidden} ;;
    *) exit 2 ;;
esac
""",
    )
    program(path / "template")
    assert found(call("find-python", path)) == REAL


def test_none_at_all(path: Path) -> None:
    line = refused(call("find-python", path))
    assert "no Python >= 3.12 found on PATH, under pyenv or through uv" in line
    assert "PYTHON=" in line


def test_a_uv_that_cannot_reach_the_network_is_none(path: Path) -> None:
    program(path / "uv", "#!/bin/sh\necho 'error: failed to download' >&2\nexit 2\n")
    assert "no Python >= 3.12 found" in refused(call("find-python", path))


def test_a_python_without_its_headers_is_named(path: Path) -> None:
    program(path / "python3.12", patched("sysconfig.get_path = lambda name: '/nowhere'"))
    line = refused(call("find-python", path))
    assert line.startswith("fiducial: python3.12 has no Python.h: install its development package")


def test_a_python_that_makes_no_environments_is_named(path: Path) -> None:
    program(path / "python3.12", patched("sys.modules['ensurepip'] = None"))
    line = refused(call("find-python", path))
    assert line.startswith("fiducial: python3.12 cannot make environments: install its package")


def test_a_compiler_on_the_path(path: Path) -> None:
    compiler = shutil.which("c++")
    assert compiler is not None
    program(path / "c++", FAILS)
    program(path / "clang++", f'#!/bin/sh\nPATH=/usr/local/bin:/usr/bin:/bin exec {compiler} "$@"\n')
    assert found(call("find-compiler", path)) == Path("clang++")


def test_the_compiler_that_is_asked_for_may_have_a_prefix(path: Path) -> None:
    compiler = shutil.which("c++")
    program(path / "mine", f'#!/bin/sh\nPATH=/usr/local/bin:/usr/bin:/bin exec {compiler} "$@"\n')
    assert str(found(call("find-compiler", path, CXX="env mine"))) == "env mine"


def test_no_compiler(path: Path) -> None:
    line = refused(call("find-compiler", path))
    assert "no C++ compiler that knows C++20" in line
    assert "CXX=" in line


@pytest.mark.parametrize(
    ("missing", "says"),
    [("compiler", "no C++ compiler that knows C++20"), ("python", "no Python >= 3.12 found")],
)
def test_make_says_what_is_missing_before_it_makes_anything(path: Path, missing: str, says: str) -> None:
    checkout = path.parent / "checkout"
    checkout.mkdir()
    for name in ("Makefile", "requirements.lock", "CMakeLists.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, checkout)
    shutil.copytree(TOOLS, checkout / "tools")
    (checkout / "src").mkdir()
    (checkout / "tests" / "plugin").mkdir(parents=True)
    if missing == "python":
        compiler = shutil.which("c++")
        program(path / "c++", f'#!/bin/sh\nPATH=/usr/local/bin:/usr/bin:/bin exec {compiler} "$@"\n')
    ended = subprocess.run(
        ["make", "test"],
        cwd=checkout,
        env={"PATH": str(path), "HOME": str(path.parent / "home")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 2  # what make says when a step fails
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (checkout / ".venv").exists()
