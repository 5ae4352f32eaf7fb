"""Nights of real cameras taken through the whole job as a user would: what was made of them, and numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from commands import fiducial

type Image = NDArray[np.float64]


@dataclass(frozen=True)
class Product:
    """A master calibration: what the plan, the file and the verification say of it."""

    kind: str
    run: str
    verdict: str
    reasons: tuple[str, ...]
    choices: tuple[Mapping[str, Any], ...]
    image: Image
    variance: Image
    mask: NDArray[np.int32]
    header: Mapping[str, Any]
    rows: tuple[Mapping[str, Any], ...] = field(repr=False, default=())

    def used(self, use: str = "generate") -> list[int]:
        """Exposures by their use: generate, verify, first, left_out, set_aside."""
        return [choice["exposure"] for choice in self.choices if choice["use"] == use]

    def measured(self, test: str, amplifier: str, **wanted: Any) -> list[Mapping[str, Any]]:
        """Rows of single frames that are applicable, in order of exposures."""
        wanted = {"test": test, "amplifier": amplifier, "scope": "amplifier"} | wanted
        rows = [r for r in self.rows if r["applicable"] and all(r[k] == v for k, v in wanted.items())]
        assert rows, (self.kind, wanted)
        return sorted(rows, key=lambda row: row["exposure"])

    def of_pairs(self, test: str, amplifier: str) -> tuple[float, float]:
        """Mean of a test of neighbours, and its error.

        Each frame but the first and last stands in two of the K pairs: half of a pair's difference is
        shared with the next one's, so variances of the two are correlated by 1/4 and the mean of K has
        u^2 / K (1 + 2 (K - 1) / K / 4), nearly 1.5 u^2 / K.
        """
        rows = self.measured(test, amplifier)
        value = float(np.mean([row["value"] for row in rows]))
        error = float(np.mean([row["uncertainty"] for row in rows]))
        n = len(rows)
        return value, error * sqrt((1.0 + 0.5 * (n - 1) / n) / n)


@dataclass(frozen=True)
class Night:
    """A repository with the frames of a folder in it, and what was made."""

    root: Path
    folder: Path
    ingested: Mapping[str, Any]
    products: dict[str, Product] = field(default_factory=dict)

    def make(self, *arguments: object, code: int = 0) -> None:
        """Make calibrations by the command line."""
        self._keep(fiducial("make", self.root, *arguments, "--json", code=code).json())

    def make_here(self, *kinds: str, suffix: str = "", **request: Any) -> None:
        """Make calibrations in this process: the same, without the start of another."""
        from fiducial import service
        from fiducial.cli.show import plain
        from fiducial.service.request import Request

        self._keep(plain(service.make(self.root, kinds, Request(**request))), suffix)

    def _keep(self, made: Mapping[str, Any], suffix: str = "") -> None:
        for one in made["products"]:
            product = read_product(self.root, one)
            self.products[product.kind + suffix] = product

    def records(self) -> list[Any]:
        """What ingest noted of every frame."""
        from fiducial.repository import Repository

        with Repository.open(self.root) as repository:
            return repository.records()


def begin_night(root: Path, camera: str, folder: Path) -> Night:
    """A repository for a camera with all frames of a folder."""
    from fiducial import service
    from fiducial.cli.show import plain

    service.init(root, camera)
    return Night(root, folder, plain(service.ingest(root, [folder])))


def read_product(root: Path, made: Mapping[str, Any]) -> Product:
    """Read a master and the judged rows of its verification."""
    from fiducial.products.images import planes_of
    from fiducial.repository import Repository
    from fiducial.repository.lookup import datasets

    plan = made["planned"]["plan"]
    kind = plan["kind"]
    with Repository.open(root) as repository:
        butler = repository.butler
        (ref,) = datasets(butler, kind, made["run"])
        product = butler.get(ref)
        rows = read_rows(butler, kind, made["verify_run"])
    image, variance, mask = planes_of(product)
    return Product(
        kind,
        made["run"],
        made["verdict"],
        tuple(made["reasons"]),
        tuple(plan["choices"]),
        image.astype(np.float64),
        variance.astype(np.float64),
        mask.copy(),
        dict(product.metadata),
        rows,
    )


def read_rows(butler: Any, kind: str, run: str) -> tuple[Mapping[str, Any], ...]:
    """Read the judged rows of a verification."""
    from fiducial.repository.lookup import datasets

    name = f"verify{kind.capitalize()}Results"
    return tuple(
        row
        for ref in datasets(butler, name, run)
        for row in butler.get(ref, storageClass="ArrowTable").to_pylist()
    )


def pixels(path: Path) -> Image:
    """The raw pixels of a frame, by astropy."""
    with fits.open(path) as hdus:
        image = next(hdu for hdu in hdus if hdu.is_image and hdu.data is not None)
        return image.data.astype(np.float64)


def header(path: Path) -> fits.Header:
    """The header of a raw frame, by astropy."""
    with fits.open(path) as hdus:
        return next(hdu for hdu in hdus if hdu.is_image and hdu.data is not None).header.copy()


def clipped(values: Image, sigmas: float = 5.0) -> tuple[float, float]:
    """Mean and standard deviation of the values within so many sigmas of the mean, by plain numpy."""
    kept = np.ravel(values)
    kept = kept[np.isfinite(kept)]
    low, high = np.percentile(kept, [15.87, 84.13])
    kept = kept[np.abs(kept - np.median(kept)) <= sigmas * max(0.5 * (high - low), 1e-12)]
    for _ in range(10):
        inside = np.abs(kept - kept.mean()) <= sigmas * kept.std()
        if inside.all():
            break
        kept = kept[inside]
    return float(kept.mean()), float(kept.std())


def pair_noises(frames: Sequence[Image]) -> list[float]:
    """Standard deviation of the difference of neighbours over sqrt(2), clipped at 5 sigma."""
    return [clipped(a - b)[1] / sqrt(2.0) for a, b in pairwise(frames)]


class Numbers:
    """Numbers of real nights, collected for the documentation.

    With FIDUCIAL_WRITE_RESULTS=FOLDER in the environment there is a JSON file per night in that folder.
    """

    def __init__(self, folder: str | None) -> None:
        self.folder = Path(folder) if folder else None
        self._found: dict[str, dict[str, Any]] = {}

    def note(self, night: str, name: str, value: Any) -> None:
        """Keep a number, a list or a text under a name."""
        self._found.setdefault(night, {})[name] = json.loads(json.dumps(value, default=float))

    def note_product(self, night: str, name: str, product: Product) -> None:
        """Keep verdict, reasons, use of the frames and each test's worst frame that counts."""
        tests: dict[str, dict[str, Any]] = {}
        for row in product.rows:
            judged = row["outcome"] in ("pass", "warn", "fail") and row["counts"]
            if not judged or row["margin"] is None or not np.isfinite(row["margin"]):
                continue
            key = f"{row['amplifier'] or 'detector'} {row['test']}"
            if key not in tests or row["margin"] < tests[key]["margin"]:
                kept = ("exposure", "value", "uncertainty", "unit", "limit", "margin", "outcome")
                tests[key] = {field: row[field] for field in kept}
        uses = {
            use: len(product.used(use)) for use in ("generate", "verify", "first", "left_out", "set_aside")
        }
        self.note(
            night,
            name,
            {
                "verdict": product.verdict,
                "reasons": list(product.reasons),
                "frames": uses,
                "worst": tests,
            },
        )

    def write(self) -> None:
        """Write what was collected, if that is wanted."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        for night, found in self._found.items():
            text = json.dumps(found, indent=1, sort_keys=True)
            (self.folder / f"{night}.json").write_text(f"{text}\n", encoding="utf-8")
