"""The use cases, one function each: the front door that the command line and other programs share."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "adopt": "adopting",
    "certify": "certifying",
    "content_hashes": "asking",
    "defects": "listing_defects",
    "demo": "demonstration",
    "detrend": "detrending",
    "draft_camera": "cameras",
    "export": "shipping",
    "find_dates": "finding_dates",
    "history": "asking",
    "import_bundle": "shipping",
    "ingest": "ingesting",
    "init": "initialise",
    "make": "production",
    "plan": "planning",
    "report": "reporting",
    "status": "comparing_nights",
    "timeline": "asking",
    "verify": "verifying",
}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    # Each use case is imported when it is asked for: some need the whole middleware, some nothing.
    if name in _WHERE:
        return getattr(import_module(f"fiducial.service.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
