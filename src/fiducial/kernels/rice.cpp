#include "rice.hpp"

#include <algorithm>

#include "bit_reader.hpp"
#include "dispatch.hpp"
#include "rice_format.hpp"

namespace fiducial {
namespace {

// Differences fit the word, as writers let them wrap around. Of the short words one bit more is let pass,
// which a writer needs that does not; for 32 bits all readers take 32.
template <class Word>
constexpr std::uint64_t largest_code = sizeof(Word) == 4 ? 0xFFFFFFFF : (std::uint64_t{2} << bits_of<Word>)-1;

template <class Word>
struct Pixels {
    Word last;                // the value of the last pixel
    std::uint32_t codes = 0;  // all codes so far, or-ed

    FIDUCIAL_INLINE Word next(std::uint32_t code) {
        codes |= code;
        last = static_cast<Word>(last + ((code >> 1) ^ (0U - (code & 1U))));
        return last;
    }
};

// Some pixels from one refill; false, with nothing taken, if that many bits were not enough.
template <unsigned group, class Word>
FIDUCIAL_INLINE bool decode_group(BitReader &bits, Pixels<Word> &pixels, unsigned low, Word *out) {
    bits.refill();
    // The lowest bit never counts: set, it ends a run of zeros.
    std::uint64_t window = bits.window | 1;
    std::uint32_t codes[group];
    unsigned used = 0;
    for (unsigned k = 0; k < group; ++k) {
        const unsigned zeros = static_cast<unsigned>(std::countl_zero(window)) & 63U;
        const std::uint64_t one = window << zeros;  // the one at the top, below it the low bits
        codes[k] = ((zeros - 1) << low) + static_cast<std::uint32_t>(one >> (63 - low));
        window = one << (low + 1);
        used += zeros + low + 1;
    }
    if (used > 56) [[unlikely]] return false;
    bits.skip(used);
    for (unsigned k = 0; k < group; ++k) out[k] = pixels.next(codes[k]);
    return true;
}

// One pixel of any length.
template <class Word>
TileState decode_one(BitReader &bits, Pixels<Word> &pixels, unsigned low, Word *out) {
    constexpr unsigned step = 32;
    std::uint64_t zeros = 0;
    bits.refill();
    while (bits.window >> (64 - step) == 0) {
        bits.skip(step);
        zeros += step;
        if (bits.overrun()) return TileState::truncated;
        bits.refill();
    }
    const unsigned rest = static_cast<unsigned>(std::countl_zero(bits.window));
    zeros += rest;
    bits.skip(rest + 1);
    bits.refill();
    if (zeros > largest_code<Word> >> low) return TileState::corrupt;
    const std::uint32_t below = low > 0 ? bits.take(low) : 0;
    *out = pixels.next(static_cast<std::uint32_t>(zeros << low) | below);
    return TileState::good;
}

template <unsigned group, class Word>
FIDUCIAL_INLINE TileState decode_codes(BitReader &bits, Pixels<Word> &pixels, unsigned low, Word *out,
                                       std::size_t count) {
    std::size_t i = 0;
    while (i < count) {
        std::size_t singles = 1;
        if (i + group <= count) {
            if (decode_group<group>(bits, pixels, low, out + i)) [[likely]] {
                i += group;
                continue;
            }
            singles = group;
        }
        // Copies, so that what the loop works on stays in registers.
        BitReader slow_bits = bits;
        Pixels<Word> slow_pixels = pixels;
        for (const std::size_t end = i + singles; i < end; ++i) {
            const TileState state = decode_one(slow_bits, slow_pixels, low, out + i);
            if (state != TileState::good) return state;
        }
        bits = slow_bits;
        pixels = slow_pixels;
    }
    return TileState::good;
}

template <class Word>
FIDUCIAL_INLINE TileState decode_block(BitReader &bits, Pixels<Word> &pixels, Word *out, std::size_t count) {
    bits.refill();
    const unsigned number = bits.take(RiceFormat<Word>::bits_of_number);
    if (number == 0) {
        std::fill_n(out, count, pixels.last);
        return TileState::good;
    }
    const unsigned low = number - 1;
    if (low == RiceFormat<Word>::raw) {
        for (std::size_t i = 0; i < count; ++i) {
            bits.refill();
            out[i] = pixels.next(bits.take(bits_of<Word>));
        }
        return TileState::good;
    }
    if (low > RiceFormat<Word>::raw) return TileState::corrupt;
    // As many pixels at once as 56 bits nearly always hold: noise takes two bits above the low ones.
    if (low <= 3) return decode_codes<8>(bits, pixels, low, out, count);
    if (low <= 10) return decode_codes<4>(bits, pixels, low, out, count);
    return decode_codes<2>(bits, pixels, low, out, count);
}

// Up to seven zero bytes after the pixels are a writer's padding, no sign of trouble.
bool padding(TileBytes tile, std::size_t taken) {
    return tile.size - taken < 8 &&
           std::all_of(tile.data + taken, tile.data + tile.size, [](std::uint8_t byte) { return byte == 0; });
}

template <class Word>
FIDUCIAL_INLINE TileState decode(TileBytes tile, std::size_t block, Word zero, Word *out, std::size_t count) {
    if (tile.size < sizeof(Word)) return TileState::truncated;
    BitReader bits{tile.data, tile.size};
    bits.refill();
    // What is added to the first pixel is added to all.
    Pixels<Word> pixels{static_cast<Word>(bits.take(bits_of<Word>) + zero)};
    for (std::size_t begin = 0; begin < count; begin += std::min(block, count - begin)) {
        const TileState state = decode_block(bits, pixels, out + begin, std::min(block, count - begin));
        if (state != TileState::good) return state;
        if (bits.overrun()) return TileState::truncated;
    }
    if (pixels.codes > largest_code<Word>) return TileState::corrupt;
    return padding(tile, bits.taken()) ? TileState::good : TileState::overlong;
}

}  // namespace

TileState decode_rice(TileBytes tile, std::size_t block, std::uint8_t zero, std::uint8_t *out, std::size_t count) {
    return decode(tile, block, zero, out, count);
}

TileState decode_rice(TileBytes tile, std::size_t block, std::uint16_t zero, std::uint16_t *out, std::size_t count) {
    return decode(tile, block, zero, out, count);
}

TileState decode_rice(TileBytes tile, std::size_t block, std::uint32_t zero, std::uint32_t *out, std::size_t count) {
    return decode(tile, block, zero, out, count);
}

}  // namespace fiducial
