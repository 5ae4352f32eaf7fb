"""The report of a production: everything the repository knows of it, gathered for one page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fiducial.service.verdicts import verdict_of_run

if TYPE_CHECKING:
    from fiducial.reports.model import Master, ReportData, Residuals
    from fiducial.repository import Repository
    from fiducial.selection.production import Production


@dataclass(frozen=True)
class Page:
    """The page that was written."""

    file: str
    size: int
    verdict: str


def report(
    root: str | Path, runs: Sequence[str], output: str | Path, *, instrument: str | None = None
) -> Page:
    """Write one self-contained HTML page about the productions of some runs.

    Parameters
    ----------
    root
        Folder of the repository.
    runs
        Collections that ``make`` or ``pipetask`` wrote; several make one page.
    output
        The file.
    """
    from fiducial.reports import render_report, write_report
    from fiducial.repository import Repository
    from fiducial.selection.production import production_of

    with Repository.open(root, instrument=instrument) as repository:
        data = [gather(repository, production_of(run)) for run in runs]
    title = f"{data[0].camera.name} {data[0].night or ''} {data[0].ticket}".strip()
    file = Path(output)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_report(file, render_report(data, title=title))
    words = [str((one.verdict or {}).get("verdict", "not verified")) for one in data]
    return Page(
        str(file), file.stat().st_size, ", ".join(f"{d.label}: {w}" for d, w in zip(data, words, strict=True))
    )


def gather(repository: Repository, production: Production) -> ReportData:
    """Collect what the report of one production shows."""
    from fiducial.reports.model import ReportData
    from fiducial.reports.words import kind_name
    from fiducial.repository.certify import newest_run
    from fiducial.repository.ledger import versions
    from fiducial.repository.lookup import datasets

    butler = repository.butler
    run = newest_run(butler, production.collection, production.kind)
    verdict = verdict_of_run(repository, production)
    settings = settings_of(repository, run)
    camera = repository.camera()
    made = {int(ref.dataId["detector"]): ref for ref in datasets(butler, production.kind, run)}
    masters, products = _read(repository, made)
    previous, previous_products = _read(repository, _certified_before(repository, production, settings, made))
    capital = production.kind[0].upper() + production.kind[1:]
    results = [butler.get(ref) for ref in datasets(butler, f"verify{capital}Results", verdict.run)]
    verdicts = [butler.get(ref) for ref in datasets(butler, f"verify{capital}Verdict", verdict.run)]
    return ReportData(
        camera=camera,
        kind=production.kind,
        title=f"{camera.name} {kind_name(production.kind)} {settings.get('filter') or ''}".strip(),
        filter=settings.get("filter"),
        night=settings.get("night"),
        ticket=production.ticket,
        tag=production.tag,
        rerun=production.rerun,
        run=run,
        choices=_choices(settings),
        refused=_refused(repository, settings),
        frames=_facts(repository, settings),
        masters=masters,
        previous=previous,
        products=products,
        previous_products=previous_products,
        results=results[0] if results else (),
        verdict=verdicts[0] if verdicts else None,
        residuals=_residuals(repository, f"verify{capital}Residuals", verdict.run, masters),
        certified=_certified(repository, run),
        commands=_commands(repository, run, verdict.run),
        history=_history(repository, {run, production.names.certified}),
        versions=versions(),
    )


def settings_of(repository: Repository, run: str) -> dict[str, Any]:
    """Read what was asked for from the folder that every run of ours leaves; empty for others'."""
    file = Path(repository.root) / run / "fiducial" / "settings.json"
    return dict(json.loads(file.read_text())) if file.is_file() else {}


def _choices(settings: dict[str, Any]) -> tuple[Any, ...]:
    from fiducial.selection import Choice

    return tuple(Choice(**choice) for choice in settings.get("choices", ()))


def _refused(repository: Repository, settings: dict[str, Any]) -> tuple[Any, ...]:
    """List the files that were refused when frames of this production were taken in."""
    from fiducial.reports.model import RefusedFile

    mine = {choice["exposure"] for choice in settings.get("choices", ())}
    taken_in = [e for e in repository.ledger.history() if e.verb == "ingest"]
    refused: dict[str, str] = {}
    for entry in taken_in:
        if mine & set(entry.inputs.get("exposures", ())):
            refused |= entry.inputs.get("refused", {})
    return tuple(RefusedFile(file=file, reason=reason) for file, reason in sorted(refused.items()))


