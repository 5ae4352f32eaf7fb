"""The model of a camera: what its file may say, and nothing else."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fiducial.cameras.regions import Region
from fiducial.cameras.rules import HeaderRules
from fiducial.cameras.sections import Section

OverscanMethod = Literal[
    "none",
    "mean",
    "clipped_mean",
    "median",
    "mean_per_row",
    "median_per_row",
    "polynomial",
    "chebyshev",
    "legendre",
    "natural_spline",
    "cubic_spline",
    "akima_spline",
]


class Strict(BaseModel):
    """A model that refuses unknown keys and cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Amplifier(Strict):
    """One amplifier: where its pixels are in the raw file, and its nominal properties.

    All sections are in pixels of the raw HDU except ``detector``, which says where the data go in
    the assembled detector; written backwards it flips the axis, as DETSEC does.
    """

    name: str
    hdu: int | str | None = None  # index or EXTNAME; None: the detector's, or the only image there is
    data: Section
    detector: Section
    serial_overscan: Section | None = None
    parallel_overscan: Section | None = None
    serial_prescan: Section | None = None
    read_corner: Literal["LL", "LR", "UL", "UR"] = "LL"  # of the raw pixels: where readout starts
    gain: float = Field(gt=0)  # electron / adu
    read_noise: float = Field(gt=0)  # electron
    saturation: float = Field(gt=0)  # adu, raw: the ADC's or the full well's, whichever is lower
    a00: float | None = None  # 1/electron, < 0: brighter-fatter lowers the variance of flats

    @model_validator(mode="after")
    def _shapes_agree(self) -> Amplifier:
        if self.data.shape != self.detector.shape:
            raise ValueError(
                f"amplifier {self.name}: data {self.data} and detector {self.detector} differ in shape"
            )
        for name in ("serial_overscan", "parallel_overscan", "serial_prescan"):
            section: Region | None = getattr(self, name)
            if section is not None and section.overlaps(self.data):
                raise ValueError(f"amplifier {self.name}: {name} {section} overlaps data {self.data}")
        return self


