"""Figures and rows to one self-contained HTML page."""
