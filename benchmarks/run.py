"""The whole benchmark: ``make bench``, or ``python -m benchmarks.run``.

Results go to ``build/bench``: ``results.json``, ``benchmarks.md`` and ``benchmarks.svg``; of a complete
run at full size the last two go into the documentation too. The exit code is 1 if siril or CPL is missing,
or if a tool failed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks.bandwidth import Bandwidth, measure_bandwidth
from benchmarks.contest import Contest, hold
from benchmarks.files import bias_files
from benchmarks.frames import write_missing
from benchmarks.machine import cores, processor
from benchmarks.measure import RunFailed
from benchmarks.page import Circumstances, page
from benchmarks.plot import plot
from benchmarks.scaling import measure_scaling
from benchmarks.sizes import BUILD, ROOT, SIZES, Size
from benchmarks.summary import Row
from benchmarks.tools import OURS, WORKLOADS, Tool, all_tools

_SCALING = "scaling"
_PARTS = (*WORKLOADS, _SCALING)


def main(words: Sequence[str] | None = None) -> int:
    """Run what is asked for; the exit code."""
    options = _options(words)
    size = SIZES[options.size]
    print(f"{write_missing(size)} files written to {size.frames_folder}", flush=True)
    installed, missing = _find(options.tools)
    bandwidth = measure_bandwidth(bias_files(size), BUILD)
    workloads = [name for name in options.workloads if name != _SCALING]
    contest = hold(installed, workloads, size, options.repeats, bandwidth)
    scaling: list[Row] = []
    version = next((version for tool, version in installed if tool.name == OURS), "")
    if _SCALING in options.workloads and version:
        scaling = _scaling(size, options.repeats, version, bandwidth, contest)
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    circumstances = Circumstances(when, processor(), cores(), options.repeats, size)
    hints = {tool.name: tool.hint for tool in missing}
    _write(circumstances, bandwidth, contest, hints, scaling)
    complete = size.name == "full" and set(options.workloads) == set(_PARTS) and not options.tools
    if complete and not contest.failed:
        _publish()
    return int(any(tool.required for tool in missing) or bool(contest.failed))


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--workloads", nargs="+", choices=_PARTS, default=list(_PARTS), metavar="W")
    parser.add_argument("--tools", nargs="+", default=[], metavar="TOOL", help="only these (default: all)")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--size", choices=SIZES, default="full")
    options = parser.parse_args(words)
    if options.repeats < 1:
        parser.error("--repeats is 1 or more")
    known = [tool.name for tool in all_tools()]
    if unknown := set(options.tools) - set(known):
        parser.error(f"no tool {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return options


def _scaling(size: Size, repeats: int, version: str, bandwidth: Bandwidth, contest: Contest) -> list[Row]:
    """The curves; a failure is noted with the others, so that what was measured before is kept."""
    try:
        return measure_scaling(size, min(repeats, 3), version, bandwidth)
    except RunFailed as error:
        contest.failed[_SCALING, OURS] = str(error)
        print(f"scaling failed: {error}", file=sys.stderr, flush=True)
        return []


def _find(names: Sequence[str]) -> tuple[list[tuple[Tool, str]], list[Tool]]:
    """The tools that are installed, with their versions, and those that are missing."""
    installed, missing = [], []
    for tool in all_tools():
        if names and tool.name not in names:
            continue
        version = tool.version()
        if version is None:
            missing.append(tool)
            print(f"{tool.name} is missing: {tool.hint}", file=sys.stderr, flush=True)
        else:
            installed.append((tool, version))
            print(f"{tool.name} {version}", flush=True)
    return installed, missing


def _write(
    circumstances: Circumstances,
    bandwidth: Bandwidth,
    contest: Contest,
    missing: dict[str, str],
    scaling: list[Row],
) -> None:
    """Write the rows, the page and the figure."""
    rows = [row.as_dict() for row in [*contest.rows, *scaling]]
    (BUILD / "results.json").write_text(json.dumps(rows, indent=1) + "\n")
    told = page(circumstances, bandwidth, contest, missing, scaling)
    (BUILD / "benchmarks.md").write_text(told)
    plot(contest.rows, scaling, BUILD / "benchmarks.svg")
    print(f"\n{told}\nresults in {BUILD}", flush=True)


def _publish() -> None:
    """Put page and figure into the documentation."""
    shutil.copy(BUILD / "benchmarks.md", ROOT / "docs" / "results" / "benchmarks.md")
    shutil.copy(BUILD / "benchmarks.svg", ROOT / "docs" / "_static" / "benchmarks.svg")


if __name__ == "__main__":
    sys.exit(main())
