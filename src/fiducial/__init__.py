"""fiducial makes the calibrations of astronomical instruments."""

from typing import Any

__all__ = ["__version__"]

__version__: str


def __getattr__(name: str) -> Any:
    # Looking through what is installed takes longer than many a command.
    if name == "__version__":
        from importlib.metadata import version

        return version("fiducial")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
