// Frames of one scene combined into one: means and medians, with or without rejection.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stack.hpp"

namespace fiducial {

// Values are ((raw - level) * gain - zero) / divisor, in double, rounded once to the type they are held in:
// double for 32-bit integers, else float.
template <class Raw>
struct Frames {
    const Raw *values;                       // the first pixel of the first frame
    std::ptrdiff_t frame_pitch, row_pitch;   // from one frame, and one row, to the next
    std::size_t frames, rows, columns;
    const std::uint8_t *usable;              // (frames, rows, columns), or null: all are
    const double *level;                     // (frames, rows), or null: none
    double gain;
    const double *zero, *divisor;            // (frames,), or null: none
};

enum class Mode : int { mean, median, clipped_mean, clipped_median, minmax };

struct Rule {
    Mode mode;
    double kappa;           // a frame is rejected where |x - median| > kappa * s, s the sample deviation
    int iterations;         // (ddof = 1) of those still in, at most so many times
    std::size_t low, high;  // lowest and highest of all frames that minmax rejects
    const double *weights;  // (frames,) of means, or null: all are 1
};

// Values are sorted, so the frames that stay are a range of them, and all sums run over that range
// upwards: the order of the frames cannot change a bit of the result. Sums with weights run by frame.
template <class Raw>
void combine(const Frames<Raw> &frames, const Rule &rule, int threads, const Images &out);

}  // namespace fiducial