def _facts(repository: Repository, settings: dict[str, Any]) -> dict[int, Any]:
    wanted = {choice["exposure"] for choice in settings.get("choices", ())}
    return {r.exposure: r.facts for r in repository.records() if r.exposure in wanted} if wanted else {}


def _master(repository: Repository, ref: Any) -> Master:
    from fiducial.products.images import planes_of
    from fiducial.reports.model import Master

    image = repository.butler.get(ref)
    return Master(
        planes=planes_of(image),
        unit=str(image.unit) if image.unit is not None else "",
        metadata=dict(image.metadata),
        where=ref.run,
    )


def _read(repository: Repository, refs: Mapping[int, Any]) -> tuple[dict[int, Master], dict[int, object]]:
    """Read what each detector has: masters, and products that are no images."""
    from fiducial.repository.lookup import IMAGE_STORAGE

    masters: dict[int, Master] = {}
    products: dict[int, object] = {}
    for detector, ref in refs.items():
        if ref.datasetType.storageClass_name == IMAGE_STORAGE:
            masters[detector] = _master(repository, ref)
        else:
            products[detector] = repository.butler.get(ref)
    return masters, products


def _certified_before(
    repository: Repository, production: Production, settings: dict[str, Any], made: Mapping[int, Any]
) -> dict[int, Any]:
    """Find, for each detector, what was certified for the same moment before this production.

    If this production is certified itself, that is what stands after it in the chain.
    """
    from fiducial.repository.lookup import certified_in

    exposures = settings.get("generate", ())
    chain = certified_in(repository.butler, production.names.calib) if exposures else []
    found = {}
    for detector, own in made.items():
        before = None
        for name in chain:
            ref = repository.find_calibration(
                production.kind,
                exposures[0],
                detector,
                physical_filter=settings.get("filter"),
                collections=[name],
            )
            if ref is not None and ref.run == own.run:
                before = None
            elif before is None:
                before = ref
        if before is not None:
            found[detector] = before
    return found


def _residuals(
    repository: Repository, dataset: str, run: str, masters: dict[int, Master]
) -> dict[int, Residuals]:
    from fiducial.products.residuals import Z_EDGES
    from fiducial.reports.model import Residuals
    from fiducial.repository.lookup import datasets

    found = {}
    for ref in datasets(repository.butler, dataset, run):
        stack = repository.butler.get(ref)
        made_with = masters[stack.detector].metadata if stack.detector in masters else {}
        found[stack.detector] = Residuals(
            exposures=tuple(int(e) for e in stack.exposures),
            roles=stack.roles,
            mjd=tuple(float(m) for m in stack.mjd),
            images=stack.images,
            unit=stack.unit,
            block=(stack.binning, stack.binning),
            second_images=stack.second_images if stack.second_overscan else None,
            models=(
                str(made_with.get("FID CHAIN OVERSCAN METHOD", "the model used")),
                stack.second_overscan or "the second model",
            ),
            edges=Z_EDGES,
            counts=stack.histograms,
        )
    return found


def _certified(repository: Repository, run: str) -> Any:
    from fiducial.reports.model import Certification

    for entry in repository.timeline():
        if entry.run == run:
            return Certification(begin=entry.begin, end=entry.end, collection=entry.collection)
    return None


def _commands(repository: Repository, *runs: str) -> tuple[str, ...]:
    files = [Path(repository.root) / run / "fiducial" / "command.txt" for run in runs if run]
    return tuple(file.read_text().strip() for file in files if file.is_file())


def _history(repository: Repository, collections: set[str]) -> tuple[Any, ...]:
    """Pick the steps on the ledger that speak of these collections."""
    import shlex

    from fiducial.reports.model import HistoryStep

    return tuple(
        HistoryStep(
            when=entry.time,
            what=entry.verb,
            who=entry.user,
            command=shlex.join(entry.command),
            outcome=entry.outcome,
            details={**entry.inputs, "before": entry.before, "after": entry.after},
        )
        for entry in repository.ledger.history()
        if entry.run in collections or entry.verb in ("init", "ingest")
    )
