"""The pipeline files there are: those of the package, and those of plug-ins."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from pathlib import Path

from fiducial.errors import ConfigurationError
from fiducial.execution.job import PIPELINES

GROUP = "fiducial.pipelines"


def generation_of(product: str) -> Path:
    """The pipeline that makes a product: ``bias``, ``flatBootstrap``, ..."""
    return PIPELINES / f"cp{product[0].upper()}{product[1:]}.yaml"


def verification_of(product: str) -> Path:
    """The pipeline that verifies a product."""
    return PIPELINES / f"Verify{product[0].upper()}{product[1:]}.yaml"


def known_pipelines() -> tuple[Path, ...]:
    """List the pipeline files of the package and of plug-ins, in order of their names.

    What they write is registered when a repository is made, so that a plain ``pipetask run`` of any
    of them finds its dataset types known.

    Raises
    ------
    ConfigurationError
        A plug-in names a folder that has no pipeline in it.

    Notes
    -----
    A plug-in package adds kinds of calibrations by an entry point of the group ``fiducial.pipelines``:
    its value is a package and the folder in it that holds pipeline files. ::

        [project.entry-points."fiducial.pipelines"]
        mypackage = "mypackage:pipelines"
    """
    own = sorted(PIPELINES.glob("*.yaml"))
    plugged = sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value))
    return (*own, *(path for entry in plugged for path in _pipelines_of(entry)))


def _pipelines_of(entry: EntryPoint) -> list[Path]:
    package, _, folder = (part.strip() for part in entry.value.partition(":"))
    try:
        found = sorted(Path(str(files(package) / folder)).glob("*.yaml"))
    except ImportError as error:
        raise _off(entry, str(error)) from error
    if not found:
        raise _off(entry, "no *.yaml is there")
    return found


def _off(entry: EntryPoint, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"the plug-in pipelines {entry.name} ({entry.value}) cannot be found: {why}",
        hint=f"An entry point of {GROUP} is 'package:folder', a folder of pipeline files inside the package.",
    )
