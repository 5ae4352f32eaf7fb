"""Three nights of a simulated camera: certified, the same, and changed in four ways, each found and named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from astropy import units as u
from astropy.table import QTable

from commands import fiducial
from fiducial import service
from fiducial.cameras import load_camera
from fiducial.cameras.model import AmplifierValues, Camera
from fiducial.errors import NothingToDo, UsageError
from fiducial.repository import Repository
from fiducial.service.comparing_nights import Status
from fiducial.service.request import Request
from fiducial.simulation import Effects, NightPlan, Physics, simulate_night
from fiducial.simulation.effects.hot_columns import HotColumns

pytestmark = pytest.mark.xdist_group("status")

NIGHTS = (20260115, 20260116, 20260117)
PHYSICS = Physics(hot_rate=20.0)
CHANGED = PHYSICS.model_copy(
    update={"dark_rate": 0.08, "effects": Effects(hot_columns=HotColumns(count=1, rate=60.0))}
)
"""Twice the dark current, and a hot column on each amplifier."""


def with_other_values(camera: Camera) -> Camera:
    """The camera with 6 per cent more gain on A, and 15 per cent more noise on B."""
    first = camera.detectors[0]
    a, b = camera.amplifiers(first.id)
    values = {"A": AmplifierValues(gain=1.06 * a.gain), "B": AmplifierValues(read_noise=1.15 * b.read_noise)}
    return camera.model_copy(
        update={"detectors": (first.model_copy(update={"amplifiers": values}), *camera.detectors[1:])}
    )


@pytest.fixture(scope="module")
def camera_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulated camera with one of its detectors."""
    content = yaml.safe_load(files("fiducial.cameras").joinpath("data/simcam.yaml").read_text("utf-8"))
    content["detectors"] = content["detectors"][:1]
    file = tmp_path_factory.mktemp("camera") / "simcam.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


