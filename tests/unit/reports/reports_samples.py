"""A small production with everything a report can show, made from nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from fiducial.algorithms.binning import bin_image
from fiducial.cameras.facts import FrameFacts
from fiducial.cameras.model import Amplifier, Camera, Detector, Layout
from fiducial.cameras.rules import HeaderRules
from fiducial.products.masks import Plane
from fiducial.products.residuals import Z_EDGES
from fiducial.reports.model import (
    Certification,
    ChoiceRow,
    HistoryStep,
    Master,
    RefusedFile,
    ReportData,
    Residuals,
)

NIGHT = 20260901
START = datetime(2026, 9, 1, 20, 0)
MJD_START = 61284.0 + 20.0 / 24.0


@dataclass(frozen=True)
class Arrays:
    """Image, variance and mask."""

    image: NDArray[np.float32]
    variance: NDArray[np.float32]
    mask: NDArray[np.int32]


def two_amplifier_camera(
    detectors: int = 2, *, columns: int = 64, rows: int = 64, amplifiers: int = 2, name: str = "TestCam"
) -> Camera:
    """A camera whose amplifiers stand side by side; the second detector is turned once."""
    amps = []
    for i in range(amplifiers):
        x0 = i * columns
        section = f"[{x0 + 1}:{x0 + columns},1:{rows}]"
        mirrored = f"[{x0 + columns}:{x0 + 1},1:{rows}]"
        amps.append(
            Amplifier(
                name=f"C{i:02d}" if amplifiers > 2 else "AB"[i],
                hdu=i + 1,
                data=f"[1:{columns},1:{rows}]",
                detector=mirrored if i % 2 else section,
                serial_overscan=f"[{columns + 1}:{columns + 16},1:{rows}]",
                gain=1.5,
                read_noise=6.0,
                saturation=65535,
            )
        )
    layout = Layout(raw_shape=(rows, columns + 16), amplifiers=tuple(amps))
    across = int(np.ceil(np.sqrt(detectors)))
    width, height = columns * amplifiers * 0.01, rows * 0.01
    step = 1.1 * max(width, height)
    return Camera(
        name=name,
        description="a camera of the tests",
        layouts={"two": layout},
        detectors=tuple(
            Detector(
                id=i,
                name=f"D{i}",
                layout="two",
                position=((i % across) * step, (i // across) * step),
                quarter_turns=i % 2,
            )
            for i in range(detectors)
        ),
        headers=HeaderRules(recognise={"INSTRUME": name}),
    )


def make_master(
    camera: Camera, detector: int, rng: np.random.Generator, *, level: float, unit: str
) -> Master:
    """A master with an offset per amplifier, a ramp, a bad column and a few hot pixels."""
    shape = camera.layout(detector).shape
    ramp = np.linspace(-1.0, 1.0, shape[0])[:, np.newaxis] * max(0.02 * level, 1.0)
    image = rng.normal(level, 0.4 + 0.002 * level, shape) + ramp
    for index, amplifier in enumerate(camera.amplifiers(detector)):
        image[amplifier.detector.slices] += (0.02 * level + 0.5) * (index % 3)
    mask = np.zeros(shape, dtype=np.int32)
    mask[:, shape[1] // 3] |= Plane.BAD
    mask[shape[0] // 4, shape[1] // 5] |= Plane.NO_DATA
    mask[::17, ::13] |= Plane.CLIPPED
    image[:, shape[1] // 3] += 40.0
    metadata: dict[str, object] = {"FID WORLD": "electron"}
    for amplifier in camera.amplifiers(detector):
        part = image[amplifier.detector.slices]
        for percentile in (0, 5, 16, 50, 84, 95, 100):
            metadata[f"FID AMP {amplifier.name} P{percentile}"] = float(np.percentile(part, percentile))
        metadata[f"FID AMP {amplifier.name} NBAD"] = int(
            np.count_nonzero(mask[amplifier.detector.slices] & Plane.BAD)
        )
        metadata[f"FID AMP {amplifier.name} GAIN"] = 1.5
        metadata[f"FID AMP {amplifier.name} READ NOISE"] = 6.0
    planes = Arrays(
        image.astype(np.float32),
        np.full(shape, (0.4 + 0.002 * level) ** 2, dtype=np.float32),
        mask,
    )
    return Master(planes=planes, unit=unit, metadata=metadata)


def make_residuals(
    camera: Camera, detector: int, rng: np.random.Generator, exposures: list[int], roles: list[str]
) -> Residuals:
    """Residuals of white noise; stripes in the first exposure, a chessboard in the second model."""
    shape = camera.layout(detector).shape
    amplifiers = camera.amplifiers(detector)
    binning = max(1, -(-max(shape) // 256))
    usable = np.ones(shape, dtype=bool)
    images, second, histograms = [], [], []
    rows = np.arange(shape[0])[:, np.newaxis]
    columns = np.arange(shape[1])[np.newaxis, :]
    chessboard = 1.5 * np.where((rows // 16 + columns // 16) % 2, 1.0, -1.0)
    for role in roles:
        noise = rng.normal(0.0, 6.0, shape)
        if role == "first":
            noise += 8.0 * np.sin(rows / 3.0) * (rows < shape[0] / 2)
        images.append(bin_image(noise.astype(np.float32), usable, binning))
        second.append(bin_image((noise + chessboard).astype(np.float32), usable, binning))
        z = np.clip(noise / 6.0, Z_EDGES[0], Z_EDGES[-1])
        histograms.append(
            [np.histogram(z[amplifier.detector.slices], Z_EDGES)[0] for amplifier in amplifiers]
        )
    return Residuals(
        exposures=exposures,
        roles=roles,
        mjd=mjd_of(exposures, roles).tolist(),
        images=np.array(images),
        unit="electron",
        block=(binning, binning),
        second_images=np.array(second),
        models=("median_per_row", "chebyshev"),
        edges=Z_EDGES,
        counts=np.array(histograms, dtype=np.int32),
    )


def mjd_of(exposures: list[int], roles: list[str]) -> NDArray[np.float64]:
    """A minute between exposures; other days are twelve days before."""
    minutes = np.array([exposure % 100000 for exposure in exposures]) / 1440.0
    return MJD_START + minutes - 12.0 * (np.array(roles) == "other_day")


def make_rows(
    camera: Camera, kind: str, rng: np.random.Generator, exposures: list[int], roles: list[str], failing: bool
) -> list[dict[str, object]]:
    """Judged rows; with ``failing``, amplifier B of detector 1 is too noisy in most frames."""
    rows: list[dict[str, object]] = []
    z_star = 4.2
    tests = {
        "level": ("electron", 0.6, 0.06, "two"),
        "noise": ("", 0.05, 0.006, "two"),
        "structure_rows": ("electron", 1.8, 0.1, "upper"),
        "outliers": ("pixel", 12.0, 2.0, "upper"),
    }
    for detector in camera.detectors:
        for amplifier in camera.amplifiers(detector.id):
            for exposure, role, mjd in zip(exposures, roles, mjd_of(exposures, roles), strict=True):
                for test, (unit, limit, uncertainty, sided) in tests.items():
                    value = rng.normal(0.0, uncertainty)
                    if failing and detector.id == 1 and amplifier.name == "B" and test == "noise":
                        value += 0.11
                    if role == "first":
                        value += 3 * limit
                    if sided == "upper":
                        value = abs(value)
                    margin = (limit - abs(value)) / uncertainty
                    outcome = "pass" if margin >= z_star else "fail" if margin < -z_star else "warn"
                    rows.append(
                        {
                            "kind": kind,
                            "test": test,
                            "scope": "amplifier",
                            "exposure": exposure,
                            "detector": detector.id,
                            "amplifier": amplifier.name,
                            "physical_filter": "r" if kind == "flat" else "",
                            "mjd": mjd,
                            "role": role,
                            "counts": role != "first",
                            "applicable": True,
                            "value": value,
                            "uncertainty": uncertainty,
                            "unit": unit,
                            "n_pixels": 4096,
                            "read_noise": 4.25,
                            "electrons_per_unit": 1.5,
                            "limit": limit,
                            "limit_low": -limit if sided == "two" else float("nan"),
                            "sided": sided,
                            "margin": margin,
                            "z_star": z_star,
                            "outcome": outcome if role != "first" else "shown",
                            "note": "",
                        }
                    )
    return rows


def make_data(
    kind: str = "bias",
    *,
    camera: Camera | None = None,
    failing: bool = False,
    frames: int = 14,
    seed: int = 11,
) -> ReportData:
    """A production of one kind with every optional part."""
    rng = np.random.default_rng(seed)
    camera = camera or two_amplifier_camera()
    first = NIGHT * 100000 + 1
    exposures = [first + i for i in range(frames)]
    roles = ["first"] + ["input"] * (frames - 6) + ["held_out"] * 2 + ["other_day"] * 3
    level, unit = {"bias": (0.0, "electron"), "dark": (0.02, "electron / s"), "flat": (1.0, "")}[kind]
    uses = {"first": "first", "input": "generate", "held_out": "verify", "other_day": "verify"}
    choices = [
        ChoiceRow(exposure=e, use=uses[r], reason="first of its set" if r == "first" else "of the set")
        for e, r in zip(exposures, roles, strict=True)
    ]
    choices.append(
        ChoiceRow(
            exposure=first + 90,
            use="set_aside",
            reason="a dark among biases: level above overscan",
            value=512.3,
            limit=40.0,
            detector=1,
        )
    )
    choices.append(ChoiceRow(exposure=first + 91, use="left_out", reason="more than wanted"))
    masters = {d.id: make_master(camera, d.id, rng, level=level, unit=unit) for d in camera.detectors}
    previous = {d.id: make_master(camera, d.id, rng, level=level, unit=unit) for d in camera.detectors}
    residuals = {d.id: make_residuals(camera, d.id, rng, exposures, roles) for d in camera.detectors}
    products = [
        {
            "detector": d.id,
            "verdict": "fail" if failing and d.id == 1 else "pass",
            "amplifiers_failed": ["B"] if failing and d.id == 1 else [],
            "frames_set_aside": [],
        }
        for d in camera.detectors
    ]
    rows = make_rows(camera, kind, rng, exposures, roles, failing)
    return ReportData(
        camera=camera,
        kind=kind,
        filter="r" if kind == "flat" else None,
        title=f"{camera.name} {kind}, night {NIGHT}",
        night=NIGHT,
        ticket="night-20260901",
        tag="nightly",
        rerun="20260901a",
        run=f"{camera.name}/calib/night-20260901/nightly/{kind}Gen.20260901a/20260902T080000Z",
        choices=choices,
        refused=[
            RefusedFile(
                file="/data/raw/truncated.fits",
                hdu=1,
                keyword="NAXIS2",
                reason="ends 5120 bytes before its data do",
                hint="copy the file again",
            )
        ],
        offered=len(choices) + 1,
        frames={
            e: FrameFacts(
                camera=camera.name,
                exposure=e,
                obs_id=f"TC_O_{NIGHT}_{e % 100000:06d}",
                detectors=tuple(d.id for d in camera.detectors),
                day_obs=NIGHT,
                seq_num=e % 100000,
                group="set 1",
                begin=START + timedelta(minutes=e % 100000),
                end=START + timedelta(minutes=e % 100000),
                exposure_time=0.0,
                dark_time=0.0,
                frame_type=kind,
                filter="r",
            )
            for e in exposures
        },
        masters=masters,
        previous=previous,
        results=rows,
        verdict={
            "kind": kind,
            "verdict": "fail" if failing else "pass",
            "tests": sum(bool(row["counts"]) for row in rows),
            "z_star": 4.2,
            "products": products,
            "frames": [],
            "reasons": ["detector 1, amplifier B: noise fails in 13 of 13 frames"] if failing else [],
        },
        residuals=residuals,
        certified=None
        if failing
        else Certification(
            begin=datetime(2026, 9, 1), end=None, collection=f"{camera.name}/calib/night/{kind}.20260901a"
        ),
        commands=[
            f"fiducial make /repo/main {kind} --night {NIGHT} \\\n  --ticket night-{NIGHT} --tag nightly",
            f"butler query-collections /repo/main '{camera.name}/calib/*'",
        ],
        history=[
            HistoryStep(
                when=datetime(2026, 9, 2, 8, 0),
                what="ingest",
                who="observer",
                command="fiducial ingest /repo/main /data/raw/*.fits",
                outcome="16 used, 1 refused",
            ),
            HistoryStep(
                when=datetime(2026, 9, 2, 8, 1),
                what="make",
                who="observer",
                command=f"fiducial make /repo/main {kind} --night {NIGHT}",
                outcome="done",
                details={"run": f"{kind}Gen.20260901a"},
            ),
        ],
        versions={"fiducial": "0.1.0", "numpy": "2.5.0", "lsst-daf-butler": "30.2026.4300"},
        created=datetime(2026, 9, 2, 8, 5),
    )
