"""The plain `pipetask` and `butler` commands that do what a plan says."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from fiducial.selection.model import KindPlan
from fiducial.selection.naming import Names, production_names
from fiducial.selection.ranges import compress


def commands(
    plan: KindPlan,
    names: Names | None = None,
    *,
    repo: str | Path,
    instrument: str,
    ticket: str = "",
    tag: str = "",
    rerun: str = "",
    detectors: Sequence[int] = (),
    pipelines_dir: str | Path | None = None,
    begin: str | None = None,
    end: str | None = None,
    processes: int = 1,
    overrides: Sequence[str] = (),
    verify_overrides: Sequence[str] = (),
) -> list[str]:
    """Write the commands that generate, verify, certify and export what a plan says.

    Parameters
    ----------
    plan
        The exposures.
    names
        The collections; None: made from ticket, tag and rerun.
    repo
        The repository.
    instrument
        The Butler's name of the camera.
    ticket, tag, rerun
        Parts of the collections' names, where ``names`` is not given.
    detectors
        Ids; empty: all that the exposures have.
    pipelines_dir
        Folder of the pipelines; None: those of the package.
    begin, end
        Validity, ISO-8601 (TAI); None: from the plan's night on, without an end.
    processes
        How many processes `pipetask` uses.
    overrides, verify_overrides
        Settings of the generation and of the verification, ``task:field=value``.

    Returns
    -------
    list of str
        One command a line, in order, quoted for a POSIX shell.
    """
    if names is None:
        names = production_names(instrument, ticket, tag, plan.kind, plan.filter, rerun)
    pipelines = Path(str(files("fiducial"))) / "pipelines" if pipelines_dir is None else Path(pipelines_dir)
    shell = _Shell(shlex.quote(str(repo)), instrument, pipelines, tuple(detectors), processes)
    raw = f"{instrument}/raw/all"
    capital = plan.kind[0].upper() + plan.kind[1:]
    shown = (*plan.generate, *plan.first, *plan.verify)
    inputs = f"{names.gen},{names.calib},{raw}"
    return [
        shell.pipetask(f"cp{capital}.yaml", f"{raw},{names.calib}", names.gen, plan.generate, overrides),
        f"butler query-collections {shell.repo} {names.gen}",
        shell.pipetask(f"Verify{capital}.yaml", inputs, names.verify, shown, verify_overrides),
        *_life(shell.repo, plan.kind, names, begin or _iso_date(plan.night), end),
    ]


@dataclass(frozen=True)
class _Shell:
    """What all commands of a plan have in common; ``repo`` is quoted."""

    repo: str
    instrument: str
    pipelines: Path
    detectors: tuple[int, ...]
    processes: int

    def pipetask(
        self, pipeline: str, inputs: str, output: str, exposures: Iterable[int], settings: Sequence[str] = ()
    ) -> str:
        query = data_query(self.instrument, exposures, self.detectors)
        return (
            f"pipetask --long-log --log-level fiducial=INFO run -b {self.repo}"
            f" -p {shlex.quote(str(self.pipelines / pipeline))} -i {inputs} -o {output}"
            + "".join(f" -c {shlex.quote(setting)}" for setting in settings)
            + f' -d "{query}" --register-dataset-types'
            + (f" -j {self.processes}" if self.processes > 1 else "")
        )


def _life(repo: str, kind: str, names: Names, begin: str, end: str | None) -> list[str]:
    """Certify, put first, export: what follows when the verification has passed."""
    validity = f"--begin-date {shlex.quote(begin)}"
    if end is not None:
        validity += f" --end-date {shlex.quote(end)}"
    return [
        f"butler certify-calibrations {validity} {repo} {names.gen} {names.certified} {kind}",
        f"butler query-collections {repo} {names.calib}",
        f"butler collection-chain --mode prepend {repo} {names.ticket_chain} {names.certified}",
        f"butler collection-chain --mode prepend {repo} {names.calib} {names.ticket_chain}",
        f"butler query-collections {repo} {names.calib}",
        f"butler export-calibs --transfer copy {repo} ./{_export_folder(names)} {names.ticket_chain}",
    ]


def data_query(instrument: str, exposures: Iterable[int], detectors: Sequence[int] = ()) -> str:
    """Write the data query of exposures, contiguous ids as ranges.

    Parameters
    ----------
    instrument
        The Butler's name of the camera.
    exposures
        Ids, in any order.
    detectors
        Ids; empty: all.
    """
    terms = [f"instrument='{instrument}'"]
    if len(detectors) == 1:
        terms.append(f"detector={detectors[0]}")
    elif detectors:
        terms.append(f"detector IN ({compress(detectors)})")
    terms.append(f"exposure IN ({compress(exposures)})")
    return " AND ".join(terms)


def _iso_date(night: int) -> str:
    text = f"{night:08d}"
    return f"{text[:4]}-{text[4:6]}-{text[6:]}"


def _export_folder(names: Names) -> str:
    """Name the export after what was certified: ``calibs.bias.20240326a``."""
    return "calibs." + names.certified.rsplit("/", 1)[-1]
