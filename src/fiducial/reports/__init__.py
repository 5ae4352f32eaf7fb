"""Figures and rows to one self-contained HTML page."""

from fiducial.reports.render import render_report, write_report

__all__ = ["render_report", "write_report"]
