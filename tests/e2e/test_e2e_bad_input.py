"""What bad input gets, by the real thing: an exit code, and a sentence that names thing and remedy."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from astropy.io import fits

from commands import Ran, fiducial
from fiducial.cameras import camera_to_yaml, load_camera
from fiducial.repository import Repository
from fiducial.simulation import NightTruth

pytestmark = pytest.mark.xdist_group("night")

NIGHT = 20260115


def frames(night: NightTruth, kind: str, detector: int | None = None) -> list[Path]:
    """The raw files of a type, in order."""
    names = (night.folder / name for e in night.of_type(kind) for name in e.files)
    return [p for p in names if detector is None or f"S{detector}." in p.name]


def changed(source: Path, target: Path, **cards: Any) -> Path:
    """A frame with other cards; None leaves a card out."""
    with fits.open(source) as hdus:
        for keyword, value in cards.items():
            if value is None:
                del hdus[0].header[keyword]
            else:
                hdus[0].header[keyword] = value
        hdus.writeto(target)
    return target


def binned(source: Path, target: Path) -> Path:
    """A frame that was read out 2 x 2."""
    with fits.open(source) as hdus:
        hdus[0].data = hdus[0].data[::2, ::2].copy()
        hdus[0].header["BINX"] = hdus[0].header["BINY"] = 2
        hdus.writeto(target)
    return target


def says(ran: Ran, *parts: str) -> None:
    """The command's complaint names these."""
    for part in parts:
        assert part in ran.err + ran.out, ran.said


# Frames that are missing


def test_no_frames_of_a_type(fresh: Path, night: NightTruth) -> None:
    says(fiducial("make", fresh, "dark", code=5), "no frames at all", "ingest frames first")
    fiducial("ingest", fresh, *frames(night, "bias"))
    says(fiducial("make", fresh, "dark", code=5), "no dark frames", "6 bias")


def test_no_frames_of_that_night(repository: Path) -> None:
    says(fiducial("make", repository, "bias", "--night", 20200101, code=5), "20200101", str(NIGHT))


def test_only_one_frame(fresh: Path, night: NightTruth) -> None:
    fiducial("ingest", fresh, *frames(night, "bias")[:2])  # of both detectors
    ran = fiducial("make", fresh, "bias", "--skip-first", 0, code=5)
    says(ran, "bias: 1 usable frame", "3 are needed", "take more frames")
    assert len(ran.err.splitlines()) == 2  # one sentence, and its remedy


# Frames that are no good


def test_bad_files_are_named_and_the_good_ones_go_on(fresh: Path, night: NightTruth, tmp_path: Path) -> None:
    source = frames(night, "bias", 0)
    folder = tmp_path / "raw"
    folder.mkdir()
    for path in source[:4]:
        shutil.copy(path, folder)
    whole = source[4].read_bytes()
    (folder / "truncated.fits").write_bytes(whole[: int(0.6 * len(whole))])
    (folder / "empty.fits").write_bytes(b"")
    (folder / "text.fits").write_text("The night was cloudy.\n")
    changed(source[5], folder / "wrong-camera.fits", INSTRUME="OtherCam")
    changed(source[5], folder / "missing-keyword.fits", EXPTIME=None)
    place = whole.index(b"EXPTIME =")
    nan = b"EXPTIME =                  NaN".ljust(80)
    (folder / "nan.fits").write_bytes(whole[:place] + nan + whole[place + 80 :])
    with fits.open(source[1]) as hdus:
        hdus[0].data = hdus[0].data + 1
        hdus.writeto(folder / "z-duplicate.fits")
    binned(source[5], folder / "binned.fits")
    ran = fiducial("ingest", fresh, folder, "--json", code=3)
    report = ran.json()
    refused = {Path(r["file"]).name: r for r in report["refused"]}
    assert len(report["used"]) + len(report["refused"]) == report["offered"] == 12
    assert [Path(p).name for p in report["used"]] == [p.name for p in source[:4]]
    expected = {
        "binned.fits": (0, "NAXIS1", "binned 2x2"),
        "empty.fits": (None, "", "is empty"),
        "missing-keyword.fits": (0, "EXPTIME", "EXPTIME is missing"),
        "nan.fits": (0, "EXPTIME", "not a number"),
        "text.fits": (0, "SIMPLE", "not a FITS file"),
        "truncated.fits": (0, "", "truncated"),
        "wrong-camera.fits": (0, "INSTRUME", "'OtherCam'"),
        "z-duplicate.fits": (None, "", "there already"),
    }
    assert set(refused) == set(expected)
    for name, (hdu, keyword, words) in expected.items():
        assert (refused[name]["hdu"], refused[name]["keyword"]) == (hdu, keyword), refused[name]
        assert words in refused[name]["reason"]
        assert name in refused[name]["reason"]
        assert refused[name]["hint"]
    with Repository.open(fresh) as opened:
        assert [record.facts.seq_num for record in opened.records()] == [1, 2, 3, 4]
    # People see the same, and offering it all again changes nothing.
    again = fiducial("ingest", fresh, folder, code=3)
    says(again, "0 used + 4 there already + 8 refused = 12 offered", *expected, "INSTRUME", "EXPTIME")


