// The mean of frames after clipping about the median.
#pragma once

#include "stack.hpp"

namespace fiducial {

// A frame is rejected where |x - median| > kappa * s, s the sample deviation (ddof = 1) of those still in.
//
// Values are sorted, so the frames that stay are a range of them, and all sums run over that range
// upwards: the order of the frames cannot change a bit of the result.
void clipped_mean(const Stack &stack, double kappa, int iterations, int threads, const Images &out);

}  // namespace fiducial
