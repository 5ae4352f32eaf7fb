// Values at given places of the sorted order, without sorting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fiducial {

struct Sample {
    const float *values;
    const std::uint8_t *usable;  // what is 0 is passed over; null: all are usable
    std::size_t size;
};

// Quantiles of the usable finite values, interpolated linearly; returns how many there are.
//
// With none of them the quantiles are NaN.
std::size_t quantiles(const Sample &sample, const double *fractions, std::size_t number, int threads, double *out);

}  // namespace fiducial
