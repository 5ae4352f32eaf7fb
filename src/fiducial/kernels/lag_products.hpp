// Sums of products of an image with itself, shifted: what its autocorrelation is made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lag_integers.hpp"

namespace fiducial {

struct LagImage {
    const float *values;           // (rows, columns); bad ones are 0
    const std::vector<Place> *bad;
    std::size_t rows, columns;
};

// sums[dy][dx + lag] and counts for dy in 0..lag, dx in -lag..lag, where neither pixel is bad; without `left`,
// what stands at dx < 0 means nothing.
//
// Products are summed in float over 32 steps of 16 lanes (512 columns), and these sums in double: each is off
// by at most 37 * 2^-24 = 2.2e-6 of the sum of the products' magnitudes.
void lag_products(const LagImage &image, std::size_t lag, bool left, int threads, double *sums,
                  std::int64_t *counts);

// Where bytes are 0.
std::vector<Place> places_without(const std::uint8_t *usable, std::size_t rows, std::size_t columns);

}  // namespace fiducial
