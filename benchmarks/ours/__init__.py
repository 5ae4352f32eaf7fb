"""The benchmark's work done by fiducial: one program for each workload."""
