"""A camera, a correction, a check with its limit, and a kind of calibration from outside."""
