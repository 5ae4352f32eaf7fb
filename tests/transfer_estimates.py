"""Photon transfer of many detectors by its task: how far estimates are from the truth, in their own errors.

``python tests/transfer_estimates.py FILE`` writes the table that the documentation quotes.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from fiducial.algorithms.gain_ratios import tie_gains
from fiducial.algorithms.ptc_covariance_model import CovarianceParameters
from fiducial.algorithms.ptc_models import ROLLOFF_SHARE
from fiducial.kinds.ptc import PtcConfig, PtcTask
from fiducial.products.ptc import AmplifierTransfer, PhotonTransferCurve
from transfer_pixels import COLUMNS, LAGS, ROWS, Flats, Floats

LAYOUTS = {"sixteen": 64, "four": 256}
"""Detectors of each: 1,024 amplifiers."""
LEVELS = (60.0, 200.0, 600.0, 1500.0, 5000.0, 12e3, 22e3, 34e3, 48e3, 64e3, 82e3, 1e5)  # electrons
FULL = 1.08e5  # electrons; above it the variance goes down
HIGH = (5e3, 8e3, 12e3, 17e3, 22e3, 34e3, 48e3, 64e3, 82e3, 1e5)
STEEP = (60.0, 200.0, 600.0, 1500.0, 5e3, 12e3, 2e4, 28e3, 36e3, 44e3, 52e3, 6e4, 68e3, 76e3)
STEEP += (8e4, 84e3, 88e3, 92e3, 96e3, 1e5)
ROLLOFF, WIDTH = 82e3, 55e2  # electrons


@dataclass(frozen=True)
class Row:
    """A quantity's estimates: how many, their mean deviation in errors, and the share within one error."""

    layout: str
    fit: str
    name: str
    number: int
    bias: float
    coverage: float
    error: float  # median, relative to the truth

    @classmethod
    def of(cls, layout: str, fit: str, name: str, found: Floats) -> Row:
        """From estimates, their errors and truths: (n, 3)."""
        value, error, truth = found.T
        pulls = (value - truth) / error
        share = float(np.mean(np.abs(pulls) < 1))
        relative = float(np.median(np.abs(error / truth)))
        return cls(layout, fit, name, len(pulls), float(pulls.mean()), share, relative)


def full(electrons: Floats) -> Floats:
    """Above full well most of the noise is cut off."""
    return np.where(electrons > 0.5 * (LEVELS[-1] + FULL), 0.3, 1.0)


def rolled(electrons: Floats) -> Floats:
    """A roll-off, as `fiducial.algorithms.ptc_models.VarianceCurve` has it."""
    return 1.0 - ROLLOFF_SHARE * np.exp((electrons - ROLLOFF) / WIDTH)


def task(fit: str, *, rolloff: bool = False) -> PtcTask:
    """Photon transfer of few lags; no resampling, whose errors are tested elsewhere."""
    config = PtcConfig()
    config.rollOff = rolloff
    config.chain = ["saturation", "overscan", "assembly", "bias", "nan"]
    config.fit, config.withB, config.maxLag, config.samples = fit, False, LAGS - 1, 0
    return PtcTask(config=config)


def products(flats: Flats, own: PtcTask) -> Iterator[tuple[PhotonTransferCurve, list[CovarianceParameters]]]:
    """What the task makes of each detector, and the truth."""
    for seed in range(LAYOUTS[flats.layout]):
        yield own.run(**flats.offered(seed)).ptc, flats.truth(seed)


@cache
def variances(layout: str) -> Mapping[str, Floats]:
    """Fits of variances, up to a full well, and gains tied by the levels of the same flats."""
    found = defaultdict(list)
    for product, truth in products(
        Flats(layout, (*LEVELS, FULL), equation=16, distort=full), task("exponential")
    ):
        for one, true in zip(product.amplifiers, truth, strict=True):
            for name, values in _common(one, true).items():
                found[name].append(values)
            top = product.pairs.first_time == LEVELS[-1] / 500
            found["turn-off, adu"].append((one.turnoff, one.turnoff_error, float(one.mean[top][0])))
            if layout == "sixteen":
                noise = np.sqrt(true.noise[0, 0])
                found["noise of the overscan"].append((one.read_noise, one.read_noise_error, noise))
        tied = _tied(product, truth)
        found["ratio of tied gains"] += tied[0]
        found["tied gain, one of a detector"].append(tied[1])
    return {name: np.array(values) for name, values in found.items()}


def _common(one: AmplifierTransfer, true: CovarianceParameters) -> dict[str, tuple[float, float, float]]:
    fit = one.fit
    return {
        "gain": (fit.gain, fit.gain_error, true.gain),
        "read noise": (fit.noise, fit.noise_error, true.gain * float(np.sqrt(true.noise[0, 0]))),
        "a00": (float(fit.a[0, 0]), float(fit.a_error[0, 0]), float(true.a[0, 0])),
    }


