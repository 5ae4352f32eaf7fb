"""Rows and arrays to figures."""
