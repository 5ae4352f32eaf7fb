// The loop over lags that sums of integer and of floating-point products share.
//
// For one row and one shift in columns, the products with several rows below are summed at once: the row
// is loaded once for all of them, and their sums stay in registers.
#pragma once

#include <cstddef>
#include <vector>

#include "dispatch.hpp"

namespace fiducial {

constexpr std::size_t most_rows_below = 8;  // summed at once

// Two images of one shape; null rows below the last one are all zero.
template <class T>
struct LagRows {
    const T *first, *second;
    const T *zeros;  // (columns,)
    std::size_t rows, columns, lag;
    bool left;  // whether dx < 0 is wanted; in row dy = 0 it never is: it mirrors dx > 0
};

// Products::sum<G>(row, rows_below, n, sums, stride) adds the sums of n products with each of G rows below.
template <std::size_t G, class Products, class T, class Sum>
FIDUCIAL_INLINE void sum_group(const Products &products, const T *row, const T *const *below, std::size_t number,
                               std::size_t n, Sum *sums, std::size_t stride) {
    if (number == G) {
        products.template sum<G>(row, below, n, sums, stride);
    } else if constexpr (G > 1) {
        sum_group<G - 1>(products, row, below, number, n, sums, stride);
    }
}

// sums[dy][dx + lag] of first[y][x] * second[y + dy][x + dx] for rows y of begin..end.
template <class Products, class T, class Sum>
FIDUCIAL_INLINE void sum_lag_rows(const Products &products, const LagRows<T> &image, std::size_t begin,
                                  std::size_t end, Sum *sums) {
    const std::size_t lag = image.lag, lags = 2 * lag + 1, columns = image.columns;
    for (std::size_t y = begin; y < end; ++y) {
        for (std::size_t i = image.left ? 0 : lag; i < lags; ++i) {
            const bool left = i < lag;
            const std::size_t shift = left ? lag - i : i - lag;
            if (shift >= columns) continue;
            // A negative dx starts the upper row further right instead.
            const T *row = image.first + y * columns + (left ? shift : 0);
            const std::size_t start = left ? 0 : shift;
            for (std::size_t dy = left ? 1 : 0; dy <= lag && y + dy < image.rows;) {
                const std::size_t rest = lag + 1 - dy, groups = (rest + most_rows_below - 1) / most_rows_below;
                const std::size_t number = (rest + groups - 1) / groups;
                const T *below[most_rows_below];
                for (std::size_t g = 0; g < number; ++g) {
                    const std::size_t there = y + dy + g;
                    below[g] = there < image.rows ? image.second + there * columns + start : image.zeros;
                }
                sum_group<most_rows_below>(products, row, below, number, columns - shift, sums + dy * lags + i,
                                           lags);
                dy += number;
            }
        }
    }
}

// Adds up the sums of blocks of rows, in their order and not in that of threads, and mirrors row dy = 0.
template <class Sum>
void add_blocks(const std::vector<Sum> &partial, std::size_t lag, Sum *sums) {
    const std::size_t lags = 2 * lag + 1, size = (lag + 1) * lags;
    for (std::size_t i = 0; i < size; ++i) sums[i] = 0;
    for (std::size_t i = 0; i < partial.size(); ++i) sums[i % size] += partial[i];
    for (std::size_t i = 0; i < lag; ++i) sums[i] = sums[lags - 1 - i];
}

}  // namespace fiducial