def _tied(
    product: PhotonTransferCurve, truth: list[CovarianceParameters]
) -> tuple[list[tuple[float, ...]], tuple[float, ...]]:
    """Ratios of all amplifiers, and one amplifier's gain: the others share the error of the factor."""
    every = product.amplifiers
    levels = np.array([one.mean for one in every]).T
    noise = np.array([one.covariances[:, 0, 0] / one.counts[:, 0, 0] / 2 for one in every]).T
    gains = np.array([one.fit.gain for one in every])
    errors = np.array([one.fit.gain_error for one in every])
    light = Flats.response / np.sqrt(ROWS * COLUMNS)
    bright = levels[:, 0] > 5000
    tied = tie_gains(levels[bright], np.sqrt(noise[bright]), gains, errors, light_error=light)
    true = np.array([own.gain for own in truth])
    ratios = true / np.exp(np.log(true).mean())
    return list(zip(tied.ratios, tied.ratio_errors, ratios, strict=True)), (
        float(tied.gains[0]),
        float(tied.errors[0]),
        float(true[0]),
    )


@cache
def covariances(layout: str) -> Mapping[str, Floats]:
    """Fits of all covariances."""
    found = defaultdict(list)
    for product, truth in products(Flats(layout, LEVELS), task("covariance")):
        for one, true in zip(product.amplifiers, truth, strict=True):
            for name, values in _common(one, true).items():
                found[name].append(values)
            for i, j in np.ndindex(LAGS, LAGS):
                if i or j:
                    found[f"a{i}{j}"].append((one.fit.a[i, j], one.fit.a_error[i, j], true.a[i, j]))
    return {name: np.array(values) for name, values in found.items()}


@cache
def rolloffs(layout: str) -> Mapping[str, Floats]:
    """Fits of variances that roll off."""
    found = defaultdict(list)
    own = task("exponential", rolloff=True)
    for product, truth in products(Flats(layout, STEEP, equation=16, distort=rolled), own):
        for one, true in zip(product.amplifiers, truth, strict=True):
            fit = one.fit
            found["gain"].append((fit.gain, fit.gain_error, true.gain))
            found["roll-off, adu"].append((fit.rolloff, fit.rolloff_error, ROLLOFF / true.gain))
            found["width of the roll-off"].append(
                (fit.rolloff_width, fit.rolloff_width_error, WIDTH / true.gain)
            )
    return {name: np.array(values) for name, values in found.items()}


@cache
def bright_only() -> Mapping[str, Floats]:
    """Fits of levels far above the noise, which is that of the overscan."""
    found = defaultdict(list)
    for product, truth in products(Flats("sixteen", HIGH, equation=16), task("exponential")):
        assert not any(one.fit.noise_constrained for one in product.amplifiers)
        for one, true in zip(product.amplifiers, truth, strict=True):
            for name, values in _common(one, true).items():
                found[name].append(values)
    return {name: np.array(values) for name, values in found.items()}


SETS = {
    "variances": variances,
    "covariances": covariances,
    "variances that roll off": rolloffs,
}
NO_ESTIMATE = "turn-off, adu"  # a place among the levels


def rows_of(fit: str) -> list[Row]:
    """What a fit says on each layout, and on both."""
    by_layout = {layout: SETS[fit](layout) for layout in LAYOUTS}
    rows = []
    for name, found in by_layout["sixteen"].items():
        if name == NO_ESTIMATE:
            continue
        own = {layout: sets[name] for layout, sets in by_layout.items() if name in sets}
        rows += [Row.of(layout, fit, name, values) for layout, values in own.items()]
        if len(own) > 1:
            rows.append(Row.of("both", fit, name, np.concatenate([found, own["four"]])))
    return rows


def bright_rows() -> list[Row]:
    """What fits of bright levels only say."""
    return [Row.of("sixteen", "bright levels only", name, found) for name, found in bright_only().items()]


def all_rows() -> list[Row]:
    """The whole table."""
    return [row for fit in SETS for row in rows_of(fit)] + bright_rows()


def as_markdown(rows: list[Row]) -> str:
    """The table as the documentation has it."""
    lines = [
        "| amplifiers | fit | quantity | estimates | typical error | bias, in errors | within one error |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {r.layout} | {r.fit} | {r.name} | {r.number:,} | {r.error:.2%} | {r.bias:+.2f} "
        f"| {r.coverage:.1%} |"
        for r in rows
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(as_markdown(all_rows()), "utf-8")
