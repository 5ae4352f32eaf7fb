// A stack of frames and the images that come of it, as the kernels see them.
#pragma once

#include <cfloat>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace fiducial {

struct Stack {
    const float *values;          // (frames, pixels)
    const std::uint8_t *usable;   // the same, or null: all are
    const double *divisor;        // (frames,), or null: none
    std::size_t frames;
    std::size_t pixels;
};

// A deviation that equals a limit but for rounding (common on integer data) does not exceed it.
constexpr double tie = 1.0 + 1e-12;

struct Images {
    float *mean;
    float *variance;
    std::int32_t *used;
    std::int32_t *clipped;
};

inline __attribute__((always_inline)) bool is_finite(double value) { return std::fabs(value) <= DBL_MAX; }
inline __attribute__((always_inline)) bool is_finite(float value) { return std::fabs(value) <= FLT_MAX; }

}  // namespace fiducial
