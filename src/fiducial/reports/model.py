"""What a report is made of: plain fields, gathered by whoever has the repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from numpy.typing import NDArray

if TYPE_CHECKING:  # these cost a second to import, or are needed for their names only
    import numpy as np
    import pyarrow as pa

    from fiducial.cameras.facts import FrameFacts
    from fiducial.cameras.model import Camera

type Rows = "Sequence[Mapping[str, object]] | pa.Table"
"""Measurement rows of `fiducial.verify`: mappings, or an Arrow table of the same columns."""

type Use = Literal["generate", "verify", "first", "left_out", "set_aside"]


class ImagePlanes(Protocol):
    """Image, variance and mask of one shape (ny, nx); `fiducial.products.images.Planes` is one."""

    @property
    def image(self) -> NDArray[np.float32]:
        """Values, in the unit of the master."""

    @property
    def variance(self) -> NDArray[np.float32]:
        """Variance of the values, in the unit squared."""

    @property
    def mask(self) -> NDArray[np.int32]:
        """Bits of `fiducial.products.masks.Plane`."""


class Choice(Protocol):
    """What the plan said of one exposure; `fiducial.selection.Choice` is one."""

    @property
    def exposure(self) -> int:
        """Id of the exposure."""

    @property
    def detector(self) -> int | None:
        """The detector this is about; None: all."""

    @property
    def use(self) -> str:
        """One of `Use`."""

    @property
    def reason(self) -> str:
        """Why."""

    @property
    def value(self) -> object:
        """The number that says why, or None."""

    @property
    def limit(self) -> object:
        """What the number was held against, or None."""


class Refusal(Protocol):
    """A file that could not be ingested; `fiducial.repository.Refusal` is one."""

    @property
    def file(self) -> str:
        """Its path."""

    @property
    def hdu(self) -> object:
        """The HDU that was at fault, or None."""

    @property
    def keyword(self) -> object:
        """The keyword that was at fault, or None."""

    @property
    def reason(self) -> str:
        """What is wrong."""

    @property
    def hint(self) -> str:
        """What to do about it."""


@dataclass(frozen=True, kw_only=True)
class ChoiceRow:
    """A `Choice` for whoever has none at hand."""

    exposure: int
    use: str
    reason: str = ""
    value: object = None
    limit: object = None
    detector: int | None = None


@dataclass(frozen=True, kw_only=True)
class RefusedFile:
    """A `Refusal` for whoever has none at hand."""

    file: str
    reason: str
    hint: str = ""
    hdu: object = None
    keyword: object = None


@dataclass(frozen=True, kw_only=True)
class Master:
    """One detector's master.

    ``metadata`` holds the cards of `fiducial.products.metadata`; of these the report reads
    ``FID AMP {name} P5``, ``... GAIN`` and their like.
    """

    planes: ImagePlanes
    unit: str  # of the image: "adu", "electron", "adu / s", "" for a ratio
    metadata: Mapping[str, object] = field(default_factory=dict)
    where: str = ""  # collection or file; said of the master certified before


@dataclass(frozen=True, kw_only=True)
class Residuals:
    """What is left of each frame of one detector after its correction, in blocks of pixels.

    Frames may stand in any order; ``images`` are (n, by, bx), each pixel the mean of a block of
    ``block`` (rows, columns) pixels of the assembled detector, NaN where none was usable.
    """

    exposures: Sequence[int]
    roles: Sequence[str]  # input, held_out, other_day, first
    mjd: Sequence[float]  # TAI, middle of the exposure
    images: NDArray[np.float32]
    unit: str
    block: tuple[int, int] = (1, 1)
    second_images: NDArray[np.float32] | None = None  # the same frames under another overscan model
    models: tuple[str, str] = ("the model used", "the second model")
    edges: NDArray[np.float64] | None = None  # (n_bins + 1,) of z = residual / expected sigma
    counts: NDArray[np.integer] | None = None  # (n, n_bins), or (n, n_amplifiers, n_bins)


@dataclass(frozen=True, kw_only=True)
class Certification:
    """For which dates a production is certified, and where."""

    begin: datetime | str | None  # TAI; None: open
    end: datetime | str | None
    collection: str = ""
    override: str = ""  # the reason given where something that did not pass was certified


@dataclass(frozen=True, kw_only=True)
class HistoryStep:
    """One entry of the ledger."""

    when: datetime | str
    what: str  # "make", "certify", ...
    who: str = ""
    command: str = ""
    outcome: str = ""
    details: Mapping[str, object] = field(default_factory=dict)  # collections, versions, ...


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """Everything the report of one kind (and filter) of a production says.

    Mappings by detector may load what they hold when asked for it: only one master at a time is held
    while a page is made.
    """

    camera: Camera
    kind: str
    title: str
    filter: str | None = None
    night: int | None = None
    ticket: str = ""
    tag: str = ""
    rerun: str = ""
    run: str = ""  # the collection that holds the masters
    choices: Sequence[Choice] = ()  # every frame offered, once
    refused: Sequence[Refusal] = ()
    offered: int | None = None  # frames and files offered; None: as many as are listed
    frames: Mapping[int, FrameFacts] = field(default_factory=dict)  # exposure -> facts, where known
    masters: Mapping[int, Master] = field(default_factory=dict)  # by detector id
    previous: Mapping[int, Master] = field(default_factory=dict)  # certified before, by detector id
    products: Mapping[int, object] = field(default_factory=dict)  # that are no images, by detector id
    previous_products: Mapping[int, object] = field(default_factory=dict)  # certified before
    results: Rows = ()
    verdict: Mapping[str, Any] | None = None
    residuals: Mapping[int, Residuals] = field(default_factory=dict)  # by detector id
    certified: Certification | None = None
    commands: Sequence[str] = ()  # as typed, one after the other
    history: Sequence[HistoryStep] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    created: datetime | str = ""

    @property
    def detectors(self) -> tuple[int, ...]:
        """The detectors of which there is anything, in order."""
        return tuple(sorted({*self.masters, *self.products, *self.residuals}))

    @property
    def physical_filter(self) -> str:
        """The filter of flats; from the verdict where nobody said it. Empty for other kinds."""
        if not self.kind.startswith("flat"):
            return ""
        known = self.filter or (self.verdict or {}).get("physical_filter") or ""
        return "" if known == "none" else str(known)

    @property
    def label(self) -> str:
        """Kind and filter: ``flat r``."""
        return f"{self.kind} {self.physical_filter}".rstrip()
