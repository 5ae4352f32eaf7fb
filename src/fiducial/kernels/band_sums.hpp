// Sums over bands of rows, column by column, and over single rows.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fiducial {

struct Image {
    const float *values;         // (rows, columns)
    const std::uint8_t *usable;  // the same: what is 0 adds nothing
    std::size_t rows, columns;
};

struct BandSums {
    double *bands;         // (bands, columns): sums of the rows of each band
    std::int64_t *counts;  // the same: usable pixels
    double *rows;          // (rows,)
    std::int64_t *row_counts;
};

// Band b is rows bounds[b] to bounds[b + 1].
void band_sums(const Image &image, const std::int64_t *bounds, std::size_t bands, int threads, const BandSums &out);

}  // namespace fiducial
