"""What the rooms may import and how large they may grow: what import-linter cannot say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "fiducial"
MODULES = sorted(PACKAGE.rglob("*.py"))

MAY_IMPORT = {
    # package of the middleware: rooms (or files) that may import it when they run
    "lsst.pipe.base": {"execution", "kinds", "repository/instruments.py", "verify"},
    "lsst.daf.butler": {"execution", "repository"},
    "lsst.resources": {"repository"},
    "lsst.images": {"products", "repository"},
    "lsst.pex.config": {"corrections", "kinds", "verify"},
    "lsst.utils.packages": {"execution"},
    "lsst.utils.threads": {"execution"},
}

MOST_LINES = 300
LONGER_FILES: dict[str, str] = {}
"""File: why it is one idea all the same."""

MOST_LINES_OF_CODE = 50
"""Of one function, its docstring aside: a screen."""

TEXTS = ("src", "tests", "docs", "tools", "benchmarks", ".ci")
UNWANTED = {
    "a path of somebody's machine": re.compile(r"""(?<![\w.}])/(?:home|root|Users|work|opt/dev)/\w"""),
    "words about something else than the project": re.compile("helper session|other helpers", re.IGNORECASE),
    "a mark of unfinished work": re.compile(r"\b(?:FIXME|XXX|TODO)\b"),
}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def running(node: ast.AST) -> Iterator[ast.AST]:
    """Every node below one that runs: not what is imported for the type checker only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for other in child.orelse:
                yield other
                yield from running(other)
        else:
            yield child
            yield from running(child)


def imports(path: Path) -> Iterator[str]:
    for node in running(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from lsst.pipe import base` is an import of lsst.pipe.base too.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = function.body[0]
    docstring = 0
    if ast.get_docstring(function) is not None and first.end_lineno is not None:
        docstring = first.end_lineno - first.lineno + 1
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1 - docstring


def test_the_parser_of_these_tests_sees_what_runs_and_only_that() -> None:
    source = """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import a
else:
    import b
def f():
    from c import d
"""
    tree = ast.parse(source)
    found = [ast.unparse(n) for n in running(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert found == ["from typing import TYPE_CHECKING", "import b", "from c import d"]


def test_the_middleware_stays_in_its_rooms() -> None:
    wrong = []
    for path, imported in ((module, name) for module in MODULES for name in imports(module)):
        if imported.startswith("lsst"):
            known = [package for package in MAY_IMPORT if f"{imported}.".startswith(f"{package}.")]
            allowed = MAY_IMPORT[known[0]] if known else set()
            if not {name_of(path), name_of(path).split("/")[0]} & allowed:
                wrong.append(f"{name_of(path)} imports {imported}; {sorted(allowed) or 'nobody'} may")
    assert not wrong


def test_every_permission_is_used() -> None:
    used = {(name_of(path), imported) for path in MODULES for imported in imports(path)}
    for package, rooms in MAY_IMPORT.items():
        importers = {name for name, imported in used if f"{imported}.".startswith(f"{package}.")}
        unused = [room for room in rooms if not any(f"{i}/".startswith(f"{room}/") for i in importers)]
        assert not unused, f"{unused} need not import {package}"


def test_no_file_is_long() -> None:
    long = {name_of(p) for p in MODULES if len(p.read_text("utf-8").splitlines()) > MOST_LINES}
    assert long == set(LONGER_FILES)


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{name_of(path)}:{function.lineno} {function.name}"
        for path in MODULES
        for function in functions(path)
        if lines_of_code(function) > MOST_LINES_OF_CODE
    ]
    assert not long


def test_every_module_says_what_it_is_for() -> None:
    assert not [name_of(path) for path in MODULES if not ast.get_docstring(parsed(path))]


def test_every_room_has_an_init() -> None:
    folders = {path.parent for path in MODULES}
    assert not [name_of(folder) for folder in folders if not (folder / "__init__.py").is_file()]


def test_nothing_prints() -> None:
    calls = [
        f"{name_of(path)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not calls, "the command line speaks through cli/show.py, everything else through logging"


def texts() -> Iterator[Path]:
    below = (p for folder in TEXTS for p in (ROOT / folder).rglob("*"))
    for path in (*below, *ROOT.iterdir()):
        built = {"__pycache__", "_build", "generated"} & set(path.parts)
        if path.is_file() and not built and path.suffix not in (".so", ".pyc", ".lock", ".png"):
            yield path


@pytest.mark.parametrize("what", UNWANTED)
def test_the_tree_speaks_of_the_project_alone(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in texts()
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1)
        if UNWANTED[what].search(line) and path != Path(__file__)
    ]
    assert not found, f"{what}:\n" + "\n".join(found)


def test_helper_modules_of_tests_have_names_of_their_own() -> None:
    names = [
        path.name
        for path in (ROOT / "tests").rglob("*.py")
        if path.name not in ("conftest.py", "__init__.py")
    ]
    assert sorted(names) == sorted(set(names))
