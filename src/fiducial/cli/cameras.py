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
      fiducial camera draft night/*.fits > mycamera.yaml
    """


@camera.command("list")
@options.json
def list_cameras(json: bool) -> None:
    """List the cameras that are known."""
    from fiducial.cameras import known_cameras, load_camera

    cameras = [load_camera(name) for name in known_cameras()]
    if json:
        return show.emit([{"name": c.name, "description": c.description} for c in cameras])
    rows = [
        (n, c.name, len(c.detectors), c.description) for n, c in zip(known_cameras(), cameras, strict=True)
    ]
    show.table("", ("camera", "instrument", "detectors", "description"), rows)
    show.next_step("fiducial camera show NAME")
    return None


@camera.command("show")
@click.argument("name")
@options.json
def show_camera(name: str, json: bool) -> None:
    """Print a camera file in full."""
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
