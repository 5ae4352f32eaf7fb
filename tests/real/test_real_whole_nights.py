"""The whole job on real nights: ingest, plan, make, verify, certify, detrend, report.

Numbers are those of the README beside the frames; each trap that it lists has a test here or in the tests
of cameras, frames and selection beside this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from fiducial import service
from fiducial.errors import NothingToDo
from fiducial.products.images import planes_of
from fiducial.repository import Repository
from fiducial.repository.lookup import datasets
from fiducial.service.production import Made
from fiducial.service.request import Request

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("whole-nights")]

KAST, STL = 20150519, 20170908  # observing days: the night began on the evening of this date


@dataclass(frozen=True)
class Night:
    root: Path
    made: dict[str, Made]  # by tag and kind

    def shown(self, name: str, test: str) -> dict[str, tuple[float, float]]:
        """Weighted mean and error over the rows of a shown test, by amplifier, in the rows' unit."""
        made = self.made[name]
        kind = made.planned.plan.kind.capitalize()
        with Repository.open(self.root) as repository:
            (ref,) = datasets(repository.butler, f"verify{kind}Results", made.verify_run)
            rows = repository.butler.get(ref, storageClass="ArrowTable").to_pylist()
        wanted = [r for r in rows if r["test"] == test and r["applicable"] and r["role"] == "input"]
        out = {}
        for amplifier in {row["amplifier"] for row in wanted}:
            mine = [row for row in wanted if row["amplifier"] == amplifier]
            weights = np.array([row["uncertainty"] ** -2 for row in mine])
            values = np.array([row["value"] for row in mine])
            out[amplifier] = (float(weights @ values / weights.sum()), float(weights.sum() ** -0.5))
        return out

    def master(self, name: str) -> tuple[np.ndarray, dict[str, object]]:
        made = self.made[name]
        with Repository.open(self.root) as repository:
            (ref,) = datasets(repository.butler, made.planned.plan.kind, made.run)
            image = repository.butler.get(ref)
        return planes_of(image).image, dict(image.metadata)


def take_in(root: Path, camera: str, frames: Path, number: int) -> None:
    service.init(root, camera)
    report = service.ingest(root, [frames])
    assert (len(report.used), len(report.refused), report.offered) == (number, 0, number)


