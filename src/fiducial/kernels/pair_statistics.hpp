// Mean and variance of the difference of two frames without its outliers, and the products of its pixels.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fiducial {

template <class T>
struct PairRows {
    const T *first, *second;      // the first pixels of the first rows
    const std::uint8_t *usable;   // 1 or 0, or null: all are
    std::ptrdiff_t first_pitch, second_pitch, usable_pitch;  // from one row to the next
    std::size_t rows, columns;
};

struct PairStatistics {
    std::int64_t number, usable;   // pixels kept, and those that were there to begin with
    double first, second;          // mean of each frame over the pixels kept
    double difference, variance;   // of first - second over the pixels kept, divided by their number
    double lowest, highest;        // differences kept lie within
};

// Rounds of clipping at kappa sigma about the mean, from all usable pixels, until none changes the number kept.
//
// Exact for uint16; for other types sums are in double, in an order that depends on the shape alone. Pixels
// that are not finite are not usable.
template <class T>
PairStatistics pair_statistics(const PairRows<T> &pair, double kappa, int rounds, int threads);

// Sums over pairs of pixels kept of (d - mean)(d' - mean), laid out as by lag_products, and their counts.
//
// Exact but for the last rounding where T is uint16 and the differences kept span less than twice
// largest_lag_integer; otherwise differences are rounded to float, and summed as by lag_products.
template <class T>
void pair_lag_products(const PairRows<T> &pair, const PairStatistics &statistics, std::size_t lag, bool left,
                       int threads, double *sums, std::int64_t *counts);

}  // namespace fiducial
