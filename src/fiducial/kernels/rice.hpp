// One tile of a Rice-compressed image (FITS standard 4.0, section 10.4.1), decoded within its bounds.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fiducial {

enum class TileState : std::uint8_t {
    good,
    truncated,  // the bytes end before the last pixel
    overlong,   // bytes are left over after the last pixel
    corrupt,    // a code that no pixel can have
};

struct TileBytes {
    const std::uint8_t *data;
    std::size_t size;
};

// Decodes exactly `count` pixels of BYTEPIX = sizeof(*out), stored in blocks of `block` (BLOCKSIZE, not 0).
//
// Reads nothing beyond the tile's bytes and writes nothing beyond out[count], whatever the bytes are;
// what stands in `out` is of use only if the answer is `good`. `zero` is added to every value, modulo
// the word's range: BZERO of unsigned integers.
TileState decode_rice(TileBytes tile, std::size_t block, std::uint8_t zero, std::uint8_t *out, std::size_t count);
TileState decode_rice(TileBytes tile, std::size_t block, std::uint16_t zero, std::uint16_t *out, std::size_t count);
TileState decode_rice(TileBytes tile, std::size_t block, std::uint32_t zero, std::uint32_t *out, std::size_t count);

}  // namespace fiducial
