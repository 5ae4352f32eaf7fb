"""Cameras with known truth: physics in, raw FITS frames out."""
