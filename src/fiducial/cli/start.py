"""``init`` and ``demo``: the first two things a user does."""

from __future__ import annotations

from pathlib import Path

import click

from fiducial.cli import options, show
from fiducial.cli.progress import progress


@click.command()
@options.repository
@click.option("--camera", required=True, metavar="NAME|FILE", help="A known camera, or a camera file.")
@click.option("--add", is_flag=True, help="Add this camera to a repository that holds others.")
@options.json
def init(repository: str, camera: str, add: bool, json: bool) -> None:
    """Make a repository ready for a camera.

    \b
    Example:
      fiducial init /data/calib --camera latiss
    """
    from fiducial import service

    made = service.init(repository, camera, add=add)
    if json:
        return show.emit(made)
    show.say(f"{made.repository} is ready for {made.instrument} ({made.detectors} detectors)")
    show.next_step(f"fiducial ingest {repository} FRAMES...")
    return None


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path("fiducial-demo"))
@click.option("--seed", type=int, default=1, show_default=True, help="Of the simulated night.")
@options.json
def demo(folder: Path, seed: int, json: bool) -> int:
    """Simulate a night with known truth and planted faults, and calibrate it, offline.

    Leaves the raw frames, the repository and the report page below FOLDER.

    \b
    Example:
      fiducial demo build/demo
    """
    from fiducial import service
    from fiducial.cli.demo import show_demo

    result = service.demo(folder, seed=seed, progress=progress(json))
    if json:
        show.emit(result)
    else:
        show_demo(result)
    return 0 if result.passed else 4
