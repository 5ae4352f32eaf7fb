"""Read noise and gain of the four taps of ESIS camera 1, from one pair without and one with light."""

from fiducial.algorithms.overscan import fit_overscan
from fiducial.algorithms.pairs import flat_pair_gain, pair_noise
from fiducial.cameras import load_camera
from fiducial.frames.raw import RawFrame


def pixels(number, section):
    with RawFrame.open(f"esis/led/ESIS1_0{number}.fits.fz") as raw:
        return raw.read(raw.images[0].index, section).astype(float)


def level(number, tap):
    found = fit_overscan(
        pixels(number, tap.serial_overscan),
        method="clipped_mean",
        order=0,
        skip_leading=22,
        skip_trailing=0,
        first_column_left=tap.read_corner[1] == "L",
    )
    return found.level[0]


for tap in load_camera("esis").amplifiers(1):
    dark = pair_noise(pixels(4860, tap.data), pixels(4861, tap.data))
    gain = flat_pair_gain(
        pixels(4803, tap.data),
        pixels(4804, tap.data),
        level_a=level(4803, tap),
        level_b=level(4804, tap),
        block=32,
        read_noise=dark.sigma,
    )
    print(
        f"{tap.name}: level {level(4860, tap):.0f} DN, read noise {dark.sigma:.3f} +- {dark.error:.3f} DN, "
        f"gain {gain.gain:.3f} +- {gain.error:.3f} e/DN"
    )
