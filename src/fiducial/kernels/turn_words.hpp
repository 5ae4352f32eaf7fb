// 16-bit integers of a file made into the machine's, where they are.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fiducial {

// Turns the bytes of each word around if asked, then the bits of `flip` over: 0x8000 adds 32768.
void turn_words(std::uint16_t *words, std::size_t n, bool swap, std::uint16_t flip);

}  // namespace fiducial
