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

KERNELS = (
    "band_sums",
    "clipped_mean_integers",
    "combine",
    "correct_rows",
    "detrend_rows",
    "lag_integers",
    "lag_products",
    "pair_lags",
    "pair_statistics",
    "row_statistics",
    "turn_words",
    "weighted_mean",
)

# The kernels behind plain C functions.
FACE = r"""
#include "band_sums.hpp"
#include "clipped_mean_integers.hpp"
#include "combine.hpp"
#include "correct_rows.hpp"
#include "detrend_rows.hpp"
#include "lag_products.hpp"
#include "pair_statistics.hpp"
#include "row_statistics.hpp"
#include "turn_words.hpp"
#include "weighted_mean.hpp"

#include <vector>
using namespace fiducial;
extern "C" void clipped(const float *v, const std::uint8_t *u, const double *s, std::size_t n, std::size_t p,
                        float *mean, float *variance, std::int32_t *used, std::int32_t *out) {
    const Frames<float> frames{v, static_cast<std::ptrdiff_t>(p), 0, n, 1, p, u, nullptr, 1.0, nullptr, s};
    combine(frames, {Mode::clipped_mean, 2.5, 4, 0, 0, nullptr}, 1, {mean, variance, used, out});
}
extern "C" void dark(const float *v, const std::uint8_t *u, const double *t, std::size_t n, std::size_t p,
                     float *mean, float *variance, std::int32_t *used, std::int32_t *out) {
    weighted_mean({v, u, t, n, p}, {nullptr, nullptr, t, 1.7}, 4.0, 5, 1, {mean, variance, used, out});
}
extern "C" void integers(const std::uint16_t *v, std::size_t n, std::size_t p, float *mean, float *variance,
                         std::int32_t *used, std::int32_t *out) {
    clipped_mean(IntegerStack{v, n, p, true, 0x8000, 32768, 60000}, 2.5, 4, 1, false,
                 {mean, variance, used, out});
}
extern "C" void rows(const double *v, std::size_t n, std::size_t p, double *median, double *mean,
                     std::int32_t *count, std::int32_t *kept, double *noise) {
    const std::vector<double> about(p + 1, 1.1);
    const std::int64_t bounds[] = {0, static_cast<std::int64_t>(n)};
    row_statistics({v, n, p, about.data()}, bounds, 1, 3.5, 0.99, 1, {median, mean, count, kept, noise});
}
extern "C" void bands(const float *v, const std::uint8_t *u, std::size_t n, std::size_t p, double *sums,
                      std::int64_t *counts, double *rows, std::int64_t *row_counts) {
    const std::int64_t bounds[] = {0, static_cast<std::int64_t>(n)};
    band_sums({v, u, n, p}, bounds, 1, 1, {sums, counts, rows, row_counts});
}
extern "C" void correct(const std::uint16_t *v, const float *level, std::size_t n, std::size_t p,
                        float *image, std::int32_t *mask) {
    correct_rows<std::uint16_t>({v, static_cast<std::ptrdiff_t>(p), n, p}, {level, nullptr, 1.7f},
                                {50000.0, 60000.0, 1, 2}, true, false, image, mask);
}
extern "C" void detrend(const std::uint8_t *v, const float *level, const float *plane, std::size_t n,
                        std::size_t p, std::uint32_t *image, std::uint32_t *variance, std::int32_t *mask) {
    const float polynomial[] = {1e-6f, -2e-11f}, table[] = {0.0f, 5.0f, -7.0f};
    const auto pitch = static_cast<std::ptrdiff_t>(p);
    const PlaneRows<const float> one{plane, pitch};
    detrend_rows<std::int32_t>({v, 2 * pitch, n, p, PixelType::uint16, true, 0x8000},
                               {level, plane, polynomial, 2, table, 3, 100.0f, 1e-4f, 1.7f},
                               {50000.0, 60000.0, 1, 2, true, 64, 3}, {true, 0.7f, level, plane},
                               {one, one, one, one, one, one, {}, 61.3f, 3757.7f},
                               {{image, pitch}, {variance, pitch}, {mask, pitch}, true, true, true, false},
                               1);
}
extern "C" void turn(std::uint16_t *v, std::size_t n, bool swap) { turn_words(v, n, swap, 0x8000); }
extern "C" void lags(const float *v, std::size_t n, std::size_t p, double *sums, std::int64_t *counts) {
    const std::vector<Place> bad;
    lag_products({v, &bad, n, p}, 8, true, 1, sums, counts);
}
template <class T>
void pair_of(const T *a, const T *b, const std::uint8_t *u, std::size_t n, std::size_t p, double *statistics,
             double *sums, std::int64_t *counts) {
    const auto pitch = static_cast<std::ptrdiff_t>(p);
    const PairRows<T> pair{a, b, u, pitch, pitch, pitch, n, p};
    const PairStatistics s = pair_statistics(pair, 4.0, 9, 1);
    statistics[0] = static_cast<double>(s.number);
    statistics[1] = s.first, statistics[2] = s.second, statistics[3] = s.difference;
    statistics[4] = s.variance, statistics[5] = s.lowest;
    pair_lag_products(pair, s, 8, true, 1, sums, counts);
}
extern "C" void pair_integers(const std::uint16_t *a, const std::uint16_t *b, const std::uint8_t *u,
                              std::size_t n, std::size_t p, double *statistics, double *sums,
                              std::int64_t *counts) {
    pair_of(a, b, u, n, p, statistics, sums, counts);
}
extern "C" void pair_floats(const float *a, const float *b, const std::uint8_t *u, std::size_t n,
                              std::size_t p, double *statistics, double *sums, std::int64_t *counts) {
    pair_of(a, b, u, n, p, statistics, sums, counts);
}
"""


