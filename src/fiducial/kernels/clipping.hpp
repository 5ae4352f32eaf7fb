// One pixel's sorted values: clipped about their median, or cut off at both ends; in double.
#pragma once

#include <cmath>
#include <cstddef>

#include "dispatch.hpp"

namespace fiducial {

struct Moments {
    double median, mean, variance;  // sample variance, ddof = 1; not a number for one value
};

struct Kept {
    std::size_t low, high;  // the range of the sorted values that stays
    Moments moments;
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

// `column` holds the usable values, rising; kappa has room for ties.
FIDUCIAL_INLINE Kept clip_column(const double *column, std::size_t count, double kappa, int iterations) {
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
    return {low, high, m};
}

// The mean without so many at both ends. Its variance is Tukey & McLaughlin's (1963, Sankhya A 25, 331):
// squares of deviations with the values cut off moved to the nearest that stays, over h (h - 1) of those h;
// given here times h, as a sample variance is.
FIDUCIAL_INLINE Kept trim_column(const double *column, std::size_t count, std::size_t low, std::size_t high) {
    const std::size_t top = count - high;
    Moments m = moments(column, low, top);
    double first = 0.0, second = 0.0;
    for (std::size_t k = 0; k < count; ++k) {
        const double d = column[k < low ? low : k < top ? k : top - 1] - m.mean;
        first += d;
        second += d * d;
    }
    const double square = second - first * first / static_cast<double>(count);
    m.variance = (square < 0.0 ? 0.0 : square) / (static_cast<double>(top - low) - 1.0);
    return {low, top, m};
}

}  // namespace fiducial
