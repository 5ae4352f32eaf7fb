"""The camera files of the benchmark's frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import sixteen
from benchmarks.sizes import CAMERA, GAIN, READ_NOISE, SATURATION, Size

if TYPE_CHECKING:
    from fiducial.cameras.model import Camera

_TEMPLATE = """
name: {name}
layouts:
  ccd:
    raw_shape: [{rows}, {raw_columns}]
    amplifiers:
{amplifiers}
detectors:
{detectors}
filters: {{r: r, led1: led1, led2: led2}}
headers:
  recognise: {{INSTRUME: {name}}}
  frame_types:
    - {{type: bias, when: {{IMGTYPE: bias}}}}
    - {{type: flat, when: {{IMGTYPE: flat}}}}
    - {{type: science, when: {{IMGTYPE: science}}}}
  detector: DETECTOR
  obs_id: OBSID
  day_obs: DAYOBS
  seq_num: SEQNUM
  begin: {{key: DATE-BEG, scale: tai}}
  exposure_time: EXPTIME
  filter: FILTER
"""


def camera(size: Size, detectors: int = 1) -> Camera:
    """Describe a camera of equal detectors of two amplifiers."""
    return _camera(CAMERA, size.raw_shape, [_amplifier(size, k) for k in range(2)], detectors)


def camera_of_sixteen(size: sixteen.Sixteen) -> Camera:
    """Describe a camera of one detector of 16 amplifiers."""
    amplifiers = [_one_of_sixteen(size, k) for k in range(sixteen.AMPLIFIERS)]
    return _camera(sixteen.CAMERA, size.raw_shape, amplifiers, 1)


def _camera(name: str, shape: tuple[int, int], amplifiers: list[str], detectors: int) -> Camera:
    from fiducial.cameras import camera_from_yaml

    text = _TEMPLATE.format(
        name=name,
        rows=shape[0],
        raw_columns=shape[1],
        amplifiers="\n".join(amplifiers),
        detectors="\n".join(f"  - {{id: {i}, name: D{i}, layout: ccd}}" for i in range(detectors)),
    )
    return camera_from_yaml(text, "benchmark camera")


def _one_of_sixteen(size: sixteen.Sixteen, k: int) -> str:
    def section(where: tuple[slice, slice]) -> str:
        rows, columns = where
        return f'"[{columns.start + 1}:{columns.stop},{rows.start + 1}:{rows.stop}]"'

    corner = "UL" if k >= sixteen.ACROSS else "LL"
    return (
        f"      - {{name: A{k:02d}, data: {section(size.data(k))}, detector: {section(size.detector(k))},"
        f" serial_overscan: {section(size.bias_region(k))}, read_corner: {corner},"
        f" gain: {sixteen.GAINS[k]}, read_noise: {sixteen.NOISE}, saturation: {SATURATION}}}"
    )


def _amplifier(size: Size, k: int) -> str:
    def section(columns: slice) -> str:
        return f'"[{columns.start + 1}:{columns.stop},1:{size.rows}]"'

    corner = ", read_corner: LR" if k else ""
    return (
        f"      - {{name: {'AB'[k]}, data: {section(size.data[k])}, detector: {section(size.detector[k])},"
        f" serial_overscan: {section(size.bias_columns[k])}{corner}, gain: {GAIN[k]},"
        f" read_noise: {READ_NOISE[k]}, saturation: {SATURATION}}}"
    )
