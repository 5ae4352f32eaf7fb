"""The exception tree: exit codes, pickling, and finding our error in what libraries wrapped around it."""

from __future__ import annotations

import pickle

import pytest

from fiducial import errors
from fiducial.errors import FiducialError, FrameError, HeaderError, NothingToDo, chain_of, first_of_ours


def everything() -> list[type[FiducialError]]:
    return [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, FiducialError)]


def test_every_error_is_drawn_in_the_tree_with_its_exit_code() -> None:
    drawn = {
        words[0]: int(words[1])
        for line in (errors.__doc__ or "").splitlines()
        if len(words := line.replace("│", " ").replace("├──", " ").replace("└──", " ").split()) > 2
        and words[1].isdigit()
    }
    defined = {error.__name__: error.exit_code for error in everything() if error is not FiducialError}
    assert drawn == defined
    assert len({error.id for error in everything()}) == len(everything())


def test_an_error_survives_the_way_to_another_process() -> None:
    error = HeaderError("no EXPTIME", hint="add it", file="a.fits", hdu=2, keyword="EXPTIME")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own bytes)
    assert type(again) is HeaderError
    assert (again.message, again.hint, again.file, again.hdu, again.keyword) == (
        "no EXPTIME",
        "add it",
        "a.fits",
        2,
        "EXPTIME",
    )
    assert str(again) == "no EXPTIME\n  add it"


def test_our_error_is_found_below_others() -> None:
    ours = NothingToDo("no frames")
    wrapped = RuntimeError("graph")
    wrapped.__cause__ = ValueError("quantum")
    wrapped.__cause__.__context__ = ours
    assert first_of_ours(wrapped) is ours
    assert first_of_ours(RuntimeError("theirs")) is None


def test_a_ring_of_errors_ends() -> None:
    first, second = RuntimeError("a"), ValueError("b")
    first.__context__, second.__cause__ = second, first
    assert list(chain_of(first)) == [first, second]
    assert first_of_ours(first) is None


@pytest.mark.parametrize("error", everything(), ids=lambda error: error.__name__)
def test_frame_errors_name_the_frame_and_the_others_need_not(error: type[FiducialError]) -> None:
    made = error("what")
    assert hasattr(made, "file") == isinstance(made, FrameError)
