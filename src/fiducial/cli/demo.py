"""What the demonstration found, against the truth."""

from __future__ import annotations

from typing import Any

from fiducial.cli import show


def show_demo(result: Any) -> None:
    """Print verdicts, faults and the comparison with the truth, and where everything is."""
    show.say(f"{result.used} frames used + {result.refused} refused = {result.offered} offered")
    show.table("verdicts", ("production", "verdict"), result.verdicts.items())
    rows = [(f.fault, f.frame, f.found or "MISSED") for f in result.faults]
    show.table("planted faults", ("fault", "frame", "what became of it"), rows)
    comparisons = [
        (
            c.product,
            c.detector,
            c.amplifier,
            round(c.chi2, 4),
            f"1 ± {c.limit:.4f}",
            c.offset,
            "agrees" if c.agrees else "DIFFERS",
        )
        for c in result.comparisons
    ]
    columns = ("master", "detector", "amplifier", "chi2", "limit", "mean difference", "")
    show.table("masters against the truth", columns, comparisons)
    show.say(f"certified: {', '.join(result.certified) or 'nothing'}")
    show.say(f"corrected science frames: {result.detrended}")
    show.say(f"repository: {result.repository}")
    show.say(f"report:     {result.report}")
    show.next_step(f"open {result.report} in a browser, then: fiducial timeline {result.repository}")
