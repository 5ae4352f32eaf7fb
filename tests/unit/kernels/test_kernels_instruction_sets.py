"""The kernels give the same bits compiled for any instruction set."""

from __future__ import annotations

import ctypes
import platform
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

SOURCES = Path(__file__).resolve().parents[3] / "src" / "fiducial" / "kernels"
CPU = Path("/proc/cpuinfo")
LEVELS = {"x86-64": "sse2", "x86-64-v3": "avx2", "x86-64-v4": "avx512vl"}

# The kernels behind plain C functions.
FACE = r"""
#include "clipped_mean.hpp"
#include "lag_products.hpp"
#include "weighted_mean.hpp"
using namespace fiducial;
extern "C" void clipped(const float *v, const std::uint8_t *u, const double *s, std::size_t n, std::size_t p,
                        float *mean, float *variance, std::int32_t *used, std::int32_t *out) {
    clipped_mean({v, u, s, n, p}, 2.5, 4, 1, {mean, variance, used, out});
}
extern "C" void dark(const float *v, const std::uint8_t *u, const double *t, std::size_t n, std::size_t p,
                     float *mean, float *variance, std::int32_t *used, std::int32_t *out) {
    weighted_mean({v, u, t, n, p}, {nullptr, nullptr, t, 1.7}, 4.0, 5, 1, {mean, variance, used, out});
}
extern "C" void lags(const float *v, std::size_t n, std::size_t p, double *sums, std::int64_t *counts) {
    lag_products({v, nullptr, n, p}, 8, 1, sums, counts);
}
"""


def build(folder: Path, level: str) -> ctypes.CDLL:
    compiler = shutil.which("g++") or shutil.which("c++")
    assert compiler, "no C++ compiler, which building fiducial needs too"
    face = folder / "face.cpp"
    face.write_text(FACE)
    library = folder / f"{level}.so"
    sources = [str(SOURCES / f"{name}.cpp") for name in ("clipped_mean", "weighted_mean", "lag_products")]
    options = ["-std=c++20", "-O3", "-fPIC", "-shared", f"-march={level}", "-DFIDUCIAL_CLONES=", "-pthread"]
    options += ["-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", f"-I{SOURCES}"]
    subprocess.run([compiler, *options, str(face), *sources, "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


def run(library: ctypes.CDLL) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    n, pixels = 13, 4000
    frames = np.rint(rng.normal(200, 14, (n, pixels))).astype(np.float32)
    frames[rng.random(frames.shape) < 0.02] += 900
    frames[rng.random(frames.shape) < 0.02] = np.nan
    usable = (rng.random(frames.shape) < 0.95).astype(np.uint8)
    times = rng.uniform(50, 60, n)

    def pointer(array):
        return array.ctypes.data_as(ctypes.c_void_p)

    size = ctypes.c_size_t
    results = []
    for function in (library.clipped, library.dark):
        images = [np.empty(pixels, dtype) for dtype in (np.float32, np.float32, np.int32, np.int32)]
        function(
            pointer(frames), pointer(usable), pointer(times), size(n), size(pixels), *map(pointer, images)
        )
        results += images
    image = np.nan_to_num(frames - 200)
    sums, counts = np.empty((9, 17)), np.empty((9, 17), np.int64)
    library.lags(pointer(image), size(n), size(pixels), pointer(sums), pointer(counts))
    return [*results, sums, counts]


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() != "x86_64", reason="other machines have one version of each kernel")
def test_all_instruction_sets_of_this_machine_agree(tmp_path):
    flags = CPU.read_text().split()
    levels = [level for level, flag in LEVELS.items() if flag in flags]
    assert levels[0] == "x86-64"
    first, *others = [run(build(tmp_path, level)) for level in levels]
    assert first[3].sum() > 0
    assert first[7].sum() > 0
    for other in others:
        for one, two in zip(first, other, strict=True):
            assert one.tobytes() == two.tobytes()
