"""The benchmark's work done by fiducial: one program for each workload."""

import os

# None of them uses linear algebra, and NumPy's library of it would start threads that wait busily.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
