#include "lag_products.hpp"

#include <algorithm>
#include <vector>

#include "dispatch.hpp"
#include "parallel.hpp"

namespace fiducial {
namespace {

constexpr std::size_t rows_of_block = 16;
constexpr std::size_t lanes = 16;  // partial sums of a row, whatever the machine's vectors are

FIDUCIAL_INLINE double dot(const float *__restrict a, const float *__restrict b, std::size_t n) {
    double lane[lanes] = {};
    std::size_t x = 0;
    for (; x + lanes <= n; x += lanes) {
        for (std::size_t j = 0; j < lanes; ++j) {
            lane[j] += static_cast<double>(a[x + j]) * static_cast<double>(b[x + j]);
        }
    }
    double sum = 0.0;
    for (const double part : lane) sum += part;
    for (; x < n; ++x) sum += static_cast<double>(a[x]) * static_cast<double>(b[x]);
    return sum;
}

FIDUCIAL_INLINE std::int64_t both(const std::uint8_t *__restrict a, const std::uint8_t *__restrict b,
                                  std::size_t n) {
    std::int64_t count = 0;
    for (std::size_t x = 0; x < n; ++x) count += a[x] & b[x];
    return count;
}

FIDUCIAL_CLONES void sum_rows(const LagImage &image, std::size_t lag, std::size_t begin, std::size_t end,
                              double *sums, std::int64_t *counts) {
    const std::size_t lags = 2 * lag + 1, columns = image.columns;
    for (std::size_t y = begin; y < end; ++y) {
        for (std::size_t dy = 0; dy <= lag && y + dy < image.rows; ++dy) {
            for (std::size_t i = 0; i < lags; ++i) {
                const std::size_t shift = i < lag ? lag - i : i - lag;
                if (shift >= columns) continue;
                // A negative dx starts the lower row further right instead.
                const std::size_t here = y * columns + (i < lag ? shift : 0);
                const std::size_t there = (y + dy) * columns + (i < lag ? 0 : shift);
                const std::size_t n = columns - shift;
                sums[dy * lags + i] += dot(image.values + here, image.values + there, n);
                counts[dy * lags + i] += image.usable ? both(image.usable + here, image.usable + there, n)
                                                      : static_cast<std::int64_t>(n);
            }
        }
    }
}

}  // namespace

void lag_products(const LagImage &image, std::size_t lag, int threads, double *sums, std::int64_t *counts) {
    const std::size_t size = (lag + 1) * (2 * lag + 1);
    const std::size_t blocks = (image.rows + rows_of_block - 1) / rows_of_block;
    std::vector<double> partial(blocks * size, 0.0);
    std::vector<std::int64_t> number(blocks * size, 0);
    for_each_block(image.rows, rows_of_block, threads, [&] {
        return [&](std::size_t block, std::size_t begin, std::size_t end) {
            sum_rows(image, lag, begin, end, partial.data() + block * size, number.data() + block * size);
        };
    });
    // Blocks are added in their order, not in that of the threads.
    std::fill_n(sums, size, 0.0);
    std::fill_n(counts, size, 0);
    for (std::size_t i = 0; i < blocks * size; ++i) {
        sums[i % size] += partial[i];
        counts[i % size] += number[i];
    }
}

}  // namespace fiducial
