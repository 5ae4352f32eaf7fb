"""W1 for any files and threads: ``python -m benchmarks.ours.stack_files OUTPUT THREADS FILE...``."""

import sys
from pathlib import Path

from benchmarks.ours.stack import stack

if __name__ == "__main__":
    stack([Path(name) for name in sys.argv[3:]], Path(sys.argv[1]), threads=int(sys.argv[2]))
