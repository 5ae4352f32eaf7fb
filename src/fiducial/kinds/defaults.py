"""The chains that tasks have unless a run says otherwise."""

from __future__ import annotations

from importlib import import_module

_CONFIGS = {
    "detrend": "fiducial.kinds.detrend:DetrendConfig",
    "flat": "fiducial.kinds.flat:FlatConfig",
    "linearizer": "fiducial.kinds.linearizer:LinearizerConfig",
    "ptc": "fiducial.kinds.ptc:PtcConfig",
}


def default_chain(task: str) -> list[str]:
    """Give the corrections of ``flat``, ``linearizer``, ``ptc`` or ``detrend``, in order."""
    module, name = _CONFIGS[task].split(":")
    return list(getattr(import_module(module), name)().chain)
