"""Frames made by hand: a small camera, and nights whose records say what a test wants them to say."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from fiducial.cameras.facts import FrameFacts, StateValue
from fiducial.cameras.model import Camera, SelectionDefaults
from fiducial.frames.records import AmplifierContent, FrameRecord

ZERO = 1000.0  # adu, level without light
READ_NOISE = 5.0  # adu
GAIN = 2.0  # electron / adu
DARK_RATE = 0.3  # adu / s
AMPLIFIER_PIXELS = 256 * 256


def make_camera(*, detectors: int = 1, overscan: bool = True, **selection: SelectionDefaults) -> Camera:
    """Make a camera of two amplifiers a detector; SET-TEMP and SEQFILE are its state."""
    amplifiers = []
    for i, name in enumerate(("A", "B")):
        amp: dict[str, object] = {
            "name": name,
            "data": f"[{256 * i + 1}:{256 * i + 256},1:256]",
            "detector": f"[{256 * i + 1}:{256 * i + 256},1:256]",
            "gain": GAIN,
            "read_noise": READ_NOISE * GAIN,
            "saturation": 65535,
        }
        if overscan:
            amp["serial_overscan"] = f"[{512 + 32 * i + 1}:{512 + 32 * i + 32},1:256]"
        amplifiers.append(amp)
    return Camera.model_validate(
        {
            "name": "TestCam",
            "layouts": {"ccd": {"raw_shape": (256, 576), "amplifiers": amplifiers}},
            "detectors": [{"id": i, "name": f"D{i}", "layout": "ccd"} for i in range(detectors)],
            "headers": {
                "recognise": {"INSTRUME": "TestCam"},
                "state": {"SET-TEMP": {"tolerance": 0.5}, "SEQFILE": {}},
            },
            "defaults": {"selection": selection},
        }
    )


Change = Callable[[int, str], dict[str, float]]  # detector, amplifier -> content that is not as usual


class Night:
    """A night in which exposures follow one another; each call returns the records it made."""

    def __init__(
        self,
        *,
        day: int = 20240326,
        detectors: int = 1,
        overscan: bool = True,
        state: dict[str, StateValue | None] | None = None,
        seed: int = 1,
    ) -> None:
        self.day = day
        self.now = datetime.strptime(str(day), "%Y%m%d") + timedelta(hours=20)
        self.detectors = detectors
        self.overscan = overscan
        self.state = {"SET-TEMP": -10.0, "SEQFILE": "a.seq"} if state is None else state
        self.sequence = 0
        self.random = random.Random(seed)  # noqa: S311
        self.records: list[FrameRecord] = []

    def idle(self, seconds: float) -> Night:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        return self

    def bias(self, count: int = 1, *, shift: float = 0.0, **facts: object) -> list[FrameRecord]:
        """Take biases, their level shifted (adu) if wanted."""
        return [r for _ in range(count) for r in self.expose("bias", 0.0, signal=shift, **facts)]

    def dark(
        self, count: int = 1, time: float = 60.0, *, shift: float = 0.0, **facts: object
    ) -> list[FrameRecord]:
        """Take darks."""
        signal = DARK_RATE * time + shift
        return [r for _ in range(count) for r in self.expose("dark", time, signal=signal, **facts)]

    def flat(
        self, count: int = 1, time: float = 10.0, *, rate: float = 2000.0, color: str = "g", **facts: object
    ) -> list[FrameRecord]:
        """Take flats, whose signal is rate (adu/s) times the time; steady to 0.5 %."""
        made = []
        for _ in range(count):
            signal = rate * time * (1 + 0.005 * self.random.uniform(-1, 1))
            made += self.expose("flat", time, signal=signal, color=color, **facts)
        return made

    def expose(
        self,
        frame_type: str,
        time: float,
        *,
        signal: float,
        color: str = "none",
        state: dict[str, StateValue | None] | None = None,
        binning: tuple[int, int] | None = (1, 1),
        dark_time: float | None = None,
        detectors: tuple[int, ...] | None = None,
        wait: float = 5.0,
        change: Change | None = None,
    ) -> list[FrameRecord]:
        """Take one exposure; ``signal`` is the mean above zero (adu), ``change`` what is not as usual."""
        self.sequence += 1
        begin = self.now
        self.now += timedelta(seconds=time + wait)
        facts = FrameFacts(
            camera="TestCam",
            exposure=self.day * 100000 + self.sequence,
            obs_id=f"T_{self.day}_{self.sequence:06d}",
            detectors=tuple(range(self.detectors)),
            day_obs=self.day,
            seq_num=self.sequence,
            group=str(self.sequence),
            begin=begin,
            end=begin + timedelta(seconds=time),
            exposure_time=time,
            dark_time=time if dark_time is None else dark_time,
            frame_type=frame_type,
            filter=color,
            binning=binning,
            state=self.state if state is None else state,
        )
        made = []
        for detector in range(self.detectors) if detectors is None else detectors:
            content = []
            for name in ("A", "B"):
                level = ZERO + 10 * detector + signal + self.random.gauss(0, 0.1)
                amp: dict[str, float | str | None] = {
                    "amplifier": name,
                    "level": level,
                    "overscan": ZERO + 10 * detector if self.overscan else None,
                    "noise": (READ_NOISE**2 + max(signal, 0) / GAIN) ** 0.5 * self.random.uniform(0.99, 1.01),
                    "low": level - 10,
                    "high": level + 10,
                    "saturated": 0.0,
                    "gradient": 2.0,
                }
                amp.update(change(detector, name) if change else {})
                content.append(AmplifierContent.model_validate(amp))
            made.append(
                FrameRecord(
                    facts=facts,
                    detector=detector,
                    file=f"{facts.obs_id}_{detector}.fits",
                    size=1,
                    sha256="",
                    content=tuple(content),
                )
            )
        self.records += made
        return made


def ids(records: list[FrameRecord]) -> tuple[int, ...]:
    """Return the exposures' ids, each once, in order."""
    return tuple(sorted({record.exposure for record in records}))
