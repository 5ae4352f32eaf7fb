"""The chains that tasks have unless a run says otherwise."""

from __future__ import annotations


def default_chain(task: str) -> list[str]:
    """Give the corrections of ``flat`` or ``detrend``, in order."""
    if task == "flat":
        from fiducial.kinds.flat import FlatConfig

        return list(FlatConfig().chain)
    from fiducial.kinds.detrend import DetrendConfig

    return list(DetrendConfig().chain)
