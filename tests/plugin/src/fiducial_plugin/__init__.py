"""A camera, a correction and a check from outside."""
