"""The benchmark's work done by other programs: a script or a configuration for each program and workload."""
