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

// Images other than the mean may be null: they are not wanted. `swap_mean` stores the mean in the other
// byte order than the machine's.
//
// Nothing is sorted where it can be proven that nothing is clipped. With t the largest integer within
// kappa s, no value is beyond the limit if the lower middle value is at least max - t, and the upper
// one at most min + t: so if at most (n - 1) / 2 values lie below the one, and as many above the
// other. Sums of integers are exact, and so is every quotient until it is rounded to float: pixels that
// were proven and those that were sorted have the same bits.
void clipped_mean(const IntegerStack &stack, double kappa, int iterations, int threads, bool swap_mean,
                  const Images &out);

}  // namespace fiducial
