// The median of each row of raw pixels: the overscan's level, row by row.
#pragma once

#include "stored_pixels.hpp"

namespace fiducial {

// Pixels at or above the limit, and those that are not finite, do not count; without any the median is NaN.
void row_medians(const StoredRows &raw, double limit, double *medians);

}  // namespace fiducial
