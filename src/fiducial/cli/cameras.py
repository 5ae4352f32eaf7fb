"""``camera``: the cameras that are known, and files for new ones."""

from __future__ import annotations

from pathlib import Path

import click

from fiducial.cli import options, show
from fiducial.cli.outcome import Exit, tell
from fiducial.cli.progress import progress


@click.group()
def camera() -> None:
    """List, show or draft camera files.

    \b
    Example:
      fiducial camera draft night/ > mycamera.yaml
    """


@camera.command("list")
@options.json
def list_cameras(json: bool) -> None:
    """List the cameras that are known.

    \b
    Example:
      fiducial camera list
    """
    from fiducial.cameras import known_cameras, load_camera

    columns = ("camera", "name", "detectors", "description")
    cameras = {name: load_camera(name) for name in known_cameras()}
    rows = [(known, c.name, len(c.detectors), c.description) for known, c in cameras.items()]
    if json:
        return show.emit([dict(zip(columns, row, strict=True)) for row in rows])
    show.table("", columns, rows)
    show.next_step("fiducial camera show NAME")
    return None


@camera.command("show")
@click.argument("name")
@options.json
def show_camera(name: str, json: bool) -> None:
    """Print a camera file in full.

    \b
    Example:
      fiducial camera show latiss > mycamera.yaml
    """
    from fiducial.cameras import camera_to_yaml, load_camera

    model = load_camera(name)
    if json:
        return show.emit(model)
    return show.say(camera_to_yaml(model))


@camera.command("draft")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FRAME...")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Write here, not to stdout."
)
@options.json
def draft(files: tuple[Path, ...], output: Path | None, json: bool) -> int:
    """Draft a camera file from the headers and pixels of raw frames.

    Every guess stands beside its evidence. Frames of several types give a better draft: biases,
    two flats of one level, a dark.

    \b
    Example:
      fiducial camera draft night/ --output mycamera.yaml
    """
    from fiducial import service

    drafted, refused = service.draft_camera(files, progress=progress(json))
    for error in refused:
        tell(error.message, hint=error.hint)
    if json:
        show.emit(
            {"camera": drafted.camera, "evidence": drafted.evidence, "refused": [str(e) for e in refused]}
        )
    elif output is None:
        show.say(drafted.yaml)
    else:
        output.write_text(drafted.yaml)
        show.next_step(f"read {output}, then: fiducial init REPO --camera {output}")
    return Exit.SET_ASIDE if refused else Exit.DONE
