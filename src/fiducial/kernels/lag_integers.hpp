// Exact sums of products of small integers with themselves, shifted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fiducial {

// 64 products of the largest values stay below 2^31; with larger ones, sums would be moved to 64 bits too often.
constexpr std::int32_t largest_lag_integer = 5792;

struct Place {
    std::uint32_t y, x;
};

struct LagIntegers {
    const std::int16_t *values;  // (rows, columns), within +-largest; bad ones are 0
    std::int32_t largest;        // at most largest_lag_integer
    std::size_t rows, columns;
    const std::vector<Place> *bad;
};

// sums[dy][dx + lag] of values[y][x] * values[y + dy][x + dx]; counts of pairs without a bad pixel; and singles:
// the sum of both values over those pairs. Without `left`, what stands at dx < 0 means nothing.
void lag_integers(const LagIntegers &image, std::size_t lag, bool left, int threads, std::int64_t *sums,
                  std::int64_t *singles, std::int64_t *counts);

// Only the counts, for images of any type.
void lag_counts(std::size_t rows, std::size_t columns, const std::vector<Place> &bad, std::size_t lag, bool left,
                int threads, std::int64_t *counts);

}  // namespace fiducial
