"""Productions of kinds that make no image, for the tests of their pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from reports_samples import NIGHT, two_amplifier_camera

from fiducial.algorithms.linearity_fit import fit_linearity, undetermined
from fiducial.algorithms.linearity_forms import spline_form
from fiducial.algorithms.ptc_curve import TransferCurve
from fiducial.algorithms.ptc_fit import ReadNoise
from fiducial.algorithms.ptc_models import VarianceCurve
from fiducial.cameras.model import Camera
from fiducial.corrections.linearity_product import MeasuredLevels, linearizer_of
from fiducial.kinds.ptc_fits import fit_amplifier
from fiducial.products.defects import DefectSet
from fiducial.products.linearizer import Linearizer
from fiducial.products.metadata import AsideNote
from fiducial.products.ptc import AmplifierTransfer, FlatPairs, PhotonTransferCurve
from fiducial.reports.model import ChoiceRow, ReportData
from fiducial.verify.defects import DefectLimits, judge_defects, measure_defects
from transfer_curves import expected, matrices, measured

LAGS = 3
PAIRS = 20
FIRST = NIGHT * 100000 + 1


def camera_of(amplifiers: int, detectors: int = 1) -> Camera:
    return two_amplifier_camera(detectors, amplifiers=amplifiers, columns=32, rows=256)


def names_of(camera: Camera, detector: int = 0) -> list[str]:
    return [amplifier.name for amplifier in camera.amplifiers(detector)]


def make_transfer(
    camera: Camera,
    detector: int = 0,
    *,
    dead: Iterable[str] = (),
    model: str = "exponential",
    pairs: int = PAIRS,
    seed: int = 1,
) -> PhotonTransferCurve:
    """Curves of gains about 1.5; pair 5 is too noisy, pair 3 was not measured on the first amplifier."""
    rng = np.random.default_rng(seed)
    names = names_of(camera, detector)
    means = np.geomspace(300, 60000, pairs)
    amplifiers = [
        _transfer(name, means, rng, name in set(dead), model, lost=3 if index == 0 else -1)
        for index, name in enumerate(names)
    ]
    ids = FIRST + 2 * np.arange(pairs)
    times = means / 5000.0
    light = np.full(pairs, np.nan)
    zero = np.zeros(pairs)
    return PhotonTransferCurve(
        detector,
        LAGS,
        FlatPairs(ids, ids + 1, times, times, light, light, zero, zero, ("g",) * pairs),
        tuple(amplifiers),
        (AsideNote(FIRST + 90, "no flat of its exposure time"),),
        {"FID PTC FIT": model, "FID PTC KAPPA": 5.0},
    )


def _transfer(
    name: str, means: np.ndarray, rng: np.random.Generator, dead: bool, model: str, lost: int
) -> AmplifierTransfer:
    covariances = expected(matrices(LAGS, rng.normal(1.5, 0.02), 6.0, 1e-6), means)
    covariances[-2:] *= 0.5
    covariances[5, 0, 0] *= 1.3
    curve = measured(rng, means, covariances, 1_000_000)
    if dead:
        curve = TransferCurve(np.zeros(len(means)), curve.covariances, curve.counts)
    points = [
        SimpleNamespace(
            mean=mean,
            first=mean,
            second=mean,
            covariances=own,
            counts=counts,
            noise_weight=1.0,
            determined=not dead and index != lost,
            reason="no light" if dead else "saturated <early>" if index == lost else "",
        )
        for index, (mean, own, counts) in enumerate(
            zip(curve.means, curve.covariances, curve.counts, strict=True)
        )
    ]
    return fit_amplifier(name, points, ReadNoise(4.0, 0.1), model=model, shape=VarianceCurve(), samples=0)


def make_linearizer(camera: Camera, detector: int = 0, *, dead: Iterable[str] = ()) -> Linearizer:
    """Corrections of some per cent; level 7 of the first amplifier is off."""
    rng = np.random.default_rng(detector + 5)
    names, dead = names_of(camera, detector), set(dead)
    times = np.geomspace(0.5, 60, 30)
    fits, signals = [], []
    for index, name in enumerate(names):
        signal = 1000 * times - (1 + 0.1 * index) * 1e-7 * (1000 * times) ** 2
        signal *= 1 + 1e-4 * rng.standard_normal(30)
        if index == 0:
            signal[7] *= 1.01
        signals.append(np.zeros(30) if name in dead else signal)
        form = spline_form(signal, maximum=5e4)
        fits.append(
            undetermined("no signal: <dead>", 30)
            if name in dead
            else fit_linearity(signal, times, form, stability=1e-4, maximum=5e4)
        )
    levels = MeasuredLevels(
        [FIRST + i for i in range(30)], times, np.stack(signals, axis=1), np.ones((30, len(names)))
    )
    return linearizer_of(
        fits, names, levels, detector=detector, unit="adu", abscissa="exposure_time", metadata={}
    )


def make_defects(
    camera: Camera, detector: int = 0, *, hot: int = 40, columns: Sequence[int] = (20,), seed: int = 2
) -> DefectSet:
    """Hot pixels (the same first ones for the same seed), bad columns, a blob, and dust that is told only."""
    shape = camera.layout(detector).shape
    rng = np.random.default_rng(seed)
    masks = {name: np.zeros(shape, dtype=bool) for name in ("hot", "column", "blob", "dust")}
    places = rng.permutation(shape[0] * shape[1])[:hot]
    masks["hot"].ravel()[places] = True
    for column in columns:
        masks["column"][:, column] = True
    masks["blob"][100:110, 5:12] = True
    masks["dust"][200:230, 3:28] = True
    metadata: dict[str, str | int | float | bool] = {
        "FID MASTER 0 NAME": "dark",
        "FID MASTER 0 HASH": "ab" * 32,
        "FID RUN MASTER 0": "0123-dataset",
        "FID LIMIT DARK": 3.0,
        "FID LIMIT DARK SIGMAS": 5.0,
        "FID NOTE 0": "<b>the flat is faint</b>",
    }
    for index, (x, area, dust) in enumerate(((14.5, 750, True), (8.5, 70, False))):
        start = f"FID BLOB {index}"
        metadata |= {f"{start} X": x, f"{start} Y": 105.0, f"{start} AREA": area}
        metadata |= {f"{start} DEPTH": 0.0213, f"{start} DUST": dust, f"{start} MASTER": "flat g"}
    return DefectSet.from_masks(
        masks, instrument=camera.name, detector=detector, shape=shape, metadata=metadata
    )


def product_data(kind: str, camera: Camera, products: dict[int, object], **changes: object) -> ReportData:
    """A production of such a kind that nobody verified."""
    data = ReportData(
        camera=camera,
        kind=kind,
        title=f"{camera.name} {kind}",
        night=NIGHT,
        choices=[ChoiceRow(exposure=FIRST + i, use="generate", reason="of the ramp") for i in range(4)],
        products=products,
    )
    return replace(data, **changes)


def with_verdict(data: ReportData, previous: dict[int, DefectSet], **limits: float) -> ReportData:
    """Defects as their verification judges them."""
    rows = [
        row
        for detector, product in data.products.items()
        for row in measure_defects(product, previous.get(detector), data.camera)
    ]
    verdict = judge_defects(rows, DefectLimits(**{"most": 0.05, "change": 0.002} | limits))
    listed = [{name: getattr(row, name) for name in row.__dataclass_fields__} for row in rows]
    return replace(data, results=listed, verdict=verdict, previous_products=previous)


def test_row(kind: str, test: str, amplifier: str, outcome: str, **values: object) -> dict[str, object]:
    """A judged row of an amplifier, of no exposure."""
    row: dict[str, object] = {
        "kind": kind,
        "test": test,
        "scope": "amplifier",
        "exposure": -1,
        "detector": 0,
        "amplifier": amplifier,
        "physical_filter": "",
        "mjd": float("nan"),
        "role": "input",
        "counts": True,
        "applicable": True,
        "value": 0.012,
        "uncertainty": 0.002,
        "unit": "",
        "n_pixels": 0,
        "limit": 0.05,
        "limit_low": -0.05,
        "sided": "two",
        "margin": 19.0,
        "z_star": 3.9,
        "outcome": outcome,
        "note": "",
    }
    return row | values
