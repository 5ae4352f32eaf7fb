"""Readings from the headers of masters: read noise by the scatter of biases, and dark rates."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fiducial.corrections.measured_noise import overscan_share
from fiducial.products.metadata import read_inputs
from fiducial.trends.known import Known, MasterHeader, certified_as
from fiducial.trends.readings import UNITS, Reading

if TYPE_CHECKING:
    from fiducial.cameras.model import Amplifier


def readings_of_masters(known: Known) -> Iterator[Reading]:
    """Read noise and dark rate of each amplifier of each master; a master of unknown night gives none."""
    for master in known.masters:
        if master.kind not in ("bias", "dark"):
            continue
        if not master.night:
            known.left_out.append(
                f"{master.kind} of detector {master.detector} in {master.run}: of no known night"
            )
            continue
        for amp in known.camera.amplifiers(master.detector):
            found = noise(master, amp) if master.kind == "bias" else rate(known, master, amp)
            if found is not None and math.isfinite(found[0]) and found[1] > 0:
                quantity = "read_noise" if master.kind == "bias" else "dark_rate"
                method = "scatter" if master.kind == "bias" else "rate"
                yield reading_of(master, amp, quantity, method, *found)


def reading_of(
    master: MasterHeader, amp: Amplifier, quantity: str, method: str, value: float, error: float
) -> Reading:
    """The reading of a value in the unit of the master's pixels."""
    gain = gain_of(master, amp)
    factor = 1.0 if master.in_electrons else gain
    reading = Reading(
        quantity,
        master.detector,
        amp.name,
        master.night,
        value * factor,
        error * factor,
        UNITS[quantity],
        method,
        len(read_inputs(master.header)),
        master.run,
        gain=gain,
        state=master.state,
        base=master.dataset,
    )
    return certified_as(reading, master.validity)


def gain_of(master: MasterHeader | None, amp: Amplifier) -> float:
    """The gain that a master was made with; the camera's where it does not say."""
    gain = math.nan if master is None else master.number(amp.name, "GAIN")
    return gain if gain > 0 else float(amp.gain)


def noise(master: MasterHeader, amp: Amplifier) -> tuple[float, float] | None:
    """Read noise and its error: of n pixels in N frames sigma / sqrt(2 n (N - 1))."""
    value = master.number(amp.name, "NOISE")
    frames = len(read_inputs(master.header))
    pixels = usable_pixels(master, amp)
    if not value > 0 or frames < 2 or pixels < 1:
        return None
    return value, value / math.sqrt(2.0 * pixels * (frames - 1))


def usable_pixels(master: MasterHeader, amp: Amplifier) -> float:
    """Pixels of an amplifier that are not bad; NaN where the header does not count them."""
    return amp.detector.shape[0] * amp.detector.shape[1] - master.number(amp.name, "NBAD")


def rate(known: Known, master: MasterHeader, amp: Amplifier) -> tuple[float, float] | None:
    """Median dark rate and its error.

    Where levels had to be fitted, the fit's rate. Elsewhere the error is that of a median of the pixels, and
    that of the overscan's level, which all pixels of a frame share: the variance of the level over the sum
    of t^2, and as much of the bias by its own number of frames.
    """
    if (fitted := master.number(amp.name, "RATE")) == fitted:
        return fitted, master.number(amp.name, "RATE ERROR")
    low, middle, high = (master.number(amp.name, name) for name in ("P16", "P50", "P84"))
    pixels = usable_pixels(master, amp)
    times = [one.time for one in read_inputs(master.header) if one.time > 0]
    if not (high > low and pixels > 0) or not times:
        return None
    of_pixels = 0.5 * math.pi * (0.5 * (high - low)) ** 2 / pixels
    squares = sum(time**2 for time in times)
    frames_of_bias = _frames_of_bias(known, master) or len(times)
    level = level_variance(master, amp)
    shared = level / squares + level / frames_of_bias * (sum(times) / squares) ** 2
    return middle, math.sqrt(of_pixels + shared)


def level_variance(master: MasterHeader, amp: Amplifier) -> float:
    """Variance of the level that a frame's overscan gives, in the unit of its pixels; 0 without overscan."""
    if amp.serial_overscan is None:
        return 0.0
    start = "FID CHAIN "
    notes = {key[len(start) :]: value for key, value in master.header.items() if key.startswith(start)}
    rows, columns = amp.serial_overscan.shape
    noise = master.number(amp.name, "READ NOISE")
    noise = noise if noise > 0 else float(amp.read_noise)
    if not master.in_electrons:
        noise /= gain_of(master, amp)
    return noise**2 * max(overscan_share(amp, notes), 1.0 / columns) / rows


def _frames_of_bias(known: Known, master: MasterHeader) -> int:
    dataset = str(master.header.get("FID RUN MASTER BIAS", ""))
    bias = known.by_dataset.get(dataset)
    return len(read_inputs(bias.header)) if bias is not None else 0
