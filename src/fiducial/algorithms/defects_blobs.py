"""Groups of pixels in flats: smooth shadows (dust), rough patches (defects), and vampires."""

from __future__ import annotations

import numpy as np

from fiducial.algorithms.arrays import Flags, Float32, Float64, Int32
from fiducial.algorithms.binning import bin_image
from fiducial.algorithms.defects_model import Blob, BlobLimits, Limit
from fiducial.algorithms.local_background import surroundings
from fiducial.algorithms.statistics import robust_sigma

_SIGMAS = 5.0
_BLOCKS = 4  # of the background, along each side of an amplifier, at least
_SQUARE = 11  # pixels
_FEWEST = 20  # differences of neighbours that a noise is measured from
_LARGEST = 0.25  # of an amplifier: more of it is no blob


def find_blobs(
    flat: Float32, usable: Flags, limits: BlobLimits, master: str
) -> tuple[list[Blob], Flags, Flags]:
    """Find groups of pixels that lack light, and tell smooth shadows from rough patches.

    The flat is binned; bins that lack more than ``depth`` of the light of their surroundings, by more
    than five sigma, make a group where they touch. In a shadow, neighbours differ by no more than they do
    elsewhere: it dims what is there. What damage, glue or bad silicon does differs from pixel to pixel.

    Parameters
    ----------
    flat : (ny, nx)
        Of one amplifier.
    usable : (ny, nx) bool
        Pixels that are no defects by themselves; others are passed over.
    limits : BlobLimits
    master : str
        What it is called.

    Returns
    -------
    blobs : list of Blob
        In pixels of this array.
    dust, rough : (ny, nx) bool
        Pixels of shadows and of other blobs.

    References
    ----------
    The background: Bertin & Arnouts 1996 (A&AS 117, 393). The test of roughness is ours.
    """
    dust, rough = np.zeros(flat.shape, dtype=bool), np.zeros(flat.shape, dtype=bool)
    binned = bin_image(flat, usable, limits.bins)
    lit = np.isfinite(binned)
    around = surroundings(binned, lit, max(1, limits.background // limits.bins), least=_BLOCKS)
    if around is None:
        return [], dust, rough
    with np.errstate(divide="ignore", invalid="ignore"):
        lack = 1 - binned / around.level
        noise = around.sigma / around.level
    labels, groups = _label(lit & (lack > limits.depth) & (lack > _SIGMAS * noise))
    grain = _differences(flat, usable)
    outside = robust_sigma(grain)
    blobs = []
    for number, window in enumerate(groups, start=1):
        inside = labels[window] == number
        size = int(inside.sum())
        if not limits.size <= size <= _LARGEST * labels.size:
            continue
        pixels = _to_pixels(inside, window, limits.bins, flat.shape)
        blob = _measure(lack[window], inside, window, pixels, usable, limits, master, grain, outside)
        blobs.append(blob)
        where, shape = pixels
        (dust if blob.dust else rough)[where] |= shape
    return blobs, dust, rough


def _label(flags: Flags) -> tuple[Int32, list[tuple[slice, slice]]]:
    from scipy.ndimage import find_objects, label  # long to import

    labels, _ = label(flags, structure=np.ones((3, 3), dtype=int))
    return labels, find_objects(labels)


def _differences(flat: Float32, usable: Flags) -> Float32:
    """Relative difference of neighbours in a row; NaN where one of them is not usable."""
    out = np.full(flat.shape, np.nan, np.float32)
    both = usable[:, 1:] & usable[:, :-1]
    left, right = flat[:, :-1], flat[:, 1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        out[:, 1:] = np.where(both, 2 * (right - left) / (right + left), np.nan)
    return out


def _to_pixels(
    inside: Flags, window: tuple[slice, slice], bins: int, shape: tuple[int, ...]
) -> tuple[tuple[slice, slice], Flags]:
    """The pixels of some bins, as a place and the shape there."""
    whole = np.repeat(np.repeat(inside, bins, axis=0), bins, axis=1)
    y0, x0 = window[0].start * bins, window[1].start * bins
    whole = whole[: shape[0] - y0, : shape[1] - x0]
    return (slice(y0, y0 + whole.shape[0]), slice(x0, x0 + whole.shape[1])), whole


def _measure(
    lack: Float32,
    inside: Flags,
    window: tuple[slice, slice],
    pixels: tuple[tuple[slice, slice], Flags],
    usable: Flags,
    limits: BlobLimits,
    master: str,
    grain: Float32,
    outside: float,
) -> Blob:
    where, shape = pixels
    depth = np.where(inside, lack, 0.0).astype(np.float64)
    total = float(depth.sum())
    rows, columns = np.mgrid[window]
    own = grain[where][shape]
    own = own[np.isfinite(own)]
    # Not the robust noise: what makes a patch rough may be few of its pixels.
    roughness = float(np.std(own)) / outside if own.size >= _FEWEST and outside > 0 else np.nan
    good = float(usable[where][shape].mean())
    centre = (limits.bins - 1) / 2
    return Blob(
        x=float((depth * columns).sum() / total) * limits.bins + centre,
        y=float((depth * rows).sum() / total) * limits.bins + centre,
        area=int(shape.sum()),
        depth=total / int(inside.sum()),
        deepest=float(depth.max()),
        roughness=roughness,
        dust=bool(roughness <= limits.roughness) and good > 1 / 2,
        master=master,
    )


def find_unlit(cold: Flags, area: int) -> Flags:
    """Find wide groups of cold pixels at the side of an amplifier: what a slit or a mount keeps dark.

    Parameters
    ----------
    cold : (ny, nx) bool
        Pixels that lack light.
    area : int
        Pixels of a group, at least. It has to hold squares of 11 x 11 cold pixels, which columns and rows
        do not, and to touch the side; any other is no matter of the light, but a defect.

    Returns
    -------
    (ny, nx) bool
        Those groups, with the cold pixels within five of them.

    References
    ----------
    Opening by a square: Serra 1982, Image Analysis and Mathematical Morphology, chapter 2.
    """
    out = np.zeros(cold.shape, dtype=bool)
    if int(cold.sum()) < area:
        return out
    from scipy.ndimage import maximum_filter, minimum_filter

    wide = minimum_filter(cold.view(np.uint8), _SQUARE, mode="constant", cval=1)
    core = maximum_filter(wide, 2 * _SQUARE - 1, mode="constant", cval=0).astype(bool) & cold
    labels, groups = _label(core)
    (ny, nx) = cold.shape
    for number, (rows, columns) in enumerate(groups, start=1):
        inside = labels[rows, columns] == number
        at_side = rows.start == 0 or columns.start == 0 or rows.stop == ny or columns.stop == nx
        if at_side and int(inside.sum()) >= area:
            out[rows, columns] |= inside
    return out


def find_vampires(excess: Float32, sigma: Float32, usable: Flags, limit: Limit, limits: BlobLimits) -> Flags:
    """Find pixels that are bright in the flat and take the charge of those around them.

    Around each group of bright pixels a ring of ``radius`` pixels has to lack ``ring`` of the light on
    average, by more than five of the mean's errors; then the ring is lost with the group. A bright
    pixel alone, without such a ring, is no vampire.

    Parameters
    ----------
    excess, sigma : (ny, nx)
        Relative deviation of the flat from its surroundings, and its noise, one amplifier.
    usable : (ny, nx) bool
    limit : Limit
        Its ``sigmas`` hold for the brightest pixel.
    limits : BlobLimits
        ``vampire``, ``radius`` and ``ring`` are used.

    Returns
    -------
    (ny, nx) bool
        Vampires and what they take from.

    References
    ----------
    Vampire pixels: the LSST Science Pipelines, which mask such pixels by their level alone; that the ring has
    to be there is ours.
    """
    out = np.zeros(excess.shape, dtype=bool)
    seeds = usable & (excess > limits.vampire) & (excess > limit.sigmas * sigma)
    labels, groups = _label(seeds)
    for number, window in enumerate(groups, start=1):
        y0, x0 = (max(0, part.start - limits.radius) for part in window)
        where = slice(y0, window[0].stop + limits.radius), slice(x0, window[1].stop + limits.radius)
        near = _distance(labels[where] == number) <= limits.radius
        ring = near & usable[where] & (excess[where] < 0.5 * limits.vampire)
        if not ring.any():
            continue
        values = excess[where][ring].astype(np.float64)
        error = float(np.sqrt(np.mean(np.square(sigma[where][ring], dtype=np.float64)) / ring.sum()))
        if values.mean() < -max(limits.ring, _SIGMAS * error):
            out[where] |= near
    return out


def _distance(inside: Flags) -> Float64:
    from scipy.ndimage import distance_transform_edt

    distance: Float64 = distance_transform_edt(~inside)
    return distance
