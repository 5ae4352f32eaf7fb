"""From masters to what the search takes, and from what it found to the product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from fiducial.algorithms.defects_model import Defects, MasterPlanes, Reason, Settings, Window
from fiducial.errors import CalibrationMismatch
from fiducial.products import metadata as meta
from fiducial.products.defects import DefectSet
from fiducial.products.masks import Plane

if TYPE_CHECKING:
    from fiducial.cameras.model import Camera
    from fiducial.corrections.masters import Master

_OUT = np.int32(Plane.BAD | Plane.NO_DATA | Plane.UNMASKED_NAN)
_DIGITS = 5


def windows_of(camera: Camera, detector: int) -> tuple[Window, ...]:
    """The amplifiers of a detector, for algorithms."""
    return tuple(
        Window(amp.name, amp.detector.x0, amp.detector.x1, amp.detector.y0, amp.detector.y1)
        for amp in camera.amplifiers(detector)
    )


def planes_for(master: Master, camera: Camera, detector: int) -> MasterPlanes:
    """Make a master ready to be searched: in electrons, with its mask sorted.

    Raises
    ------
    CalibrationMismatch
        It is of another detector or shape.
    """
    kind = master.kind.removesuffix("Bootstrap")
    band = master.metadata.get(meta.FILTER, "")
    name = f"{kind} {band}".strip() if kind == "flat" else kind
    own = int(master.metadata.get(meta.DETECTOR, detector))
    if own != detector or master.image.shape != camera.layout(detector).shape:
        raise CalibrationMismatch(
            f"master {name} is of detector {own} with {master.image.shape[1]} x {master.image.shape[0]} "
            f"pixels, not of detector {detector} of {camera.name}",
            hint="Give the collection that holds the masters of this detector.",
        )
    image, variance = master.image, np.asarray(master.product.variance.array)
    if kind != "flat" and master.metadata.get(meta.WORLD, "electron") == "adu":
        gain = np.ones(image.shape, np.float32)
        for amp in camera.amplifiers(detector):
            gain[amp.detector.slices] = amp.gain
        image, variance = image * gain, variance * gain**2
    mask = np.asarray(master.product.mask.array[:, :, 0])
    return MasterPlanes(
        cast("Literal['bias', 'dark', 'flat']", kind),
        name,
        image,
        variance,
        (mask & _OUT) != 0,
        (mask & np.int32(Plane.SAT)) != 0,
    )


def defects_product(
    found: Defects,
    masters: Sequence[Master],
    planes: Sequence[MasterPlanes],
    settings: Settings,
    camera: Camera,
    detector: int,
) -> DefectSet:
    """Make the product: boxes by reason, and a header that says what they were found in, and how."""
    keys = meta.identity(DefectSet.kind, camera, detector, "electron", serial=_serial(masters))
    keys[meta.NUMBER_OF_INPUTS] = 0  # frames: masters are named below
    for i, (master, plane) in enumerate(zip(masters, planes, strict=True)):
        keys |= {f"FID MASTER {i} NAME": plane.name, f"FID MASTER {i} HASH": master.content_hash}
    keys |= _common_state(masters)
    for name in ("dark", "bias", "cold", "bright"):
        limit = getattr(settings, name)
        keys |= {f"FID LIMIT {name.upper()}": limit.value, f"FID LIMIT {name.upper()} SIGMAS": limit.sigmas}
    for amplifier, counts in found.counts.items():
        keys |= {f"FID AMP {amplifier} N {reason.upper()}": n for reason, n in counts.items()}
    for i, blob in enumerate(found.blobs):
        start = f"FID BLOB {i}"
        keys |= {f"{start} X": round(blob.x, 1), f"{start} Y": round(blob.y, 1), f"{start} AREA": blob.area}
        keys |= {f"{start} DEPTH": round(blob.depth, _DIGITS), f"{start} DUST": blob.dust}
        keys |= {f"{start} MASTER": blob.master}
    keys |= {f"FID NOTE {i}": note for i, note in enumerate(found.notes)}
    keys |= meta.run_notes()
    keys |= {f"{meta.RUN}MASTER {i}": master.dataset for i, master in enumerate(masters) if master.dataset}
    masks = {
        str(reason.name).lower(): (found.reasons & int(reason)) != 0
        for reason in Reason
        if np.any(found.reasons & int(reason))
    }
    return DefectSet.from_masks(
        masks,
        instrument=camera.name,
        detector=detector,
        shape=camera.layout(detector).shape,
        metadata=keys,
    )


def join_manual(product: DefectSet, path: str, camera: Camera, detector: int) -> DefectSet:
    """Join the defects that a file names, if there is one; the header says which file."""
    if not path:
        return product
    from fiducial.frames.checksum import sha256_of
    from fiducial.products.defects_table import read_defects

    manual = read_defects(path, instrument=camera.name, detector=detector, shape=product.shape)
    return product.joined([manual]).with_metadata(
        {"FID MANUAL FILE": path.rsplit("/", 1)[-1], "FID MANUAL SHA256": sha256_of(path)}
    )


def _serial(masters: Sequence[Master]) -> str:
    serials = (str(master.metadata.get(meta.DETECTOR_SERIAL, "")) for master in masters)
    return next((serial for serial in serials if serial), "")


def _common_state(masters: Sequence[Master]) -> dict[str, meta.Scalar]:
    """The camera state that all masters which say it share."""
    states = [meta.read_state(master.metadata) for master in masters]
    keys = dict.fromkeys(key for state in states for key in state)
    out: dict[str, meta.Scalar] = {}
    for key in keys:
        values = {state[key] for state in states if state.get(key) is not None}
        if len(values) == 1:
            out[meta.STATE + key] = cast("meta.Scalar", values.pop())
    return out
