#include "band_sums.hpp"

#include <algorithm>

#include "dispatch.hpp"
#include "parallel.hpp"

namespace fiducial {
namespace {

constexpr std::size_t lanes = 8;  // running sums of a row, added in a stated order

FIDUCIAL_CLONES void add_row(const float *__restrict values, const std::uint8_t *__restrict usable,
                             std::size_t columns, double *__restrict band, std::int64_t *__restrict counts,
                             double *row, std::int64_t *row_count) {
    double sum[lanes] = {};
    std::int64_t count = 0;
    for (std::size_t x = 0; x < columns; ++x) {
        const double value = usable[x] ? static_cast<double>(values[x]) : 0.0;
        band[x] += value;
        counts[x] += usable[x];
        count += usable[x];
    }
    const std::size_t whole = columns / lanes * lanes;
    for (std::size_t x = 0; x < whole; x += lanes) {
        for (std::size_t k = 0; k < lanes; ++k) {
            sum[k] += usable[x + k] ? static_cast<double>(values[x + k]) : 0.0;
        }
    }
    for (std::size_t x = whole; x < columns; ++x) sum[x - whole] += usable[x] ? static_cast<double>(values[x]) : 0.0;
    *row = ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
    *row_count = count;
}

}  // namespace

void band_sums(const Image &image, const std::int64_t *bounds, std::size_t bands, int threads, const BandSums &out) {
    for_each_block(bands, 1, threads, [&] {
        return [&](std::size_t band, std::size_t, std::size_t) {
            double *sums = out.bands + band * image.columns;
            std::int64_t *counts = out.counts + band * image.columns;
            std::fill_n(sums, image.columns, 0.0);
            std::fill_n(counts, image.columns, 0);
            for (auto y = static_cast<std::size_t>(bounds[band]); y < static_cast<std::size_t>(bounds[band + 1]); ++y) {
                add_row(image.values + y * image.columns, image.usable + y * image.columns, image.columns, sums, counts,
                        out.rows + y, out.row_counts + y);
            }
        };
    });
}

}  // namespace fiducial
