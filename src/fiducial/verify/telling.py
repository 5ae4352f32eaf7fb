"""A verdict in the log of the task that came to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def tell(log: Any, verdict: Mapping[str, Any]) -> None:
    """Say the word, the number of tests, and every reason.

    Parameters
    ----------
    log
        Of the task; it has ``info``.
    verdict
        Of the form of `fiducial.verify.verdict.verdict_of`.
    """
    log.info("%s: %s (%d tests)", verdict["kind"], verdict["verdict"].upper(), verdict["tests"])
    for reason in verdict["reasons"]:
        log.info("%s", reason)
