"""Run the commands of the documentation for real, and keep what they say and show.

    python docs/tools/record.py                 # everything that can be run here
    python docs/tools/record.py demo tour       # some scenes
    python docs/tools/record.py --list

Every command is called in a folder of its own, below one that is written as ``/calib`` in ``docs/runs/*.txt``;
figures go to ``docs/_static``. Scenes of real nights need the folder that FIDUCIAL_REAL_DATA names, or
``../shared/data`` beside the checkout. The documentation itself is built from what is kept: neither network
nor real frames are needed for that.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import by_hand
import curves
import evidence
import more
import nights
import physics
import ramp
import simulated
from stage import CHECKOUT, Stage, short_folder

import real

SCENES: dict[str, Callable[[Stage], None]] = {
    "demo": simulated.demo,
    "tour": simulated.tour,
    "noise_and_gain": simulated.noise_and_gain,
    "choosing": simulated.choosing,
    "products": simulated.products,
    "ship": by_hand.ship,
    "bootstrap": more.bootstrap,
    "detrending": more.detrending,
    "status": nights.status,
    "ramp": ramp.ramp,
    "curves": curves.curves,
    "pipetask": by_hand.pipetask,
    "latiss": by_hand.latiss,
    "adopt": more.adopt,
    "cameras": more.cameras,
    "trouble": more.trouble,
    "draft": more.draft,
    "kast": real.kast,
    "stl1001": real.stl1001,
    "esis": real.esis,
    "transfer": physics.transfer,
    "pairs": physics.pairs,
    "neighbours": physics.neighbours,
    "defects": physics.defects,
    "hot_pixels": physics.hot_pixels,
    "slit": physics.slit,
    "interpolation": physics.interpolation,
    "screenshots": real.screenshots,
    "make_demo": evidence.make_demo,
    "make_test": evidence.make_test,
    "seed_commands": evidence.seed_commands,
    "same_content": evidence.same_content,
    "memory": evidence.memory,
    "real_tests": evidence.real_tests,
    "truth": evidence.truth,
    "bad_input": evidence.bad_input,
    "notebook": evidence.notebook,
}


def main() -> None:
    """Record the scenes that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help="default: all, in order")
    parser.add_argument("--list", action="store_true", help="list the scenes")
    parser.add_argument("--scratch", type=Path, help="folder to work in; default: a new one")
    options = parser.parse_args()
    if options.list:
        for name, scene in SCENES.items():
            print(f"{name:18} {(scene.__doc__ or '').splitlines()[0]}")
        return
    data = Path(os.environ.get("FIDUCIAL_REAL_DATA", CHECKOUT.parent / "shared/data"))
    scratch = options.scratch or short_folder()
    stage = Stage(scratch.resolve(), data if data.is_dir() else None)
    for name in options.scenes or SCENES:
        began = time.monotonic()
        print(f"=== {name}", flush=True)
        SCENES[name](stage)
        print(f"=== {name}: {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
