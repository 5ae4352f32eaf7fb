#include "lag_products.hpp"

#include <algorithm>
#include <cstring>

#include "lag_rows.hpp"
#include "parallel.hpp"

namespace fiducial {
namespace {

constexpr std::size_t rows_of_block = 16;
constexpr std::size_t lanes = 16;  // partial sums of a row, whatever the machine's vectors are
constexpr std::size_t steps = 32;  // additions to a lane in float, before it goes on in double

using Lanes = float __attribute__((vector_size(lanes * sizeof(float))));

// Of up to `lanes` values, 0 beyond.
FIDUCIAL_INLINE void load(Lanes &lane, const float *from, std::size_t number = lanes) {
    lane = Lanes{};
    std::memcpy(&lane, from, number * sizeof(float));
}

struct FloatProducts {
    template <std::size_t G>
    FIDUCIAL_INLINE void sum(const float *row, const float *const *below, std::size_t n, double *sums,
                             std::size_t stride) const {
        const float *rows[G];
        for (std::size_t g = 0; g < G; ++g) rows[g] = below[g];
        for (std::size_t begin = 0; begin < n; begin += steps * lanes) {
            const std::size_t end = std::min(n, begin + steps * lanes), whole = begin + (end - begin) / lanes * lanes;
            Lanes part[G] = {}, a, b;
            for (std::size_t x = begin; x < whole; x += lanes) {
                std::memcpy(&a, row + x, sizeof a);
                for (std::size_t g = 0; g < G; ++g) {
                    std::memcpy(&b, rows[g] + x, sizeof b);
                    part[g] += a * b;
                }
            }
            if (whole < end) {
                load(a, row + whole, end - whole);
                for (std::size_t g = 0; g < G; ++g) {
                    load(b, rows[g] + whole, end - whole);
                    part[g] += a * b;
                }
            }
            for (std::size_t g = 0; g < G; ++g) sums[g * stride] += halved(part[g]);
        }
    }

    // The sum of the lanes, halves added to one another.
    static FIDUCIAL_INLINE double halved(const Lanes &part) {
        float lane[lanes];
        std::memcpy(lane, &part, sizeof lane);
        for (std::size_t width = lanes / 2; width > 0; width /= 2) {
            for (std::size_t j = 0; j < width; ++j) lane[j] += lane[j + width];
        }
        return lane[0];
    }
};

FIDUCIAL_CLONES void sum_rows(const LagRows<float> &image, std::size_t begin, std::size_t end, double *sums) {
    sum_lag_rows(FloatProducts{}, image, begin, end, sums);
}

}  // namespace

std::vector<Place> places_without(const std::uint8_t *usable, std::size_t rows, std::size_t columns) {
    std::vector<Place> bad;
    for (std::size_t y = 0; usable && y < rows; ++y) {
        const std::uint8_t *row = usable + y * columns, *end = row + columns;
        for (const std::uint8_t *at = row; (at = std::find(at, end, 0)) != end; ++at) {
            bad.push_back({static_cast<std::uint32_t>(y), static_cast<std::uint32_t>(at - row)});
        }
    }
    return bad;
}

void lag_products(const LagImage &image, std::size_t lag, bool left, int threads, double *sums,
                  std::int64_t *counts) {
    const std::size_t size = (lag + 1) * (2 * lag + 1);
    const std::size_t blocks = (image.rows + rows_of_block - 1) / rows_of_block;
    const std::vector<float> zeros(image.columns, 0.0f);
    const LagRows<float> rows{image.values, image.values, zeros.data(), image.rows, image.columns, lag, left};
    std::vector<double> partial(blocks * size, 0.0);
    for_each_block(image.rows, rows_of_block, threads, [&] {
        return [&](std::size_t block, std::size_t begin, std::size_t end) {
            sum_rows(rows, begin, end, partial.data() + block * size);
        };
    });
    add_blocks(partial, lag, sums);
    lag_counts(image.rows, image.columns, *image.bad, lag, left, threads, counts);
}

}  // namespace fiducial
