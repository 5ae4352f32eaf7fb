"""The demonstration: a simulated night with known truth and planted faults, calibrated from nothing."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fiducial.errors import UsageError
from fiducial.service.comparing import Comparison, compare
from fiducial.service.progress import Progress, Silent
from fiducial.service.request import Request

if TYPE_CHECKING:
    from fiducial.repository import IngestReport
    from fiducial.service.production import Production
    from fiducial.simulation import NightTruth

CAMERA = "simcam"
FOLDERS = ("raw", "repo", "report", "detrended")
MARK = ".fiducial-demo"  # in a folder that a demonstration made
TICKET = "DEMO"


@dataclass(frozen=True)
class FaultFound:
    """A fault that was planted, and what became of the frame that has it."""

    fault: str
    frame: str
    found: str  # the reason given; empty: it was missed


@dataclass(frozen=True)
class Demonstration:
    """Everything that came of it."""

    folder: str
    repository: str
    report: str
    offered: int
    used: int
    refused: int
    verdicts: dict[str, str]
    faults: tuple[FaultFound, ...]
    comparisons: tuple[Comparison, ...]
    certified: tuple[str, ...]
    detrended: int

    @property
    def passed(self) -> bool:
        """Whether every product passed, every fault was found, and every master agrees with the truth."""
        verdicts = all(verdict in ("pass", "warn") for verdict in self.verdicts.values())
        return verdicts and all(f.found for f in self.faults) and all(c.agrees for c in self.comparisons)


def demo(folder: str | Path, *, seed: int = 1, progress: Progress | None = None) -> Demonstration:
    """Simulate a night, and calibrate it: frames to certified calibrations, a report, corrected science.

    Parameters
    ----------
    folder
        Where everything goes. What an earlier demonstration left there is replaced.
    seed
        Of the simulated night: the same seed gives the same numbers.
    """
    from fiducial import service

    home, told = Path(folder), progress or Silent()
    _make_room(home)
    truth = _night(home / "raw", seed)
    repository = home / "repo"
    service.init(repository, CAMERA)
    ingested = service.ingest(repository, [home / "raw"], progress=told)
    night = int(f"{truth.summary.plan.night:%Y%m%d}")
    request = Request(night=night, ticket=TICKET, tag="first-night", minimum=5)
    made = service.make(repository, ("bias", "dark", "flat"), request, progress=told)
    runs = [product.run for product in made.products if product.verdict in ("pass", "warn")]
    certified = (
        service.certify(repository, runs, begin=f"{truth.summary.plan.night}", end=None) if runs else None
    )
    science = [e.exposure for e in truth.of_type("science")]
    detrended = service.detrend(
        repository, ",".join(map(str, science)), output=home / "detrended", progress=told
    )
    page = service.report(repository, [p.run for p in made.products], home / "report" / "index.html")
    return Demonstration(
        folder=str(home),
        repository=str(repository),
        report=page.file,
        offered=ingested.offered,
        used=len(ingested.used),
        refused=len(ingested.refused),
        verdicts={p.planned.names.gen.rsplit("/", 1)[-1]: p.verdict for p in made.products},
        faults=tuple(_faults(truth, ingested, made)),
        comparisons=tuple(compare(repository, truth, runs)),
        certified=tuple(p.collection for p in certified.products) if certified else (),
        detrended=sum(bool(frame.file) for frame in detrended.frames),
    )


def _make_room(home: Path) -> None:
    """Remove an earlier demonstration; refuse a folder that holds anything else.

    Only folders of these names in a folder with our mark are removed: ``raw`` alone may be anybody's.
    """
    home.mkdir(parents=True, exist_ok=True)
    there = {path.name for path in home.iterdir()}
    others = there - {*FOLDERS, MARK} if MARK in there else there
    if others:
        raise UsageError(
            f"{home} holds {', '.join(sorted(others)[:3])}, which no demonstration made",
            hint="name a folder that does not exist yet",
        )
    (home / MARK).touch()
    for name in there & set(FOLDERS):
        shutil.rmtree(home / name)


def _night(folder: Path, seed: int) -> NightTruth:
    from fiducial.cameras import load_camera
    from fiducial.simulation import (
        DarkLabelledFlat,
        FirstExposureStripes,
        LampFailure,
        NightPlan,
        SaturatedFlat,
        TruncatedFile,
        simulate_night,
    )

    plan = NightPlan(biases=16, darks=12, flats=14, science=2)
    faults = (
        FirstExposureStripes(kind="bias", index=0),
        TruncatedFile(kind="bias", index=7),
        DarkLabelledFlat(index=5, filter="g"),
        LampFailure(index=8, filter="r"),
        SaturatedFlat(index=3, filter="r"),
    )
    return simulate_night(load_camera(CAMERA), folder, plan=plan, seed=seed, faults=faults)


def _faults(truth: NightTruth, ingested: IngestReport, made: Production) -> list[FaultFound]:
    """Say for each frame with a fault where it was caught, and by what."""
    refused = {Path(refusal.file).name: refusal.reason for refusal in ingested.refused}
    kept_out = {
        choice.exposure: f"{choice.use.replace('_', ' ')}: {choice.reason}"
        for product in made.products
        for choice in product.planned.plan.choices
        if choice.use in ("set_aside", "first")
    }
    found = []
    for exposure in truth.exposures:
        for fault in exposure.faults:
            files = [refused[Path(name).name] for name in exposure.files if Path(name).name in refused]
            reason = kept_out.get(exposure.exposure) or (f"refused: {files[0]}" if files else "")
            found.append(FaultFound(fault, f"{exposure.frame_type} {exposure.exposure}", reason))
    return found
