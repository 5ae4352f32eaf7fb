// What a Rice-compressed tile is made of (FITS standard 4.0, section 10.4.1).
//
// The first pixel stands there as it is. Then come blocks of pixels, each as its difference from the one
// before, made positive by moving the sign to the lowest bit: its code. A block starts with a number: 0 if
// all codes are 0; else one more than the number of low bits that are written as they are. What is above
// those bits is written before them as so many zeros and a one. With `raw` low bits, codes are written as
// they are.
#pragma once

#include <cstdint>
#include <limits>

namespace fiducial {

template <class Word>
struct RiceFormat;
template <>
struct RiceFormat<std::uint8_t> {
    static constexpr unsigned bits_of_number = 3, raw = 6;
};
template <>
struct RiceFormat<std::uint16_t> {
    static constexpr unsigned bits_of_number = 4, raw = 14;
};
template <>
struct RiceFormat<std::uint32_t> {
    static constexpr unsigned bits_of_number = 5, raw = 25;
};

template <class Word>
constexpr unsigned bits_of = std::numeric_limits<Word>::digits;

}  // namespace fiducial
