"""fiducial makes the calibrations of astronomical instruments."""

from importlib.metadata import version

__version__ = version("fiducial")
