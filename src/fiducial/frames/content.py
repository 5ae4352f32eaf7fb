"""What the raw pixels of a frame look like, amplifier by amplifier, before any correction."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fiducial.cameras.model import Amplifier, Camera, OverscanDefaults
from fiducial.cameras.regions import Region
from fiducial.errors import LayoutMismatch, UnreadableFrame
from fiducial.frames.raw import ImageHdu, RawFrame
from fiducial.frames.records import AmplifierContent

SAMPLE = 1 << 16  # pixels of an amplifier that its level and noise are measured on, at most (about)
BAND = 8  # rows or columns whose common median is one point of the gradient's profile
_ACROSS = 128  # pixels along each row (or column) that go into such a median, at most
_CLIP = 4.0  # sigma, of the neighbour differences


def measure_content(raw: RawFrame, camera: Camera, detector_id: int) -> tuple[AmplifierContent, ...]:
    """Measure level, noise, saturation and gradient of each amplifier of a detector.

    The saturated fraction is counted over all pixels. Level, noise and percentiles come from whole
    rows spread evenly over the data section, some 65,000 pixels or all there are: the error of the
    level (a median, see `fine_median`) is then 0.5 % of the noise of one pixel. The gradient is the
    span of a profile of medians, each of 8 rows (or columns), so that one bad column or a cosmic ray
    does not count.

    Parameters
    ----------
    raw
        The frame. Every image that the detector's amplifiers stand in is read once, whole.
    camera
        Says where the amplifiers are and which overscan columns to pass over.
    detector_id
        The detector's id.

    Returns
    -------
    tuple of AmplifierContent
        In the order of the layout; adu. NaN pixels (BLANK ones) are passed over.

    Raises
    ------
    LayoutMismatch
        An image is missing, or its shape is not the layout's.
    UnreadableFrame
        The pixels cannot be read, or an amplifier has none that is a number.
    """
    expected = camera.layout(detector_id).raw_shape
    images: dict[int, np.ndarray] = {}
    contents = []
    for amp in camera.amplifiers(detector_id):
        image = raw.find(amp.hdu)
        check_shape(raw, image, expected)
        if image.index not in images:
            images = {image.index: raw.read(image.index)}  # amplifiers of one HDU follow one another
        contents.append(_measure(images[image.index], amp, camera.defaults.overscan, raw, image))
    return tuple(contents)


def check_shape(raw: RawFrame, image: ImageHdu, expected: tuple[int, int]) -> None:
    """Raise LayoutMismatch if an image does not have the layout's shape, saying binned where it is."""
    ny, nx = image.shape
    if (ny, nx) == expected:
        return
    factor_y, factor_x = expected[0] // ny, expected[1] // nx
    binned = factor_y * factor_x > 1 and all(
        0 <= full - size * factor < factor
        for full, size, factor in zip(expected, (ny, nx), (factor_y, factor_x), strict=True)
    )
    remark = f": binned {factor_x}x{factor_y}?" if binned else ""
    raise LayoutMismatch(
        f"{Path(raw.path).name}: HDU {image} is not the {expected[1]} x {expected[0]} of the camera{remark}",
        hint="Calibrate unbinned full frames only, or give binned ones a camera file of their own.",
        file=raw.path,
        hdu=image.name or image.index,
        keyword="NAXIS1" if nx != expected[1] else "NAXIS2",
    )


def overscan_used(amp: Amplifier, settings: OverscanDefaults) -> Region | None:
    """The serial overscan without the columns that are to be skipped at its two ends, in readout order.

    Where skipping would leave nothing, the whole overscan is used.
    """
    area = amp.serial_overscan
    if area is None:
        return None
    left, right = settings.skip_leading, settings.skip_trailing
    if amp.read_corner in ("LR", "UR"):  # the columns read first are those of largest x
        left, right = right, left
    if area.x1 - right <= area.x0 + left:
        return area
    return Region(area.x0 + left, area.x1 - right, area.y0, area.y1)


def _measure(
    pixels: np.ndarray, amp: Amplifier, settings: OverscanDefaults, raw: RawFrame, image: ImageHdu
) -> AmplifierContent:
    data = pixels[amp.data.slices]
    sample = _spread_rows(data)
    values = sample[np.isfinite(sample)]
    if values.size == 0:
        raise UnreadableFrame(
            f"{Path(raw.path).name}: amplifier {amp.name} has no pixel with a number",
            hint="All its pixels are NaN or BLANK; take the frame again.",
            file=raw.path,
            hdu=image.name or image.index,
            keyword="BLANK",
        )
    low, high = np.percentile(values, (5, 95))
    return AmplifierContent(
        amplifier=amp.name,
        level=fine_median(values),
        overscan=_overscan_level(pixels, amp, settings),
        noise=_neighbour_noise(sample),
        low=float(low),
        high=float(high),
        saturated=float(np.count_nonzero(data >= amp.saturation) / data.size),
        gradient=max(_profile_span(data), _profile_span(data.T)),
    )


def _spread_rows(data: np.ndarray) -> np.ndarray:
    """Whole rows, evenly spread, as float32."""
    step = max(1, data.size // SAMPLE)
    return data[step // 2 :: step].astype(np.float32)


def _overscan_level(pixels: np.ndarray, amp: Amplifier, settings: OverscanDefaults) -> float | None:
    area = overscan_used(amp, settings)
    if area is None:
        return None
    values = _spread_rows(pixels[area.slices])
    values = values[np.isfinite(values)]
    return fine_median(values) if values.size else None


def fine_median(values: np.ndarray) -> float:
    """Median of integers, interpolated inside the integer that it falls on as if that were a bin.

    The plain median of integers is an integer or a half, too coarse for a bias level whose drift is a
    few tenths of an adu. Where no two values are equal this is the plain median.
    """
    middle = float(np.median(values))
    equal = np.count_nonzero(values == middle)
    if equal < 2:
        return middle
    below = np.count_nonzero(values < middle)
    return middle - 0.5 + (0.5 * values.size - below) / equal


def _neighbour_noise(sample: np.ndarray) -> float:
    """Standard deviation of one pixel from differences of neighbours in a row, outliers clipped."""
    difference = (sample[:, 1:] - sample[:, :-1]).ravel()
    difference = difference[np.isfinite(difference)]
    if difference.size < 2:
        return 0.0
    center = np.median(difference)
    spread = 1.4826 * float(np.median(np.abs(difference - center)))
    spread = max(spread, 0.5)  # integers: the median of the absolute differences may well be zero
    kept = difference[np.abs(difference - center) <= _CLIP * spread]
    return float(kept.std() / np.sqrt(2.0)) if kept.size else 0.0


def _profile_span(data: np.ndarray) -> float:
    """Largest minus smallest median of bands of rows."""
    rows, columns = data.shape
    band = min(BAND, rows)
    step = max(1, columns // _ACROSS)
    cut = data[: rows // band * band, step // 2 :: step].astype(np.float32)
    cut = cut.reshape(rows // band, -1)
    if not np.isfinite(cut).all():
        cut = cut[np.isfinite(cut).all(axis=1)]
        if not len(cut):
            return 0.0
    profile = np.median(cut, axis=1)
    return float(profile.max() - profile.min())
