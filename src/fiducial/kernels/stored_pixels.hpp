// Pixels as they are stored in a file: either byte order, unsigned numbers as signed ones plus BZERO.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "dispatch.hpp"

namespace fiducial {

// Of the values, not of what is stored: uint16 are int16 plus 32768 in a file.
enum class PixelType : int { uint16 = 0, int16 = 1, int32 = 2, float32 = 3 };

struct StoredRows {
    const unsigned char *bytes;  // of the first pixel of the first row
    std::ptrdiff_t pitch;        // bytes from one row to the next
    std::size_t rows, columns;
    PixelType type;
    bool swap;           // whether the bytes of a pixel are in the other order than the machine's
    std::uint16_t flip;  // bits of 16-bit pixels to be turned over: 0x8000 adds 32768
};

template <class T>
using PixelBits = std::conditional_t<sizeof(T) == 2, std::uint16_t, std::uint32_t>;

FIDUCIAL_INLINE std::uint16_t swapped(std::uint16_t bits) {
    return static_cast<std::uint16_t>(bits << 8 | bits >> 8);
}
FIDUCIAL_INLINE std::uint32_t swapped(std::uint32_t bits) { return __builtin_bswap32(bits); }

template <class T, bool swap>
FIDUCIAL_INLINE T stored_value(const unsigned char *bytes, PixelBits<T> flip) {
    PixelBits<T> bits;
    std::memcpy(&bits, bytes, sizeof bits);
    if constexpr (swap) bits = swapped(bits);
    return std::bit_cast<T>(static_cast<PixelBits<T>>(bits ^ flip));
}

// The least value that is at or above a limit, and whether there is any.
template <class T>
struct Threshold {
    T value;
    bool reachable;
};

template <class T>
Threshold<T> threshold(double limit) {
    if constexpr (std::is_same_v<T, float>) {
        return {static_cast<float>(limit), true};  // values of single precision are compared as such
    } else {
        const double least = std::ceil(limit);
        if (!(least <= static_cast<double>(std::numeric_limits<T>::max()))) return {T{}, false};
        const double lowest = static_cast<double>(std::numeric_limits<T>::lowest());
        return {static_cast<T>(least < lowest ? lowest : least), true};
    }
}

// Calls work.template operator()<T, swap>() for the type and byte order of the pixels.
template <class Work>
void with_pixel_type(PixelType type, bool swap, Work work) {
    const auto chosen = [&]<class T>() {
        if (swap) {
            work.template operator()<T, true>();
        } else {
            work.template operator()<T, false>();
        }
    };
    switch (type) {
        case PixelType::uint16: return chosen.template operator()<std::uint16_t>();
        case PixelType::int16: return chosen.template operator()<std::int16_t>();
        case PixelType::int32: return chosen.template operator()<std::int32_t>();
        case PixelType::float32: return chosen.template operator()<float>();
    }
}

}  // namespace fiducial
