"""What each calibration is: its pixels, units, schema version and header."""
