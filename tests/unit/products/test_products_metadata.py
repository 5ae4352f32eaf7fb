"""Headers of masters: written, read back, and what counts as one camera state."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.products import metadata as meta
from fiducial.products.masks import Plane
from frame_arrays import SHAPE, facts, tiny_camera


def test_identity() -> None:
    camera = tiny_camera()
    keys = meta.identity("flat", camera, 0, "electron", physical_filter="g")
    assert keys["OBSTYPE"] == keys["FID KIND"] == "flat"
    assert (keys["INSTRUME"], keys["DETECTOR"], keys["DET_NAME"], keys["DET_SER"]) == (
        "TinyCam",
        0,
        "S00",
        "T-0",
    )
    assert keys["FILTER"] == "g"
    assert meta.identity("bias", camera, 0, "adu", serial="own")["DET_SER"] == "own"
    assert "DET_SER" not in meta.identity("bias", camera, 1, "adu")


def test_inputs_are_read_back_by_exposure() -> None:
    used = [meta.InputNote(i, f"2026-01-0{i}", 1.5 * i, 10.0, "a" * 64 if i > 1 else "") for i in (3, 1, 2)]
    aside = [meta.AsideNote(5, "cut short"), meta.AsideNote(4, "too bright")]
    keys = meta.inputs(used, aside)
    assert meta.read_inputs(keys) == tuple(sorted(used, key=lambda note: note.exposure))
    assert meta.read_aside(keys) == tuple(sorted(aside, key=lambda note: note.exposure))
    assert "FID INPUT 0 SHA256" not in keys
    assert meta.read_inputs({}) == ()


def test_statistics_leave_out_what_is_masked() -> None:
    camera = tiny_camera()
    image = np.zeros(SHAPE, np.float32)
    image[:, :20] = np.arange(96)[:, None]
    mask = np.zeros(SHAPE, np.int32)
    image[0, 0], image[1, 1] = np.nan, 1e9
    mask[1, 1], mask[2, 2] = int(Plane.BAD), int(Plane.CLIPPED)
    mask[:, 20:] = int(Plane.NO_DATA)
    keys = meta.amplifiers(image, mask, camera, 0)
    assert (keys["FID AMP A P0"], keys["FID AMP A P100"]) == (0.0, 95.0)
    assert keys["FID AMP A P50"] == pytest.approx(47.5, abs=0.51)
    assert keys["FID AMP A NBAD"] == 2
    assert keys["FID AMP B NBAD"] == 96 * 20
    assert "FID AMP B P50" not in keys
    assert (keys["FID AMP B GAIN"], keys["FID AMP B READ NOISE"]) == (4.0, 8.0)


@pytest.mark.parametrize(
    ("values", "state", "mixed"),
    [
        ([-100.0, -100.0], -100.0, None),
        ([-100.0, -99.6, -100.2], -100.0, None),  # within twice the tolerance of 0.5
        ([-100.0, None], -100.0, None),
        ([None, None], None, None),
        ([-100.0, -90.0], None, "TEMP_SET"),
    ],
)
def test_the_state_that_frames_share(
    values: list[float | None], state: float | None, mixed: str | None
) -> None:
    keys = meta.state([facts(i, state={"TEMP_SET": v}) for i, v in enumerate(values)], tiny_camera())
    assert keys.get("FID STATE TEMP_SET") == state
    assert keys.get("FID MIXED STATE") == mixed
    assert meta.read_state(keys) == ({} if state is None else {"TEMP_SET": state})


def test_words_must_be_the_same() -> None:
    keys = meta.state([facts(1, state={"SEQFILE": "a"}), facts(2, state={"SEQFILE": "b"})], tiny_camera())
    assert keys == {"FID MIXED STATE": "SEQFILE"}


def test_what_is_of_the_run_is_no_content() -> None:
    keys = meta.run_notes({"bias": "0001", "dark": ""})
    assert keys["FID RUN MASTER BIAS"] == "0001"
    assert all(key.startswith("FID RUN ") for key in keys)
    assert "FID RUN MASTER DARK" not in keys
