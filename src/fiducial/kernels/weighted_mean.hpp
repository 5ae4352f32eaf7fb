// The inverse-variance weighted mean of frames whose variance is known, outliers rejected by it.
#pragma once

#include "stack.hpp"

namespace fiducial {

// What is known of the frames' variance: one of the three.
struct Variances {
    const double *of_frames;  // (frames,)
    const float *of_pixels;   // (frames, pixels)
    // A dark of time t and rate d: read_variance + max(d, 0) * t / gain. The values are counts and the
    // result is their rate, so the stack's divisor is t.
    const double *read;
    double gain;
};

// The weighted mean of all stands where no frame deviates by more than kappa expected sigmas of its
// residual. Elsewhere the mean starts again from the value that most frames agree with and takes in
// those that agree with it, until nothing changes or for so many iterations.
void weighted_mean(const Stack &stack, const Variances &variances, double kappa, int iterations, int threads,
                   const Images &out);

}  // namespace fiducial
