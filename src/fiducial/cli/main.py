"""Entry point of the command line: verbs are found by name and imported only when they are called."""

from __future__ import annotations

import importlib
import sys
from typing import Any, override

import click

VERBS: dict[str, tuple[str, str]] = {
    # verb: (module and function, what it does; shown by --help without an import)
    "demo": ("start:demo", "A simulated night, from nothing to certified calibrations and a report."),
    "init": ("start:init", "Make a repository ready for a camera."),
    "camera": ("cameras:camera", "List, show or draft camera files."),
    "ingest": ("frames:ingest", "Take raw frames in, where they are."),
    "plan": ("production:plan", "Say what would be made from which frames; change nothing."),
    "make": ("production:make", "Generate and verify calibrations."),
    "verify": ("production:verify", "Verify calibrations against frames."),
    "report": ("reports:report", "Write the report page of a production."),
    "defects": ("defects:defects", "List bad pixels by reason, and what appeared and went."),
    "status": ("status:status", "Say whether the camera is what was certified."),
    "certify": ("life:certify", "Certify what passed for a span of dates."),
    "adopt": ("life:adopt", "Take existing masters in as certified calibrations."),
    "detrend": ("frames:detrend", "Correct science frames with the certified calibrations."),
    "export": ("life:export", "Write certified calibrations into a bundle for another site."),
    "import": ("life:import_", "Take a bundle of another site in, after checking it."),
    "timeline": ("asking:timeline", "Show what is valid when."),
    "history": ("asking:history", "Show every step, as commands that can be run again."),
    "hash": ("asking:content_hash", "Show the content hash of products: equal content, equal hash."),
}


class Verbs(click.Group):
    """The group of all verbs, loaded one at a time."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module, _, function = VERBS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(f"fiducial.cli.{module}"), function)
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, text) for verb, (_, text) in VERBS.items()])


def _version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from fiducial import __version__

        click.echo(f"fiducial {__version__}")
        ctx.exit()


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Show the version."
)
def fiducial() -> None:
    """Calibrations of astronomical instruments: made, verified, certified, shipped, recorded.

    \b
    A night, from raw frames to certified calibrations:
      fiducial init REPO --camera simcam
      fiducial ingest REPO night/
      fiducial make REPO bias dark flat --night 20260901
      fiducial certify REPO RUN... --begin 2026-09-01 --end 2026-10-01
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; the exit code says how it went."""
    import logging

    from fiducial.cli.outcome import guarded

    # What is logged goes into the log.txt of each run; the terminal has results, progress and errors.
    logging.getLogger().addHandler(logging.NullHandler())
    sys.exit(guarded(lambda: _invoke(arguments)))


def _invoke(arguments: list[str] | None) -> Any:
    return fiducial.main(args=arguments, standalone_mode=False)
