#include "rice_encode.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>

#include "dispatch.hpp"

namespace fiducial {
namespace {

// Bits, the first at the top of the first byte. Up to eight bytes beyond the last may be written.
struct BitWriter {
    std::uint8_t *next;
    std::uint64_t window = 0;
    unsigned have = 0;

    // n bits, of which those above the lowest n are 0; up to 56 between two flushes.
    FIDUCIAL_INLINE void put(std::uint64_t bits, unsigned n) {
        have += n;
        window |= bits << (64 - have);
    }

    FIDUCIAL_INLINE void flush() {
        const std::uint64_t value = std::endian::native == std::endian::big ? window : __builtin_bswap64(window);
        std::memcpy(next, &value, sizeof value);
        next += have / 8;
        window <<= have & ~7U;
        have &= 7;
    }

    std::uint8_t *end() {
        flush();
        return next + (have > 0 ? 1 : 0);
    }
};

template <class Word>
FIDUCIAL_INLINE void code_pixels(const Word *pixels, Word before, std::size_t count, std::uint32_t *codes) {
    const auto code = [](Word pixel, Word last) {
        const Word difference = static_cast<Word>(pixel - last);
        const Word sign = static_cast<Word>(0 - (difference >> (bits_of<Word> - 1)));
        return static_cast<std::uint32_t>(static_cast<Word>((difference << 1) ^ sign));
    };
    codes[0] = code(pixels[0], before);
    for (std::size_t i = 1; i < count; ++i) codes[i] = code(pixels[i], pixels[i - 1]);
}

// Bits that a block's codes need above their low ones: the zeros.
FIDUCIAL_INLINE std::uint64_t zeros_above(const std::uint32_t *codes, std::size_t count, unsigned low) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += codes[i] >> low;
    return sum;
}

FIDUCIAL_INLINE void put_codes(BitWriter &out, const std::uint32_t *codes, std::size_t count, unsigned low) {
    const std::uint32_t one = std::uint32_t{1} << low, mask = one - 1;
    std::size_t i = 0;
    while (i < count) {
        if (i + 4 <= count) {
            const std::uint32_t *c = codes + i;
            const std::uint32_t zeros = (c[0] >> low) + (c[1] >> low) + (c[2] >> low) + (c[3] >> low);
            const bool few = ((c[0] | c[1] | c[2] | c[3]) >> low) < 64;
            if (few && zeros + 4 * (low + 1) <= 56) [[likely]] {
                for (std::size_t k = 0; k < 4; ++k) out.put((c[k] & mask) | one, (c[k] >> low) + 1 + low);
                out.flush();
                i += 4;
                continue;
            }
        }
        std::uint32_t zeros = codes[i] >> low;
        for (; zeros > 24; zeros -= 24) {
            out.put(0, 24);
            out.flush();
        }
        out.put((codes[i] & mask) | one, zeros + 1 + low);
        out.flush();
        ++i;
    }
}

// The number of low bits that makes a block shortest, `raw` if none beats the codes as they are.
template <class Word>
FIDUCIAL_INLINE unsigned best_low(std::uint64_t sum, const std::uint32_t *codes, std::size_t count) {
    using Format = RiceFormat<Word>;
    // For codes that fall off exponentially it is the logarithm of 0.7 times their mean.
    const int about = static_cast<int>(std::bit_width(sum / count)) - 1;
    const unsigned first = static_cast<unsigned>(std::clamp(about - 1, 0, static_cast<int>(Format::raw) - 1));
    unsigned best = Format::raw;
    std::uint64_t shortest = std::uint64_t{count} * bits_of<Word>;
    for (unsigned low = first; low < std::min(first + 3, Format::raw); ++low) {
        const std::uint64_t length = zeros_above(codes, count, low) + count * (low + 1);
        if (length >= shortest) {
            if (low > first) break;  // from the shortest on, more low bits only add
            continue;
        }
        best = low;
        shortest = length;
    }
    return best;
}

template <class Word>
FIDUCIAL_INLINE void put_block(BitWriter &out, const std::uint32_t *codes, std::size_t count) {
    using Format = RiceFormat<Word>;
    const std::uint64_t sum = zeros_above(codes, count, 0);
    const unsigned low = sum == 0 ? 0 : best_low<Word>(sum, codes, count);
    out.put(sum == 0 ? 0 : low + 1, Format::bits_of_number);
    out.flush();
    if (sum == 0) return;
    if (low < Format::raw) return put_codes(out, codes, count, low);
    for (std::size_t i = 0; i < count; ++i) {
        out.put(codes[i], bits_of<Word>);
        out.flush();
    }
}

template <class Word>
FIDUCIAL_INLINE std::size_t encode(const Word *pixels, std::size_t count, std::size_t block, Word zero,
                                   std::uint8_t *bytes) {
    const auto codes = std::make_unique_for_overwrite<std::uint32_t[]>(std::min(block, count));
    BitWriter out{bytes};
    out.put(static_cast<Word>(pixels[0] - zero), bits_of<Word>);  // the differences do not know of it
    out.flush();
    for (std::size_t begin = 0; begin < count; begin += std::min(block, count - begin)) {
        const std::size_t size = std::min(block, count - begin);
        code_pixels(pixels + begin, pixels[begin > 0 ? begin - 1 : 0], size, codes.get());
        put_block<Word>(out, codes.get(), size);
    }
    return static_cast<std::size_t>(out.end() - bytes);
}

}  // namespace

std::size_t encode_rice(const std::uint8_t *pixels, std::size_t count, std::size_t block, std::uint8_t zero,
                        std::uint8_t *out) {
    return encode(pixels, count, block, zero, out);
}

std::size_t encode_rice(const std::uint16_t *pixels, std::size_t count, std::size_t block, std::uint16_t zero,
                        std::uint8_t *out) {
    return encode(pixels, count, block, zero, out);
}

std::size_t encode_rice(const std::uint32_t *pixels, std::size_t count, std::size_t block, std::uint32_t zero,
                        std::uint8_t *out) {
    return encode(pixels, count, block, zero, out);
}

}  // namespace fiducial
