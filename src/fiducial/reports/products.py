"""Products that are no images: which part of the report shows each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from fiducial.reports.defects import DefectsPart
from fiducial.reports.headline import JudgedTest, detector_name
from fiducial.reports.linearity import LinearityPart
from fiducial.reports.model import ReportData
from fiducial.reports.numbers import in_words
from fiducial.reports.pictures import Album
from fiducial.reports.rows import Measurements
from fiducial.reports.summary import Summary, judged_tests
from fiducial.reports.transfer import TransferPart


class ProductsPart(Protocol):
    """The part of a page that shows the products of one kind."""

    @property
    def template(self) -> str:
        """Shows the view of one detector."""

    def findings(self) -> tuple[str, ...]:
        """What all products together say, in sentences."""

    def summary(self) -> Summary:
        """A line a detector."""

    def tests(self, results: Measurements) -> tuple[JudgedTest, ...]:
        """The tests of all detectors that have a limit, the worst first."""

    def view(self, detector: int, results: Measurements, album: Album) -> object:
        """What the template needs."""


def part_of(data: ReportData) -> ProductsPart | None:
    """The part that shows the products of a section; None where it has none."""
    if not data.products:
        return None
    kind = str(getattr(next(iter(data.products.values())), "kind", ""))
    return _PARTS.get(kind, OtherPart)(data)


@dataclass(frozen=True)
class OtherView:
    """A product of a kind that the report does not know: what its header says."""

    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class OtherPart:
    """Products of a kind that the report does not know."""

    data: ReportData
    template: str = "other.html.j2"

    def findings(self) -> tuple[str, ...]:
        """Nothing."""
        return ()

    def summary(self) -> Summary:
        """The detectors."""
        return Summary((), tuple((detector_name(self.data, detector),) for detector in self.data.products))

    def tests(self, results: Measurements) -> tuple[JudgedTest, ...]:
        """As of any other kind."""
        return judged_tests(self.data, results)

    def view(self, detector: int, results: Measurements, album: Album) -> OtherView:
        """The header's scalars."""
        metadata: Mapping[str, object] = getattr(self.data.products[detector], "metadata", {})
        return OtherView(tuple((str(key), in_words(value)) for key, value in metadata.items()))


_PARTS: dict[str, Callable[[ReportData], ProductsPart]] = {
    "defects": DefectsPart,
    "ptc": TransferPart,
    "linearizer": LinearityPart,
}
