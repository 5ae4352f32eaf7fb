// Medians and clipped means of the rows of an overscan, and the noise of a pixel about them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fiducial {

struct Overscan {
    const double *values;  // (rows, columns); not a number: unusable
    std::size_t rows, columns;
    const double *about_median;  // (columns + 1,): variance about the median of n values, in units of theirs
};

struct RowStatistics {
    double *median, *mean;          // (rows,); not a number without a usable value
    std::int32_t *count, *kept;     // (rows,): usable values, and those in the mean
    double *noise;                  // (blocks,): not a number where nothing is left to measure it
};

// Rows bounds[b] to bounds[b + 1] are clipped by the noise that they have together.
void row_statistics(const Overscan &overscan, const std::int64_t *bounds, std::size_t blocks, double kappa,
                    double truncation, int threads, const RowStatistics &out);

}  // namespace fiducial
