// Bits of a byte array from the highest of the first byte on, never read beyond its end.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dispatch.hpp"

namespace fiducial {

FIDUCIAL_INLINE std::uint64_t big_endian(const std::uint8_t *bytes) {
    std::uint64_t value;
    std::memcpy(&value, bytes, sizeof value);
    return std::endian::native == std::endian::big ? value : __builtin_bswap64(value);
}

// After the last byte come zeros without end; `overrun` tells whether any of them was taken.
struct BitReader {
    const std::uint8_t *data;
    std::size_t size;
    std::size_t next = 0;      // the byte that refills the window; beyond the end it counts on
    std::uint64_t window = 0;  // the bits to come, the first at the top
    unsigned have = 0;         // so many bits of the window count

    // At least 56 bits of the window count afterwards, at most 63.
    FIDUCIAL_INLINE void refill() {
        window |= load() >> have;
        next += (63 - have) >> 3;
        have |= 56;
    }

    // Takes n of the bits that count, n < 64.
    FIDUCIAL_INLINE void skip(unsigned n) {
        window <<= n;
        have -= n;
    }

    // The next n bits, 0 < n <= 56, after a refill.
    FIDUCIAL_INLINE std::uint32_t take(unsigned n) {
        const auto bits = static_cast<std::uint32_t>(window >> (64 - n));
        skip(n);
        return bits;
    }

    // The bytes of which bits were taken.
    FIDUCIAL_INLINE std::size_t taken() const { return next - have / 8; }
    FIDUCIAL_INLINE bool overrun() const { return taken() > size; }

private:
    FIDUCIAL_INLINE std::uint64_t load() const {
        if (size >= 8 && next <= size - 8) [[likely]] return big_endian(data + next);
        std::uint64_t value = 0;
        for (std::size_t i = next; i < next + 8; ++i) value = value << 8 | (i < size ? data[i] : 0);
        return value;
    }
};

}  // namespace fiducial