@pytest.fixture(scope="module")
def kast(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Night:
    root = tmp_path_factory.mktemp("kast") / "repo"
    take_in(root, "kast-blue", real_data / "kast-blue", 27)
    production = service.make(root, ("bias", "dark", "flat"), Request(night=KAST))
    assert [one.kind for one in production.impossible] == ["dark"]  # the night has none, and says so
    return Night(root, {made.planned.plan.kind: made for made in production.products})


@pytest.fixture(scope="module")
def stl(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Night:
    root = tmp_path_factory.mktemp("stl") / "repo"
    take_in(root, "stl1001", real_data / "stl1001-2017", 52)
    found = {}
    for tag, temperature, kinds in (
        ("minus5", -5.0, ("bias", "dark", "flat")),
        ("minus10", -10.0, ("bias", "dark")),
    ):
        request = Request(night=STL, tag=tag, state={"SET-TEMP": temperature})
        for made in service.make(root, kinds, request).products:
            found[f"{tag} {made.planned.plan.kind}"] = made
    return Night(root, found)


def test_kast_passes_with_its_saturated_flat_set_aside(kast: Night) -> None:
    assert {kind: made.verdict in ("pass", "warn") for kind, made in kast.made.items()} == {
        "bias": True,
        "flat": True,
    }
    aside = [c for c in kast.made["flat"].planned.plan.choices if c.use == "set_aside"]
    assert [c.exposure % 100000 for c in aside] == [2]
    assert "56,808" in aside[0].reason  # the README's number of saturated pixels
    assert any("no dark" in reason for reason in kast.made["flat"].reasons)


def test_kast_read_noise_is_the_readme_s(kast: Night) -> None:
    """Pairs of successive biases, 5-sigma clip: 2.860 ± 0.002 and 2.704 ± 0.002 adu in the image."""
    found = kast.shown("bias", "read_noise")
    for name, gain, adu in (("L", 1.205, 2.860), ("R", 1.248, 2.704)):
        value, error = found[name]
        assert value / gain == pytest.approx(adu, abs=3 * np.hypot(error / gain, 0.002))


def test_kast_gain_is_the_readme_s_and_not_the_header_s(kast: Night) -> None:
    """16 x 16 blocks of adjacent pairs: 1.205 ± 0.005 (systematic), 1.248 ± 0.002 e/adu; header: 1."""
    found = kast.shown("flat", "gain")
    for name, gain, systematic in (("L", 1.205, 0.005), ("R", 1.248, 0.002)):
        value, error = found[name]
        assert value == pytest.approx(gain, abs=3 * np.hypot(error, systematic))


def test_kast_science_frames_are_corrected_without_a_dark(kast: Night) -> None:
    runs = [made.run for made in kast.made.values()]
    service.certify(kast.root, runs, begin="2015-05-19", end="2015-05-21")
    done = service.detrend(kast.root, "2015051900027..2015051900029")
    assert done.complete
    assert len(done.frames) == 3
    assert any("no dark" in note for note in done.notes)
    with Repository.open(kast.root) as repository:
        images = [repository.butler.get(ref) for ref in datasets(repository.butler, "detrended", done.run)]
    for image in images:
        planes = planes_of(image)
        usable = planes.mask == 0
        # 20 minutes of faint sky: electrons a few tens above zero, noise no lower than the read noise's.
        assert 0 < np.median(planes.image[usable]) < 200
        assert np.median(planes.variance[usable]) > 3.2**2


def test_kast_report_is_one_page(kast: Night, tmp_path: Path) -> None:
    page = service.report(kast.root, [made.run for made in kast.made.values()], tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert page.size < 15e6
    assert "56,808" in text
    assert "http://" not in text.replace("http://www.w3.org/", "")


def test_stl_passes_at_both_temperatures(stl: Night) -> None:
    assert len(stl.made) == 5
    assert {made.verdict for made in stl.made.values()} <= {"pass", "warn"}
    used = {name: len(made.planned.plan.generate) for name, made in stl.made.items()}
    assert used["minus5 bias"] == used["minus10 bias"] == 9  # the first of ten is kept out, and verifies
    assert used["minus5 dark"] == 15  # ten of 60 s, one each of 10 to 300 s, less the first
    # Drift through the night (0.9 and 1.3 adu of level) is no reason to set a frame aside.
    assert sum(made.set_aside for made in stl.made.values()) == 0


@pytest.mark.parametrize(("tag", "adu", "quoted"), [("minus10", 6.560, 0.002), ("minus5", 6.702, 0.003)])
def test_stl_read_noise_is_the_readme_s(stl: Night, tag: str, adu: float, quoted: float) -> None:
    value, error = stl.shown(f"{tag} bias", "read_noise")["A"]
    assert value / 1.934 == pytest.approx(adu, abs=3 * np.hypot(error / 1.934, quoted))


def test_stl_gain_is_that_of_adjacent_pairs_and_not_egain(stl: Night) -> None:
    """Adjacent flat pairs: 1.934 ± 0.002 e/adu; EGAIN says 2.06."""
    value, error = stl.shown("minus5 flat", "gain")["A"]
    assert value == pytest.approx(1.934, abs=3 * np.hypot(error, 0.002))


def test_stl_bias_master_has_the_level_and_the_noise_of_its_frames(stl: Night) -> None:
    image, header = stl.master("minus5 bias")
    assert np.median(image) / 1.934 == pytest.approx(992, abs=3)  # "about 992 adu", 1 to 2 adu of drift
    assert header["FID NINPUT"] == 9
    # Differences of neighbours have the master's noise, read noise over root 9, and its fixed pattern.
    steps = np.diff(image, axis=1) / np.sqrt(2.0) / 1.934
    spread = 0.5 * np.diff(np.percentile(steps, [15.87, 84.13]))[0]
    assert 6.702 / 3 * 0.98 < spread < 6.702 / 3 * 1.25


def test_stl_dark_has_the_hot_pixels_of_its_frames(stl: Night, real_data: Path) -> None:
    """In 60 s at -5 C 1,346 pixels exceed the median by 500 adu (README), like a plain mean of frames."""
    image, _ = stl.master("minus5 dark")
    master = (image - np.nanmedian(image)) * 60.0 / 1.934
    files = sorted((real_data / "stl1001-2017").glob("darks-expos1-Neg5*"))
    biases = sorted((real_data / "stl1001-2017").glob("biases-Neg5*"))
    plain = np.mean([fits.getdata(f, 1) for f in files], axis=0)
    plain -= np.mean([fits.getdata(f, 1) for f in biases], axis=0)
    plain -= np.median(plain)
    assert np.count_nonzero(master > 500) == pytest.approx(1346, abs=3 * np.sqrt(1346))
    for threshold in (100, 200, 500):
        wanted = np.count_nonzero(plain > threshold)
        # Longer exposures go into the rate as well, so pixels near the threshold change sides.
        assert np.count_nonzero(master > threshold) == pytest.approx(wanted, rel=0.05), threshold


def test_stl_has_no_flats_at_minus_10_and_says_so(stl: Night) -> None:
    request = Request(night=STL, tag="none", state={"SET-TEMP": -10.0})
    with pytest.raises(NothingToDo) as caught:
        service.make(stl.root, ("flat",), request)
    assert "SET-TEMP" in str(caught.value)


def test_a_bias_of_another_temperature_does_not_pass_unnoticed(stl: Night) -> None:
    """Biases of -10 C against the master of -5 C: refused for the state, and named."""
    cold = stl.made["minus10 bias"].planned.plan.generate
    result = service.verify(stl.root, "bias", ",".join(map(str, cold[:3])), run=stl.made["minus5 bias"].run)
    said = " ".join((*result.reasons, *(failure.message for failure in result.failures)))
    assert result.verdict == "fail"
    assert "SET-TEMP" in said
