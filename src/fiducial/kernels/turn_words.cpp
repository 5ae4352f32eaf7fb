#include "turn_words.hpp"

#include "dispatch.hpp"
#include "stored_pixels.hpp"

namespace fiducial {

FIDUCIAL_CLONES void turn_words(std::uint16_t *words, std::size_t n, bool swap, std::uint16_t flip) {
    if (swap) {
        for (std::size_t i = 0; i < n; ++i) words[i] = static_cast<std::uint16_t>(swapped(words[i]) ^ flip);
    } else {
        for (std::size_t i = 0; i < n; ++i) words[i] = static_cast<std::uint16_t>(words[i] ^ flip);
    }
}

}  // namespace fiducial
