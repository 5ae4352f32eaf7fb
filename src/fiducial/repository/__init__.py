"""The data repository behind a small face: create, ingest, find, certify, chain, export, import, ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fiducial.repository.ingest import IngestReport, Refusal
    from fiducial.repository.repository import Repository

__all__ = ["IngestReport", "Refusal", "Repository"]

_HOMES = {"Repository": "repository", "IngestReport": "ingest", "Refusal": "ingest"}


def __getattr__(name: str) -> Any:
    # Loaded when asked for: the middleware costs most of a second to import.
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"fiducial.repository.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
