// Clipping of one pixel's sorted values about their median, in double.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "dispatch.hpp"
#include "stack.hpp"

namespace fiducial {

struct Moments {
    double median, mean, variance;  // sample variance, ddof = 1; not a number for one value
};

FIDUCIAL_INLINE Moments finish(double median, double first, double second, double n) {
    const double square = second - first * first / n;
    return {median, median + first / n, (square < 0.0 ? 0.0 : square) / (n - 1.0)};
}

FIDUCIAL_INLINE Moments moments(const double *column, std::size_t low, std::size_t high) {
    const std::size_t n = high - low;
    const double median = 0.5 * (column[low + (n - 1) / 2] + column[low + n / 2]);
    double first = 0.0, second = 0.0;
    for (std::size_t k = low; k < high; ++k) {
        const double d = column[k] - median;
        first += d;
        second += d * d;
    }
    return finish(median, first, second, static_cast<double>(n));
}

FIDUCIAL_INLINE void store(const Images &out, std::size_t pixel, const Moments &m, std::size_t used,
                           std::size_t count) {
    out.mean[pixel] = static_cast<float>(m.mean);
    out.variance[pixel] = static_cast<float>(m.variance / static_cast<double>(used));
    out.used[pixel] = static_cast<std::int32_t>(used);
    out.clipped[pixel] = static_cast<std::int32_t>(count - used);
}

// `column` holds the usable values, rising; kappa has room for ties.
FIDUCIAL_INLINE void clip_column(const double *column, std::size_t count, double kappa, int iterations,
                                 const Images &out, std::size_t pixel) {
    std::size_t low = 0, high = count;
    Moments m = moments(column, low, high);
    for (int round = 0; round < iterations; ++round) {
        const double limit = kappa * std::sqrt(m.variance);
        std::size_t from = low, to = high;
        while (from + 1 < high && m.median - column[from] > limit) ++from;
        while (to > from + 1 && column[to - 1] - m.median > limit) --to;
        if (from == low && to == high) break;
        low = from;
        high = to;
        m = moments(column, low, high);
    }
    store(out, pixel, m, high - low, count);
}

}  // namespace fiducial
