// The pixels of a tile, Rice-coded.
#pragma once

#include <cstddef>
#include <cstdint>

#include "rice_format.hpp"

namespace fiducial {

// Room that a tile of so many pixels needs at most, with what is written beyond its end on the way.
template <class Word>
constexpr std::size_t room_for_rice(std::size_t count, std::size_t block) {
    const std::size_t blocks = (count + block - 1) / block;
    return sizeof(Word) + (blocks * RiceFormat<Word>::bits_of_number + count * bits_of<Word> + 7) / 8 + 8;
}

// Codes `count` pixels, not 0, each less `zero`, into `out` of room_for_rice bytes; returns how many were used.
// The low bits of each block are the number of them that makes it shortest.
std::size_t encode_rice(const std::uint8_t *pixels, std::size_t count, std::size_t block, std::uint8_t zero,
                        std::uint8_t *out);
std::size_t encode_rice(const std::uint16_t *pixels, std::size_t count, std::size_t block, std::uint16_t zero,
                        std::uint8_t *out);
std::size_t encode_rice(const std::uint32_t *pixels, std::size_t count, std::size_t block, std::uint32_t zero,
                        std::uint8_t *out);

}  // namespace fiducial
