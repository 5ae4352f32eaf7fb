"""The tools that are compared."""

from __future__ import annotations

from benchmarks.tools.base import WORKLOADS, Task, Tool
from benchmarks.tools.cpl import Cpl
from benchmarks.tools.fiducial import Fiducial
from benchmarks.tools.gnuastro import Gnuastro
from benchmarks.tools.iraf import Iraf
from benchmarks.tools.python_peers import python_peers
from benchmarks.tools.siril import Siril

__all__ = ["OURS", "WORKLOADS", "Task", "Tool", "all_tools"]

OURS = Fiducial.name


def all_tools() -> list[Tool]:
    """Every tool, ours first."""
    return [Fiducial(), Siril(), Cpl(), Gnuastro(), Iraf(), *python_peers()]
