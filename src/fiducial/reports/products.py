"""Products that are no images: which part of the report shows each kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fiducial.reports import defects, linearity, transfer
from fiducial.reports.headline import JudgedTest, detector_name
from fiducial.reports.model import ReportData
from fiducial.reports.numbers import in_words
from fiducial.reports.pictures import Album
from fiducial.reports.rows import Measurements
from fiducial.reports.summary import Summary, judged_tests

type View = Callable[[ReportData, int, Measurements, Album], object]


@dataclass(frozen=True)
class Way:
    """How a kind is shown.

    Parameters
    ----------
    template
        That shows the view of one detector.
    view
        What the template needs.
    findings
        What all products together say, in sentences.
    summary
        A line a detector.
    tests
        Those of all detectors that have a limit, worst first.
    """

    template: str
    view: View
    findings: Callable[[ReportData], tuple[str, ...]]
    summary: Callable[[ReportData], Summary]
    tests: Callable[[ReportData, Measurements], tuple[JudgedTest, ...]] = judged_tests


@dataclass(frozen=True)
class OtherView:
    """A product of a kind that the report does not know: what its header says."""

    facts: tuple[tuple[str, str], ...]


def way_of(data: ReportData) -> Way | None:
    """How the products of a section are shown; None where it has none."""
    if not data.products:
        return None
    return _WAYS.get(str(getattr(next(iter(data.products.values())), "kind", "")), _OTHER)


def _other_view(data: ReportData, detector: int, _results: Measurements, _album: Album) -> OtherView:
    metadata = getattr(data.products[detector], "metadata", {})
    return OtherView(tuple((str(key), in_words(value)) for key, value in metadata.items()))


def _detectors(data: ReportData) -> Summary:
    return Summary((), tuple((detector_name(data, detector),) for detector in data.products))


_OTHER = Way("other.html.j2", _other_view, lambda _: (), _detectors)
_WAYS = {
    "defects": Way(
        "defects.html.j2", defects.defects_view, defects.findings, defects.summary, defects.judged_totals
    ),
    "ptc": Way("ptc.html.j2", transfer.transfer_view, transfer.findings, transfer.summary),
    "linearizer": Way("linearizer.html.j2", linearity.linearity_view, linearity.findings, linearity.summary),
}
