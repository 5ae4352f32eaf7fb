// Sums of products of an image with itself, shifted: what its autocorrelation is made of.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fiducial {

struct LagImage {
    const float *values;         // (rows, columns); masked ones are 0
    const std::uint8_t *usable;  // 1 or 0, or null: all are
    std::size_t rows, columns;
};

// sums[dy][dx + lag] and counts for dy in 0..lag, dx in -lag..lag, where both pixels are usable.
void lag_products(const LagImage &image, std::size_t lag, int threads, double *sums, std::int64_t *counts);

}  // namespace fiducial
