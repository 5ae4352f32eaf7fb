"""Which software made a run: the middleware's ``packages`` dataset, of everything that is installed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lsst.utils.packages import Packages

if TYPE_CHECKING:
    from lsst.daf.butler import Butler
    from lsst.pipe.base.quantum_graph import PredictedQuantumGraph

_log = logging.getLogger(__name__)


def record_versions(graph: PredictedQuantumGraph, butler: Butler) -> None:
    """Store the versions of all installed distributions with a run; where they are stored, compare.

    The middleware's own record asks which distribution each imported module is of, and looks for every file
    of the environment to find out: half a second. The whole environment takes a tenth of that, and a run can
    be made again from it.

    Parameters
    ----------
    graph
        What is about to be run.
    butler
        With the run as its output.
    """
    graph.pipeline_graph.register_dataset_types(butler, include_packages=True)
    (ref,) = graph.get_init_outputs("").values()
    now = Packages.fromSystem(include_all=True)
    if not butler.stored(ref):
        butler.put(now, ref)
        return
    for name, (before, after) in sorted(butler.get(ref).difference(now).items()):
        _log.warning("%s was %s when this run began, and is %s", name, before, after)
