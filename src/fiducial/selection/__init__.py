"""Choosing frames: sets by camera state, first exposures, content, and the reason for each one left out."""