class Layout(Strict):
    """A kind of detector: its raw pixels and amplifiers."""

    raw_shape: tuple[int, int]  # rows, columns of each raw HDU
    pixel_size: float = 10.0  # micrometre
    amplifiers: tuple[Amplifier, ...] = Field(min_length=1)

    @cached_property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the assembled detector."""
        return (
            max(a.detector.y1 for a in self.amplifiers),
            max(a.detector.x1 for a in self.amplifiers),
        )

    @model_validator(mode="after")
    def _sections_fit(self) -> Layout:
        ny, nx = self.raw_shape
        whole = Region(0, nx, 0, ny)
        names = [a.name for a in self.amplifiers]
        if len(set(names)) != len(names):
            raise ValueError(f"amplifier names must differ: {names}")
        for i, amp in enumerate(self.amplifiers):
            for name in ("data", "serial_overscan", "parallel_overscan", "serial_prescan"):
                section: Region | None = getattr(amp, name)
                if section is not None and not whole.contains(section):
                    raise ValueError(f"amplifier {amp.name}: {name} {section} is outside the raw {nx} x {ny}")
            for other in self.amplifiers[:i]:
                if amp.detector.overlaps(other.detector):
                    raise ValueError(f"amplifiers {other.name} and {amp.name} overlap on the detector")
        return self


class AmplifierValues(Strict):
    """What one detector's amplifier has of its own, instead of the layout's value."""

    gain: float | None = Field(default=None, gt=0)
    read_noise: float | None = Field(default=None, gt=0)
    saturation: float | None = Field(default=None, gt=0)
    a00: float | None = None


class Detector(Strict):
    """One detector of the camera and its place on the focal plane."""

    id: int = Field(ge=0)
    name: str
    layout: str
    serial: str = ""
    raft: str = ""
    name_in_raft: str = ""
    purpose: Literal["SCIENCE", "GUIDER", "WAVEFRONT", "FOCUS"] = "SCIENCE"
    hdu: int | str | None = None  # where its pixels are in a file of several detectors
    position: tuple[float, float] = (0.0, 0.0)  # of its centre on the focal plane, mm (x, y)
    quarter_turns: int = Field(default=0, ge=0, le=3)  # counter-clockwise, detector to focal plane
    amplifiers: dict[str, AmplifierValues] = {}


class OverscanDefaults(Strict):
    """How the overscan is modelled unless a run says otherwise."""

    method: OverscanMethod = "median_per_row"
    order: int = Field(default=3, ge=0)  # of a polynomial; number of knots for splines
    skip_leading: int = Field(default=0, ge=0)  # columns nearest the pixels, in readout order
    skip_trailing: int = Field(default=0, ge=0)  # columns read last
    parallel: bool = False


class SelectionDefaults(Strict):
    """How frames of one kind are chosen unless a run says otherwise."""

    skip_first: int = Field(default=1, ge=0)  # first exposures of a set, left out and kept to verify
    wanted: int = Field(default=20, ge=1)
    minimum: int = Field(default=3, ge=2)
    other_days_every: int = Field(default=5, ge=1)  # of other dates, every n-th verifies
    other_days_most: int = Field(default=40, ge=0)  # of them at most, the nearest dates first


class Defaults(Strict):
    """What a run does for this camera unless it says otherwise."""

    overscan: OverscanDefaults = OverscanDefaults()
    selection: dict[str, SelectionDefaults] = {}  # by kind

    def selection_of(self, kind: str) -> SelectionDefaults:
        """The selection of one kind; what the file does not name has the general default."""
        return self.selection.get(kind, SelectionDefaults())


class Camera(Strict):
    """A camera: everything fiducial knows about an instrument, from one file.

    Parameters are the keys of the file; `fiducial.cameras.load_camera` reads one.
    """

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$")  # the Butler's instrument name
    description: str = ""
    layouts: dict[str, Layout]
    detectors: tuple[Detector, ...] = Field(min_length=1)
    filters: dict[str, str] = {}  # physical filter -> band; others are added as frames bring them
    headers: HeaderRules
    defaults: Defaults = Defaults()

    @model_validator(mode="after")
    def _names_resolve(self) -> Camera:
        ids = [d.id for d in self.detectors]
        names = [d.name for d in self.detectors]
        if len(set(ids)) != len(ids) or len(set(names)) != len(names):
            raise ValueError("detector ids and names must differ from one another")
        for detector in self.detectors:
            if detector.layout not in self.layouts:
                raise ValueError(
                    f"detector {detector.name}: no layout {detector.layout!r}, only {', '.join(self.layouts)}"
                )
            known = {a.name for a in self.layouts[detector.layout].amplifiers}
            if unknown := set(detector.amplifiers) - known:
                raise ValueError(f"detector {detector.name}: no amplifier {', '.join(sorted(unknown))}")
        return self

    def detector(self, which: int | str) -> Detector:
        """The detector of this id or name."""
        for detector in self.detectors:
            if which in (detector.id, detector.name):
                return detector
        raise KeyError(f"{self.name} has no detector {which!r}")

    def layout(self, detector: int | str) -> Layout:
        """The layout of a detector."""
        return self.layouts[self.detector(detector).layout]

    def amplifiers(self, detector: int | str) -> tuple[Amplifier, ...]:
        """The amplifiers of a detector, with that detector's own HDU and values filled in."""
        det = self.detector(detector)
        out = []
        for amp in self.layouts[det.layout].amplifiers:
            changes: dict[str, object] = {}
            if amp.hdu is None and det.hdu is not None:
                changes["hdu"] = det.hdu
            if (own := det.amplifiers.get(amp.name)) is not None:
                changes |= own.model_dump(exclude_none=True)
            out.append(amp.model_copy(update=changes) if changes else amp)
        return tuple(out)
