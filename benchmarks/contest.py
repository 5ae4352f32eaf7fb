"""All tools at all workloads, in turn and several times, so that a slow minute hits all alike."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.bandwidth import Bandwidth
from benchmarks.compare import Difference, compare
from benchmarks.files import bias_files
from benchmarks.measure import Cost, RunFailed, run
from benchmarks.ours.repositories import fill, fill_transfer
from benchmarks.sixteen import SIXTEEN
from benchmarks.sizes import Size
from benchmarks.summary import Row, summarise, with_ratios
from benchmarks.table import seconds
from benchmarks.tools import OURS, Task, Tool
from benchmarks.tools.fiducial import repository, transfer_repository
from benchmarks.traffic import traffic


@dataclass
class Contest:
    """What came of it: rows, notes by workload and tool, and the tools that failed, with the reason."""

    size: Size
    rows: list[Row] = field(default_factory=list)
    notes: dict[tuple[str, str], str] = field(default_factory=dict)
    failed: dict[tuple[str, str], str] = field(default_factory=dict)


def hold(
    tools: Sequence[tuple[Tool, str]],
    workloads: Sequence[str],
    size: Size,
    repeats: int,
    bandwidth: Bandwidth,
) -> Contest:
    """Run every tool (with its version) at every workload."""
    contest = Contest(size)
    for workload in workloads:
        if workload == "E2E":
            fill(repository(size), size, bias_files(size))
        if workload == "PTC":
            fill_transfer(transfer_repository(size), SIXTEEN[size.name])
        found = [(tool, version, tool.task(workload, size)) for tool, version in tools]
        entrants = [(tool, version, task) for tool, version, task in found if task is not None]
        _one(contest, workload, entrants, repeats, bandwidth.roofline(*traffic(workload, size)))
    contest.rows = with_ratios(contest.rows, OURS)
    return contest


def label(workload: str, size: Size) -> str:
    """The workload's name in the results."""
    return workload if size.name == "full" else f"{workload}-{size.name}"


def _one(
    contest: Contest, workload: str, entrants: list[tuple[Tool, str, Task]], repeats: int, roofline: float
) -> None:
    """Warm up and compare, then the repeats; each round begins with another tool."""
    size, name = contest.size, label(workload, contest.size)
    apart: dict[str, Difference | None] = {}
    costs: dict[str, list[Cost]] = {}
    for turn in range(repeats + 1):
        start = turn % max(len(entrants), 1)
        for tool, _, task in entrants[start:] + entrants[:start]:
            if (name, tool.name) in contest.failed:
                continue
            try:
                cost = run_task(tool.name, workload, task, size)
                if turn == 0:
                    apart[tool.name] = compare(workload, task, size)
                    costs[tool.name] = []
                    print(f"{name:10} {tool.name:12} {_told(cost, apart[tool.name])}", flush=True)
                else:
                    costs[tool.name].append(cost)
            except (RunFailed, OSError, ValueError, StopIteration) as error:
                contest.failed[name, tool.name] = str(error)
                print(f"{name:10} {tool.name:12} failed: {error}", file=sys.stderr, flush=True)
            finally:
                _clear(task)
    for tool, version, task in entrants:
        if (name, tool.name) in contest.failed:
            continue
        difference, spent = apart[tool.name], costs[tool.name]
        largest = difference.largest if difference else None
        row = summarise(name, tool.name, version, spent, max_difference=largest, roofline_s=roofline)
        contest.rows.append(row)
        contest.notes[name, tool.name] = _note(task, difference, spent)
        print(f"{name:10} {tool.name:12} median {seconds(row.median_s)} s", flush=True)


def _told(cost: Cost, apart: Difference | None) -> str:
    told = f"warm-up {seconds(cost.wall):>7} s {cost.rss_mb:7.0f} MiB"
    if apart is not None:
        told += f"  largest difference {apart.largest:.3g} ({apart.notable:.3%} over 0.01)"
    return told


def run_task(tool: str, workload: str, task: Task, size: Size) -> Cost:
    """Run a task once, its earlier outputs removed; without its imports if it tells them apart."""
    _clear(task)
    os.sync()
    logs = size.folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{tool}-{workload}.log"
    cost = run(task.command, folder=task.folder, log=log, environment=task.environment)
    if task.timing is None:
        return cost
    # Imports are reported apart: they are the same however much there is to do.
    told = json.loads(task.timing.read_text())
    return Cost(float(told["work_s"]), cost.cpu, cost.rss_mb, float(told["imports_s"]))


def _clear(task: Task) -> None:
    folder, pattern = task.outputs
    for path in folder.glob(pattern):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _note(task: Task, apart: Difference | None, costs: Sequence[Cost]) -> str:
    clipping = str(task.clipping) if task.clipping is not None else ""
    differs = f"{apart.notable:.2%} of the pixels differ by more than 0.01" if apart and apart.notable else ""
    apart_s = [cost.imports for cost in costs if cost.imports is not None]
    imports = (
        f"imports of {seconds(median(apart_s))} s not in the wall time but in the CPU time" if apart_s else ""
    )
    return "; ".join(part for part in (clipping, task.note, imports, differs) if part)