def test_mixed_binning(fresh: Path, night: NightTruth, tmp_path: Path) -> None:
    """A night of which some frames are binned: they are named at once, and never stacked with the others."""
    source = frames(night, "bias")
    small = [binned(path, tmp_path / f"binned-{path.name}") for path in source[-2:]]
    ran = fiducial("ingest", fresh, *source[:-2], *small, code=3)
    says(ran, f"{len(source) - 2} used", *(path.name for path in small), "binned 2x2", "of their own")
    plan = fiducial("plan", fresh, "bias", "--json").json()["planned"][0]["plan"]
    assert plan["generate"] == [e.exposure for e in night.of_type("bias")[1:-1]]


def test_frames_of_another_camera(night: NightTruth, tmp_path: Path) -> None:
    other = tmp_path / "latiss"
    fiducial("init", other, "--camera", "latiss")
    ran = fiducial("ingest", other, *frames(night, "bias")[:2], code=5)
    says(ran, "no frame of LATISS", "INSTRUME", "'SimCam'", "0 used + 0 there already + 2 refused")


def test_a_file_that_is_not_there(fresh: Path, night: NightTruth) -> None:
    ran = fiducial("ingest", fresh, frames(night, "bias")[0], "/no/such/frame.fits", code=3)
    says(ran, "1 used", "frame.fits", "No such file")


def test_a_frame_that_is_cut_short_later_is_set_aside(fresh: Path, night: NightTruth, tmp_path: Path) -> None:
    """Ingested in place, then damaged: the production goes on with the others, and says so.

    What cannot be made at all is named beside it.
    """
    folder = tmp_path / "raw"
    folder.mkdir()
    copies = [Path(shutil.copy(path, folder)) for path in frames(night, "bias")]
    fiducial("ingest", fresh, folder)
    with copies[6].open("r+b") as file:
        file.truncate(100_000)
    production = fiducial("make", fresh, "bias", "dark", "--json", code=3).json()
    (product,), (impossible,) = production["products"], production["impossible"]
    assert product["set_aside"] == 1
    assert any(copies[6].name in reason for reason in product["reasons"])
    assert (impossible["kind"], impossible["reason"]) == ("dark", "no dark frames: there are 6 bias")
    with Repository.open(fresh) as opened:
        biases = {
            ref.dataId["detector"]: opened.butler.get(ref).metadata
            for ref in opened.butler.query_datasets("bias", product["run"])
        }
    assert biases[0]["FID NINPUT"] == 4
    assert biases[1]["FID NINPUT"] == 5
    assert biases[0]["FID ASIDE 0 ID"] == night.of_type("bias")[3].exposure
    assert copies[6].name in biases[0]["FID ASIDE 0 REASON"]


# Settings that are no good


def test_a_camera_file_with_an_unknown_key(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    text = camera_to_yaml(load_camera("simcam"))
    file.write_text(text.replace("\nlayouts:", "\ncolour: red\nlayouts:", 1))
    says(fiducial("init", tmp_path / "repo", "--camera", file, code=2), "mine.yaml", "colour")
    assert not (tmp_path / "repo").exists()


def test_a_camera_that_nobody_knows(tmp_path: Path) -> None:
    says(fiducial("init", tmp_path / "repo", "--camera", "nocam", code=2), "nocam", "simcam")
    assert not (tmp_path / "repo").exists()


def test_a_repository_of_another_camera(repository: Path) -> None:
    ran = fiducial("init", repository, "--camera", "latiss", code=2)
    says(ran, "is a repository of SimCam, not of LATISS")
    ran = fiducial("plan", repository, "bias", "--instrument", "LATISS", code=2)
    says(ran, "is a repository of SimCam, not of LATISS")


@pytest.mark.parametrize(
    "command",
    [("ingest", "{}", "{}/frame.fits"), ("plan", "{}"), ("history", "{}")],
)
def test_a_folder_that_is_no_repository(tmp_path: Path, command: tuple[str, ...]) -> None:
    ran = fiducial(*(part.format(tmp_path) for part in command), code=2)
    says(ran, str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (("-c", "bias:nosuch=1"), ("nosuch",)),
        (("--state", "NOSUCH=1"), ("NOSUCH",)),
        (("--where", "exposure.nosuch > 3"), ("nosuch",)),
    ],
)
def test_settings_that_make_no_sense(repository: Path, wish: tuple[str, ...], words: tuple[str, ...]) -> None:
    says(fiducial("make", repository, "bias", *wish, code=2), *words)


def test_certifying_what_is_not_there(repository: Path) -> None:
    run = f"SimCam/calib/night-{NIGHT}/nightly/biasGen.{NIGHT}a"
    says(fiducial("certify", repository, run, "--begin", "2026-01-15", code=2), run)


def test_detrending_without_calibrations(repository: Path, night: NightTruth) -> None:
    exposure = night.of_type("flat")[0].exposure
    says(fiducial("detrend", repository, "--exposures", exposure, code=5), "bias")
    says(fiducial("detrend", repository, "--exposures", 17, code=5), "none of the exposures")
