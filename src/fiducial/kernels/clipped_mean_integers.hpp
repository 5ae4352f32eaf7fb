// Clipped means of raw frames of 16-bit integers, as they are stored in a file.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stack.hpp"

namespace fiducial {

struct IntegerStack {
    const std::uint16_t *values;  // (frames, pixels), the bits as stored
    std::size_t frames, pixels;
    bool swap;           // the other byte order than the machine's
    std::uint16_t flip;  // xored with every value, gives two's complement numbers that sort as the pixels do
    std::int32_t zero;   // of those numbers: what is added to them
    std::int32_t limit;  // pixels from here on are not used
};

void clipped_mean(const IntegerStack &stack, double kappa, int iterations, int threads, const Images &out);

}  // namespace fiducial