@pytest.fixture(scope="module")
def frames(camera_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """The raw frames of a night, by its number."""
    folder = tmp_path_factory.mktemp("nights")

    def simulate(number: int) -> Path:
        camera = load_camera(camera_file)
        plan = NightPlan(
            night=date(2026, 1, 15 + number),
            biases=6,
            darks=4,
            flats=6,
            science=0,
            filters=("g",),
            physics=CHANGED if number == 2 else PHYSICS,
            earlier=1000 * number,
        )
        own = with_other_values(camera) if number == 2 else camera
        simulate_night(own, folder / str(number), plan=plan, seed=3)
        return folder / str(number)

    return simulate


@pytest.fixture(scope="module")
def first(
    camera_file: Path, frames: Callable[[int], Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str]]:
    """A repository with one night in which all was made and nothing is certified, and the runs."""
    root = tmp_path_factory.mktemp("status") / "repo"
    service.init(root, camera_file)
    with pytest.raises(NothingToDo, match="nothing was measured yet"):
        service.status(root)
    service.ingest(root, [frames(0)])
    made = service.make(root, ["bias", "dark", "flat", "defects"], Request(night=NIGHTS[0]))
    before = service.status(root)
    assert (before.word, before.compared, before.nights) == ("unknown", 0, NIGHTS[:1])
    assert {one.reason for one in before.changes} == {"nothing was certified before"}
    assert fiducial("status", root, code=5).out.count("UNKNOWN") == 1
    return root, [one.run for one in made.products]


@pytest.fixture(scope="module")
def root(first: tuple[Path, list[str]], frames: Callable[[int], Path]) -> Path:
    """All three nights: the second is verified only, of the third everything is made."""
    folder, runs = first
    service.certify(folder, runs, begin="2026-01-15")
    service.ingest(folder, [frames(1), frames(2)])
    for kind, exposures in (("bias", (1, 6)), ("dark", (7, 10)), ("flat", (11, 16))):
        service.verify(folder, kind, "{0}{1:05d}..{0}{2:05d}".format(NIGHTS[1], *exposures))
    service.make(folder, ["bias", "dark", "flat", "defects"], Request(night=NIGHTS[2]))
    return folder


def words(status: Status) -> dict[tuple[str, str], str]:
    return {(one.quantity, one.amplifier): one.word for one in status.changes}


def test_the_night_that_was_certified_has_nothing_before_it(root: Path) -> None:
    status = service.status(root, night=NIGHTS[0])
    assert (status.word, status.compared) == ("unknown", 0)
    assert all(one.now is not None and one.now.certified for one in status.changes)


def test_a_night_that_is_only_verified_is_the_same(root: Path) -> None:
    status = service.status(root, night=NIGHTS[1])
    assert status.word == "same"
    assert words(status) == {
        (quantity, amplifier): "same"
        for quantity in ("amplifier_ratio", "bias_level", "bias_offset", "dark_rate", "gain", "read_noise")
        for amplifier in "AB"
    }
    assert "defects" in status.not_measured
    for one in status.changes:
        assert one.reference is not None
        assert one.reference.night == NIGHTS[0]
        assert abs(one.significance) < 4.0  # twelve of them: 1 in 1,300


def test_what_changed_is_found_and_named(root: Path) -> None:
    status = service.status(root)
    assert (status.night, status.word) == (NIGHTS[2], "changed")
    found = words(status)
    changed = {key for key, word in found.items() if word == "changed"}
    assert {("gain", "A"), ("read_noise", "B")} <= changed
    assert {
        ("dark_rate", "A"),
        ("dark_rate", "B"),
        ("defects column", "A"),
        ("defects column", "B"),
    } <= changed
    assert not {("gain", "B"), ("bias_level", "A"), ("bias_level", "B")} & changed
    by_key = {(one.quantity, one.amplifier): one for one in status.changes}
    for key, ratio in ((("gain", "A"), 1.06), (("read_noise", "B"), 1.15), (("dark_rate", "B"), 2.0)):
        one = by_key[key]
        assert one.reference is not None
        # The error counts all there is; five of them.
        assert one.change == pytest.approx((ratio - 1.0) * one.reference.value, abs=5.0 * one.error)
    # Frames of more electrons to the adu: their noise in adu is smaller, and the same in electrons.
    assert by_key["read_noise", "A"].change < 0


def test_the_reference_is_what_the_repository_finds(root: Path) -> None:
    status = service.status(root)
    kinds = {"dark_rate": "dark", "defects": "defects"}
    with Repository.open(root) as repository:
        for one in status.changes:
            if one.quantity in kinds:
                ref = repository.find_calibration(kinds[one.quantity], "2026-01-17T13:00:00", one.detector)
                assert ref is not None
                assert one.reference is not None
                assert one.reference.run == ref.run


def test_readings_are_near_the_truth(root: Path) -> None:
    """Gain, noise and dark rate of the first night against the simulated camera, within five errors."""
    from fiducial.simulation import load_truth

    with Repository.open(root) as repository:
        raws = Path(repository.records(night=NIGHTS[0])[0].file).parent
    truth = load_truth(raws).detectors[0]
    windows = {amp.name: amp.detector.slices for amp in load_camera("simcam").amplifiers(0)}
    seen = set()
    for one in service.status(root, night=NIGHTS[0]).readings:
        if one.night != NIGHTS[0] or one.quantity not in ("gain", "read_noise", "dark_rate"):
            continue
        own = truth.amplifier(one.amplifier)
        if one.quantity == "gain":
            assert one.value == pytest.approx(own.gain, abs=5.0 * one.error)
        if one.quantity == "read_noise":
            # Electrons by the gain of the camera file.
            assert one.value == pytest.approx(own.read_noise * one.gain / own.gain, abs=5.0 * one.error)
        if one.quantity == "dark_rate":
            rate = float(np.median(truth.dark[windows[one.amplifier]])) * one.gain / own.gain
            assert one.value == pytest.approx(rate, abs=5.0 * one.error)
        seen.add(one.quantity)
    assert seen == {"gain", "read_noise", "dark_rate"}


def test_the_command_line_says_it_in_words_codes_and_files(root: Path, tmp_path: Path) -> None:
    table, figure = tmp_path / "nights.ecsv", tmp_path / "history.svg"
    ran = fiducial("status", root, "--write", table, "--plot", figure, code=4)
    assert "SimCam in the night 20260117: CHANGED" in ran.out
    assert ran.out.splitlines()[-1].startswith("next: fiducial status")
    nights = QTable.read(table)
    assert sorted(set(nights["night"].tolist())) == list(NIGHTS)
    assert nights["gain"].unit == u.electron / u.adu
    assert nights["read_noise_error"].unit == u.electron
    assert nights["dark_rate"].unit == u.electron / u.s
    assert bool(nights["defects"].mask[nights["night"] == NIGHTS[1]].all())
    assert "<svg" in figure.read_text("utf-8")
    same = fiducial("status", root, "--night", NIGHTS[1], "--history")
    assert "readings by night" in same.out
    assert "SAME" in same.out
    said: Any = fiducial("status", root, "--night", NIGHTS[1], "--quantity", "gain", "--json").json()
    assert {one["quantity"] for one in said["changes"]} == {"gain"}
    assert said["readings"] == []
    assert said["word"] == "same"


def test_limits_of_ones_own_decide(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text("quantities: {gain: {relative: 0.2}}")
    assert service.status(root, quantities=["gain"], limits=file).word == "same"
    assert service.status(root, quantities=["gain"]).word == "changed"


def test_what_cannot_be_asked_is_said(root: Path, tmp_path: Path) -> None:
    for arguments, code, said in (
        (("--night", 20250101), 5, "nothing was measured in the night 20250101"),
        (("--quantity", "colour"), 2, "no quantity colour"),
        (("--detector", 7), 2, "no detector 7"),
        (("--limits", tmp_path / "none.yaml"), 2, "none.yaml"),
        (("--write", tmp_path / "x.csv"), 2, ".ecsv"),
        (("--plot", tmp_path / "x.pdf"), 2, ".svg or .png"),
    ):
        ran = fiducial("status", root, *arguments, code=code)
        assert said in ran.err, arguments
        assert "Traceback" not in ran.err
    with pytest.raises(UsageError):
        service.status(root, detectors=[3])


@pytest.mark.parametrize("damage", [b"", b"not what it was", None])
@pytest.mark.parametrize("name", ["verifyFlatResults", "defects", "frameFacts"])
def test_one_file_that_cannot_be_read_stops_nothing(root: Path, name: str, damage: bytes | None) -> None:
    with Repository.open(root) as repository:
        ref = repository.butler.query_datasets(name, "*", find_first=False, limit=None)[-1]
        file = Path(repository.butler.getURI(ref).ospath)
    whole = file.read_bytes()
    try:
        file.unlink() if damage is None else file.write_bytes(damage)
        status = service.status(root, night=NIGHTS[1])
    finally:
        file.write_bytes(whole)
    (left,) = status.left_out
    assert left.startswith(name)
    assert ref.run in left
    assert status.compared > 0


def test_it_reads_no_pixels_and_names_a_file_that_is_gone(root: Path) -> None:
    with Repository.open(root) as repository:
        (ref,) = repository.butler.query_datasets("flat", "*", find_first=False, where="", limit=None)[:1]
        file = Path(repository.butler.getURI(ref).ospath)
    whole = file.read_bytes()
    try:
        file.write_bytes(whole[: 2880 * 12])  # its first header is whole, its pixels are gone
        assert service.status(root).left_out == ()
        file.unlink()
        (left,) = service.status(root).left_out
        assert left.startswith(f"flat of detector 0 in {ref.run}")
    finally:
        file.write_bytes(whole)
