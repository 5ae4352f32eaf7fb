"""The help: quick, light, with an example that is a valid command for every verb."""

from __future__ import annotations

import resource
import shlex
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from commands import BIN, fiducial
from fiducial.cli.main import VERBS, Verbs
from fiducial.cli.main import fiducial as group

HEAVY = ("astropy", "lsst", "matplotlib", "numpy", "pyarrow", "pydantic", "rich", "scipy", "yaml")
QUICK = 0.3  # s of user time


def verbs() -> Iterator[tuple[str, click.Command]]:
    """Every verb and every verb below one, with its words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            below = click.Context(command, info_name=name)
            for part in command.list_commands(below):
                found = command.get_command(below, part)
                assert found is not None
                yield f"{name} {part}", found


ALL = dict(verbs())
LEAVES = {name: command for name, command in ALL.items() if not isinstance(command, click.Group)}


def examples(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip().startswith("fiducial ")]


def test_help_is_quick() -> None:
    seconds = []
    for _ in range(3):  # the best of three: the machine does other things too
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run([str(BIN / "fiducial"), "--help"], check=True, capture_output=True)
        seconds.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before)
    assert min(seconds) < QUICK


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["make", "--help"], ["nosuchverb"]])
def test_nothing_heavy_is_imported_to_say_something_simple(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "from fiducial.cli.main import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
    )
    loaded = set(ended.stdout.splitlines()[-1].split())
    assert "click" in loaded
    assert not loaded & set(HEAVY)


def test_help_lists_every_verb_with_what_it_does() -> None:
    out = fiducial("--help").out
    for verb, (_, text) in VERBS.items():
        assert f"  {verb} " in out
        assert text.split()[0] in out
    assert out == fiducial("-h").out


@pytest.mark.parametrize("name", ALL)
def test_every_verb_has_an_example_that_it_understands(name: str) -> None:
    command = ALL[name]
    assert command.help
    found = examples(command.help)
    assert found, f"{name} --help has no example"
    for example in found:
        understood(example)


def test_the_examples_of_the_first_page_are_understood() -> None:
    assert group.help is not None
    found = examples(group.help)
    assert len(found) == 4
    for example in found:
        understood(example)


def understood(example: str) -> None:
    """Parse an example as the program would, without running it."""
    _, *words = shlex.split(example.partition(" > ")[0])
    context = group.make_context("fiducial", words[:1])
    command = group.get_command(context, words[0])
    assert command is not None, example
    rest = words[1:]
    if isinstance(command, click.Group):
        inner = command.make_context(words[0], rest[:1], parent=context)
        found = command.get_command(inner, rest[0])
        assert found is not None, example
        command, rest = found, rest[1:]
    # The bundle folder of an import must be there; an example's is not.
    for parameter in command.params:
        if isinstance(parameter.type, click.Path):
            parameter.type.exists = False
    command.make_context(words[0], rest, parent=context)


@pytest.mark.parametrize("name", LEAVES)
def test_every_verb_speaks_to_machines(name: str) -> None:
    assert "--json" in [option for parameter in LEAVES[name].params for option in parameter.opts]


@pytest.mark.parametrize("name", LEAVES)
def test_every_option_says_what_it_is(name: str) -> None:
    for parameter in LEAVES[name].params:
        if isinstance(parameter, click.Option) and not parameter.help:
            # What shows its default or its choices explains itself.
            assert parameter.show_default or isinstance(parameter.type, click.Choice), parameter.name


def test_verbs_that_are_named_are_there() -> None:
    assert isinstance(group, Verbs)
    assert list(VERBS) == group.list_commands(click.Context(group))
