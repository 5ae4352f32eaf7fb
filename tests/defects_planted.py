"""Masters with planted defects of every class on two camera layouts, and what of them is found.

``python tests/defects_planted.py FILE`` writes the table of completeness and purity that the documentation
quotes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fiducial.algorithms.defects import find_defects
from fiducial.algorithms.defects_model import Defects, Limit, MasterPlanes, Reason, Settings, Window

SIDE_BY_SIDE = tuple(Window(name, 256 * i, 256 * i + 256, 0, 256) for i, name in enumerate("AB"))
TWO_ROWS = tuple(
    Window(f"C{row}{column}", 64 * column, 64 * column + 64, 256 * row, 256 * row + 256)
    for row in range(2)
    for column in range(8)
)
LAYOUTS = {"two amplifiers side by side": SIDE_BY_SIDE, "two rows of eight amplifiers": TWO_ROWS}
SEEDS = range(10)

READ_NOISE, FRAMES = 5.0, 10  # electron; of each kind
DARK_RATE, DARK_TIME = 0.1, 300.0  # electron / s, s
FLAT_LEVEL = 30_000.0  # electron
RESPONSE = 0.004  # scatter of the pixels' response
SIGMA = {
    "bias": READ_NOISE / FRAMES**0.5,
    "dark": ((READ_NOISE**2 + DARK_RATE * DARK_TIME) / FRAMES) ** 0.5 / DARK_TIME,
    "flat": (1 / (FLAT_LEVEL * FRAMES) + RESPONSE**2) ** 0.5,
}
RADIUS = Settings().blobs.radius


@dataclass(frozen=True)
class Planted:
    """Masters, and which pixels were spoilt in which way."""

    windows: tuple[Window, ...]
    masters: tuple[MasterPlanes, ...]
    truth: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """How a class was found: pixels planted, found, flagged with its reasons, and flagged wrongly."""

    layout: str
    name: str
    planted: int
    found: int
    flagged: int
    wrong: int

    @property
    def completeness(self) -> float:
        return self.found / self.planted

    @property
    def purity(self) -> float:
        return 1 - self.wrong / self.flagged if self.flagged else 1.0


CLASSES: dict[str, tuple[Reason, tuple[str, ...]]] = {
    # class: what it should be called, and the classes of which pixels may be called so
    "hot pixels, 1.2 to 30 times the limit": (Reason.HOT, ("hot", "saturated")),
    "cold pixels, 1.2 to 5 times the limit": (Reason.COLD, ("cold", "intermittent pixels")),
    "bright pixels, 1.2 to 2 times the limit": (Reason.BRIGHT, ("bright", "vampire")),
    "pixels off in the bias": (Reason.BIAS, ("bias",)),
    "faint columns, 0.6 of a pixel's limit": (Reason.COLUMN, ("column",)),
    "intermittent columns, a third bad": (Reason.INTERMITTENT, ("intermittent",)),
    "saturated columns": (Reason.SATURATED_COLUMN, ("saturated column",)),
    "vampires with their rings": (Reason.VAMPIRE, ("vampire",)),
    "rough patches": (Reason.BLOB, ("blob",)),
    "dust, told and not masked": (Reason.DUST, ("dust",)),
}
_KEYS = (
    "hot",
    "cold",
    "bright",
    "bias",
    "column",
    "intermittent",
    "saturated column",
    "vampire",
    "blob",
    "dust",
)


def plant(windows: tuple[Window, ...], seed: int) -> Planted:
    """Make masters with every class of defects in every amplifier, none upon another."""
    rng = np.random.default_rng(seed)
    shape = max(w.y1 for w in windows), max(w.x1 for w in windows)
    y, x = np.mgrid[: shape[0], : shape[1]]
    vignetting = 1 - 0.3 * (((x / shape[1]) - 0.5) ** 2 + ((y / shape[0]) - 0.5) ** 2)
    glow = 0.3 * np.exp(-np.hypot(x, y) / 60)
    image = {
        "bias": np.zeros(shape),
        "dark": DARK_RATE + glow,
        "flat": vignetting.copy(),
    }
    truth = {name: np.zeros(shape, bool) for name in (*_KEYS, "saturated", "intermittent pixels")}
    for window in windows:
        _plant_in(window, rng, image, truth)
    noise = {kind: rng.normal(0, SIGMA[kind], shape) for kind in image}
    noise["flat"] *= image["flat"]
    masters = tuple(
        MasterPlanes(
            kind,  # type: ignore[arg-type]
            kind,
            (image[kind] + noise[kind]).astype(np.float32),
            np.full(shape, SIGMA[kind] ** 2 / 4, np.float32),
            saturated=truth["saturated"] if kind == "dark" else None,
            unusable=truth["saturated"] if kind == "dark" else None,
        )
        for kind in image
    )
    return Planted(windows, masters, truth)


def _plant_in(
    window: Window, rng: np.random.Generator, image: dict[str, np.ndarray], truth: dict[str, np.ndarray]
) -> None:
    own = {kind: values[window.slices] for kind, values in image.items()}
    mark = {name: flags[window.slices] for name, flags in truth.items()}
    # Columns to the left, groups in the middle, single pixels everywhere else.
    own["flat"][:, 4] *= 1 - 0.12
    own["dark"][:128, 7] += 0.6 * 3.0
    mark["column"][:, 4] = mark["column"][:128, 7] = True
    bad = np.arange(20, 140, 3)
    own["flat"][bad, 10] *= 0.6
    mark["intermittent pixels"][bad, 10] = True
    mark["intermittent"][20 : bad[-1] + 1, 10] = True
    mark["saturated"][100:140, 13] = mark["saturated column"][:, 13] = True
    yy, xx = np.mgrid[: window.y1 - window.y0, : window.x1 - window.x0]
    ring = np.hypot(yy - 30, xx - 40)
    own["flat"][ring < RADIUS] *= 0.9
    own["flat"][ring < 1.5] *= 2.5
    mark["vampire"][ring < RADIUS] = True
    patch = (slice(80, 100), slice(24, 48))
    own["flat"][patch] *= rng.normal(0.93, 0.03, (20, 24))
    mark["blob"][patch] = True
    shadow = np.hypot(yy - 160, xx - 38)
    own["flat"] *= 1 - 0.05 / (1 + np.exp((shadow - 12) / 1.5))
    mark["dust"][shadow < 12] = True
    taken = np.logical_or.reduce(list(mark.values()))
    near = np.hypot(yy - 160, xx - 38) < 20
    free = np.flatnonzero(~(taken | near | (xx < 16) | (ring < 14)).ravel())
    places = iter(np.array_split(rng.permutation(free)[:240], 4))
    dark, flat, bias = (own[kind] for kind in ("dark", "flat", "bias"))
    for name, change in _single(rng).items():
        rows, columns = np.unravel_index(next(places), taken.shape)
        mark[name][rows, columns] = True
        change({"dark": dark, "flat": flat, "bias": bias}, rows, columns)


type _Change = Callable[[dict[str, np.ndarray], np.ndarray, np.ndarray], None]


def _single(rng: np.random.Generator) -> dict[str, _Change]:
    """What happens to single pixels of each class."""

    def hot(own: dict[str, np.ndarray], y: np.ndarray, x: np.ndarray) -> None:
        own["dark"][y, x] += 3.0 * rng.uniform(1.2, 30, len(y))

    def cold(own: dict[str, np.ndarray], y: np.ndarray, x: np.ndarray) -> None:
        own["flat"][y, x] *= 1 - 0.2 * rng.uniform(1.2, 5, len(y))

    def bright(own: dict[str, np.ndarray], y: np.ndarray, x: np.ndarray) -> None:
        own["flat"][y, x] *= 1 + 0.2 * rng.uniform(1.2, 2, len(y))

    def bias(own: dict[str, np.ndarray], y: np.ndarray, x: np.ndarray) -> None:
        own["bias"][y, x] += 200 * rng.uniform(1.2, 5, len(y)) * rng.choice([-1, 1], len(y))

    return {"hot": hot, "cold": cold, "bright": bright, "bias": bias}


def rows_of(layout: str, pairs: Iterable[tuple[Planted, Defects]]) -> list[Row]:
    """Completeness and purity of each class, and last of all that is masked."""
    counts = {name: np.zeros(4, int) for name in (*CLASSES, "all that is masked")}
    for planted, found in pairs:
        truth = planted.truth
        anything = np.logical_or.reduce([flags for name, flags in truth.items() if name != "dust"])
        for (name, (reason, allowed)), key in zip(CLASSES.items(), _KEYS, strict=True):
            flagged = (found.reasons & int(reason)) != 0
            right = np.logical_or.reduce([truth[one] for one in allowed])
            if key in ("blob", "dust", "vampire"):
                right = _grown(right, 8)  # bins reach beyond the border: two bins are no fault
            counts[name] += _count(truth[key], flagged, right)
        right = _grown(truth["blob"] | truth["vampire"], 8) | anything
        counts["all that is masked"] += _count(anything, found.bad, right)
    return [Row(layout, name, *map(int, count)) for name, count in counts.items()]


def _count(planted: np.ndarray, flagged: np.ndarray, right: np.ndarray) -> np.ndarray:
    pixels = (planted, planted & flagged, flagged, flagged & ~right)
    return np.array([np.count_nonzero(one) for one in pixels])


def _grown(flags: np.ndarray, pixels: int) -> np.ndarray:
    from scipy.ndimage import binary_dilation

    return binary_dilation(flags, np.ones((3, 3)), iterations=pixels)


SIGNIFICANCE = (5.0, 6.0, 7.0, 8.0)
"""Sigmas that a pixel deviates by, before its own noise."""


def significance_rows(layout: str, seeds: Iterable[int] = SEEDS) -> list[Row]:
    """Pixels of some sigmas in a dark, by significance alone; what is wrong is counted for all of them."""
    windows = LAYOUTS[layout]
    shape = max(w.y1 for w in windows), max(w.x1 for w in windows)
    settings = Settings(dark=Limit(0.0, 5.0))
    counts = {sigmas: np.zeros(2, int) for sigmas in SIGNIFICANCE}
    flagged = wrong = 0
    for seed in seeds:
        rng = np.random.default_rng(1000 + seed)
        image = rng.normal(0.1, SIGMA["dark"], shape)
        places = rng.permutation(image.size)[: 400 * len(SIGNIFICANCE)].reshape(len(SIGNIFICANCE), -1)
        for sigmas, own in zip(SIGNIFICANCE, places, strict=True):
            image.ravel()[own] += sigmas * SIGMA["dark"]
        found = find_defects([MasterPlanes("dark", "dark", image.astype(np.float32))], windows, settings)
        bad = found.bad.ravel()
        for sigmas, own in zip(SIGNIFICANCE, places, strict=True):
            counts[sigmas] += [own.size, int(bad[own].sum())]
        flagged += int(bad.sum())
        wrong += int(bad.sum()) - int(bad[places.ravel()].sum())
    return [
        Row(layout, f"{sigmas:g} sigma, by significance of 5", int(n), int(k), flagged, wrong)
        for sigmas, (n, k) in counts.items()
    ]


def all_rows(seeds: Iterable[int] = SEEDS) -> list[Row]:
    """The whole table."""
    rows: list[Row] = []
    for layout, windows in LAYOUTS.items():
        planted = [plant(windows, seed) for seed in seeds]
        rows += rows_of(layout, [(p, find_defects(p.masters, p.windows)) for p in planted])
        rows += significance_rows(layout, seeds)
    return rows


def as_markdown(rows: Iterable[Row]) -> str:
    """The table as the documentation has it."""
    lines = [
        "| layout | class | pixels planted | found | completeness | flagged wrongly | purity |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {r.layout} | {r.name} | {r.planted:,} | {r.found:,} | {r.completeness:.4f} | {r.wrong:,} "
        f"| {r.purity:.4f} |"
        for r in rows
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(as_markdown(all_rows()), "utf-8")
