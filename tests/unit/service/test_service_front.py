"""The front door: every use case is there, imported when it is asked for, and told apart from what is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fiducial import service
from fiducial.cameras import load_camera
from fiducial.errors import ConfigurationError, NothingToDo, UsageError
from fiducial.service.ingesting import found
from fiducial.service.planning import check_settings, plan_in
from fiducial.service.request import Request


@pytest.mark.parametrize("name", service.__all__)
def test_every_use_case_is_a_function_that_says_what_it_does(name: str) -> None:
    function = getattr(service, name)
    assert callable(function)
    assert function.__doc__
    # A module of the same name would stand in its place from the second time on.
    assert getattr(service, name) is function


def test_what_is_no_use_case_is_an_error() -> None:
    with pytest.raises(AttributeError, match="nosuch"):
        service.nosuch  # noqa: B018


def test_the_front_door_itself_is_light() -> None:
    program = "import sys, fiducial.service; print(*{n.partition('.')[0] for n in sys.modules})"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"lsst", "numpy", "astropy", "pydantic"} & set(ended.stdout.split())


def test_files_are_found_once_and_in_order(tmp_path: Path) -> None:
    names = ["b.fits", "a.FITS", "c.fits.fz", "d.txt", "sub/e.fit", "sub/f.fits.gz"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    listed = found([tmp_path / "c.fits.fz", tmp_path, tmp_path / "d.txt", tmp_path / "lost.fits"])
    # What is named is taken whatever it is called, there or not: reading it will say what is wrong.
    assert [path.relative_to(tmp_path).as_posix() for path in listed] == [
        "c.fits.fz",
        "a.FITS",
        "b.fits",
        "sub/e.fit",
        "sub/f.fits.gz",
        "d.txt",
        "lost.fits",
    ]


def test_a_folder_without_frames_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"no raw frames are below {tmp_path}"):
        found([tmp_path])
    with pytest.raises(UsageError, match="no files are named"):
        found([])


def test_a_request_has_a_default_for_everything() -> None:
    camera = load_camera("simcam")
    request = Request()
    assert request.ticket_for(20260115) == "night-20260115"
    assert request.settings_for(camera, "bias") == camera.defaults.selection_of("bias")


def test_a_request_overrides_what_the_camera_says() -> None:
    camera = load_camera("simcam")
    request = Request(ticket="CAL-1", world="adu", minimum=7, skip_first=0)
    assert request.ticket_for(20260115) == "CAL-1"
    settings = request.settings_for(camera, "flat")
    assert (settings.minimum, settings.skip_first) == (7, 0)
    assert settings.wanted == camera.defaults.selection_of("flat").wanted


def test_an_unknown_kind_is_named_before_anything_is_read() -> None:
    repository: object = None
    with pytest.raises(UsageError, match="no kind of calibration is called bais"):
        plan_in(repository, ["bias", "bais"], Request())  # type: ignore[arg-type]


def test_settings_of_any_of_the_products_are_accepted_and_others_refused() -> None:
    check_settings(["bias", "flat"], [])
    check_settings(["bias", "flat"], ["bias:kappa=4", "verifyFlatJudge:criteria=limits.yaml"])
    check_settings(["flatBootstrap"], ["flatBootstrap:kappa=4"])
    with pytest.raises(ConfigurationError, match="there is no task dark"):
        check_settings(["bias", "flat"], ["dark:kappa=4"])
    with pytest.raises(ConfigurationError, match="kapa"):
        check_settings(["bias", "flat"], ["flat:kapa=4"])


def test_history_of_what_is_no_repository(tmp_path: Path) -> None:
    from fiducial.errors import RepositoryError

    with pytest.raises(RepositoryError, match="is no repository"):
        service.history(tmp_path)


def test_a_draft_of_nothing_readable_says_why(tmp_path: Path) -> None:
    with pytest.raises(NothingToDo) as caught:
        service.draft_camera([tmp_path / "lost.fits"])
    assert "lost.fits" in caught.value.hint


def test_no_module_hides_a_use_case() -> None:
    modules = {path.stem for path in Path(service.__file__).parent.glob("*.py")}
    assert not modules & set(service.__all__)
