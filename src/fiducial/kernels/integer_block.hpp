// A block of a stack of 16-bit integers: sums, extremes and counts of every pixel, without sorting.
//
// All of it is exact: sums are of differences from the first frame, modulo 2^16 in the narrow form and
// 2^32 in the wide one, and whoever uses them sees by the extremes whether that was enough.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dispatch.hpp"

namespace fiducial {

struct IntegerBlock {
    std::size_t frames, width;
    std::vector<std::int16_t> values;             // (frames, width)
    std::vector<std::int16_t> lowest, highest;    // (width,), like all that follow
    std::vector<std::uint16_t> first, second;     // sums of x - x0 and of its square
    std::vector<std::int32_t> wide_first;
    std::vector<std::uint32_t> wide_second;
    std::vector<std::int16_t> floor, ceiling;     // values that the median is held against
    std::vector<std::int16_t> below, above;       // how many are beyond them
    std::vector<std::int32_t> doubtful;           // 1 or 0

    IntegerBlock(std::size_t n, std::size_t w)
        : frames(n), width(w), values(n * w), lowest(w), highest(w), first(w), second(w), wide_first(w),
          wide_second(w), floor(w), ceiling(w), below(w), above(w), doubtful(w) {}
};

// Rows are taken several at a time, so that what is summed up is loaded and stored less often.
constexpr std::size_t rows_at_a_time = 4;

template <std::size_t rows>
FIDUCIAL_INLINE void sum_rows(const std::int16_t *__restrict values, std::size_t from, std::size_t width,
                              std::int16_t *__restrict lowest, std::int16_t *__restrict highest,
                              std::uint16_t *__restrict first, std::uint16_t *__restrict second) {
    FIDUCIAL_INDEPENDENT
    for (std::size_t p = 0; p < width; ++p) {
        const auto pivot = static_cast<std::uint16_t>(values[p]);
        std::int16_t low = lowest[p], high = highest[p];
        std::uint16_t sum = first[p], squares = second[p];
        for (std::size_t r = 0; r < rows; ++r) {
            const std::int16_t x = values[(from + r) * width + p];
            const auto d = static_cast<std::uint16_t>(static_cast<std::uint16_t>(x) - pivot);
            low = x < low ? x : low;
            high = x > high ? x : high;
            sum = static_cast<std::uint16_t>(sum + d);
            squares = static_cast<std::uint16_t>(squares + static_cast<std::uint32_t>(d) * d);
        }
        lowest[p] = low;
        highest[p] = high;
        first[p] = sum;
        second[p] = squares;
    }
}

template <std::size_t rows>
FIDUCIAL_INLINE void sum_rows_wide(const std::int16_t *__restrict values, std::size_t from, std::size_t width,
                                   std::int32_t *__restrict first, std::uint32_t *__restrict second) {
    FIDUCIAL_INDEPENDENT
    for (std::size_t p = 0; p < width; ++p) {
        const std::int32_t pivot = values[p];
        std::int32_t sum = first[p];
        std::uint32_t squares = second[p];
        for (std::size_t r = 0; r < rows; ++r) {
            const std::int32_t d = values[(from + r) * width + p] - pivot;
            sum += d;
            squares += static_cast<std::uint32_t>(d) * static_cast<std::uint32_t>(d);
        }
        first[p] = sum;
        second[p] = squares;
    }
}

template <std::size_t rows>
FIDUCIAL_INLINE void count_rows(const std::int16_t *__restrict values, std::size_t from, std::size_t width,
                                const std::int16_t *__restrict floor, const std::int16_t *__restrict ceiling,
                                std::int16_t *__restrict below, std::int16_t *__restrict above) {
    FIDUCIAL_INDEPENDENT
    for (std::size_t p = 0; p < width; ++p) {
        std::int16_t under = below[p], over = above[p];
        for (std::size_t r = 0; r < rows; ++r) {
            const std::int16_t x = values[(from + r) * width + p];
            under = static_cast<std::int16_t>(under + (x < floor[p]));
            over = static_cast<std::int16_t>(over + (x > ceiling[p]));
        }
        below[p] = under;
        above[p] = over;
    }
}

// Calls step<rows>(from) for all rows.
template <class Step>
FIDUCIAL_INLINE void over_rows(std::size_t frames, Step step) {
    std::size_t k = 0;
    for (; k + rows_at_a_time <= frames; k += rows_at_a_time) step.template operator()<rows_at_a_time>(k);
    for (; k < frames; ++k) step.template operator()<1>(k);
}

FIDUCIAL_INLINE void sum_narrow(IntegerBlock &b) {
    std::copy_n(b.values.data(), b.width, b.lowest.data());
    std::copy_n(b.values.data(), b.width, b.highest.data());
    std::fill_n(b.first.data(), b.width, 0);
    std::fill_n(b.second.data(), b.width, 0);
    over_rows(b.frames, [&]<std::size_t rows>(std::size_t k) __attribute__((always_inline)) {
        sum_rows<rows>(b.values.data(), k, b.width, b.lowest.data(), b.highest.data(), b.first.data(),
                       b.second.data());
    });
}

FIDUCIAL_INLINE void sum_wide(IntegerBlock &b) {
    std::fill_n(b.wide_first.data(), b.width, 0);
    std::fill_n(b.wide_second.data(), b.width, 0);
    over_rows(b.frames, [&]<std::size_t rows>(std::size_t k) __attribute__((always_inline)) {
        sum_rows_wide<rows>(b.values.data(), k, b.width, b.wide_first.data(), b.wide_second.data());
    });
}

FIDUCIAL_INLINE void count_beyond(IntegerBlock &b) {
    std::fill_n(b.below.data(), b.width, 0);
    std::fill_n(b.above.data(), b.width, 0);
    over_rows(b.frames, [&]<std::size_t rows>(std::size_t k) __attribute__((always_inline)) {
        count_rows<rows>(b.values.data(), k, b.width, b.floor.data(), b.ceiling.data(), b.below.data(),
                         b.above.data());
    });
}

}  // namespace fiducial