def build(folder: Path, level: str) -> ctypes.CDLL:
    compiler = shutil.which("g++") or shutil.which("c++")
    assert compiler, "no C++ compiler, which building fiducial needs too"
    face = folder / "face.cpp"
    face.write_text(FACE)
    library = folder / f"{level}.so"
    sources = [str(SOURCES / f"{name}.cpp") for name in KERNELS]
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
    results += [sums, counts]
    for function, one in ((library.pair_integers, np.uint16), (library.pair_floats, np.float32)):
        pair = [np.rint(rng.normal(900, 30, image.shape)).astype(one) for _ in range(2)]
        out = [np.empty(6), np.empty((9, 17)), np.empty((9, 17), np.int64)]
        function(*map(pointer, pair), pointer(usable), size(n), size(pixels), *map(pointer, out))
        results += out
    raw = rng.integers(0, 65536, (n, pixels)).astype(np.uint16)
    narrow = np.rint(rng.normal(1000, 3, (n, pixels))).astype(np.uint16)
    for stored in (raw, (narrow ^ 0x8000).byteswap()):
        images = [np.empty(pixels, dtype) for dtype in (np.float32, np.float32, np.int32, np.int32)]
        library.integers(pointer(stored), size(n), size(pixels), *map(pointer, images))
        results += images
    rows = [np.empty(n, dtype) for dtype in (float, float, np.int32, np.int32)] + [np.empty(1)]
    overscan = frames.astype(np.float64)
    library.rows(pointer(overscan), size(n), size(pixels), *map(pointer, rows))
    results += rows
    bands = [np.empty(pixels), np.empty(pixels, np.int64), np.empty(n), np.empty(n, np.int64)]
    library.bands(pointer(image), pointer(usable), size(n), size(pixels), *map(pointer, bands))
    results += bands
    level = times.astype(np.float32)
    planes = [np.empty((n, pixels), np.float32), np.empty((n, pixels), np.int32)]
    library.correct(pointer(raw), pointer(level), size(n), size(pixels), *map(pointer, planes))
    results += planes
    planes = [np.empty((n, pixels), dtype) for dtype in (np.float32, np.float32, np.int32)]
    library.detrend(
        pointer(raw), pointer(level), pointer(frames), size(n), size(pixels), *map(pointer, planes)
    )
    assert np.isfinite(planes[1].byteswap()).any()
    for swap in (False, True):
        words = raw.copy()
        library.turn(pointer(words), size(words.size), ctypes.c_bool(swap))
        results.append(words)
    return [*results, *planes]


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
