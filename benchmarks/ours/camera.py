"""The camera file of the benchmark's frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    from fiducial.cameras import camera_from_yaml

    amplifiers = "\n".join(_amplifier(size, k) for k in range(2))
    text = _TEMPLATE.format(
        name=CAMERA,
        rows=size.rows,
        raw_columns=size.raw_shape[1],
        amplifiers=amplifiers,
        detectors="\n".join(f"  - {{id: {i}, name: D{i}, layout: ccd}}" for i in range(detectors)),
    )
    return camera_from_yaml(text, "benchmark camera")


def _amplifier(size: Size, k: int) -> str:
    def section(columns: slice) -> str:
        return f'"[{columns.start + 1}:{columns.stop},1:{size.rows}]"'

    corner = ", read_corner: LR" if k else ""
    return (
        f"      - {{name: {'AB'[k]}, data: {section(size.data[k])}, detector: {section(size.detector[k])},"
        f" serial_overscan: {section(size.bias_columns[k])}{corner}, gain: {GAIN[k]},"
        f" read_noise: {READ_NOISE[k]}, saturation: {SATURATION}}}"
    )
