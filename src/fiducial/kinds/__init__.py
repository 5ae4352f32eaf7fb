"""One file per calibration kind: connections, configuration, and a task that gathers, calls, writes."""
