"""Sub-commands that fiducial adds to butler."""
