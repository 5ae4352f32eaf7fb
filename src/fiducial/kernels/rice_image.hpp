// An image, Rice-coded tile by tile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "rice_tiles.hpp"

namespace fiducial {

struct CodedTiles {
    std::unique_ptr<std::uint8_t[]> bytes;  // of one tile after the other, row by row of tiles
    std::size_t size;
    std::unique_ptr<std::int64_t[]> lengths;  // of each tile
    std::size_t tiles;
};

// See encode_rice for block and zero. The bytes do not depend on the number of threads.
template <class Word>
CodedTiles encode_rice_tiles(const Word *image, const TileGrid &grid, std::size_t block, Word zero, int threads);

extern template CodedTiles encode_rice_tiles(const std::uint8_t *, const TileGrid &, std::size_t, std::uint8_t, int);
extern template CodedTiles encode_rice_tiles(const std::uint16_t *, const TileGrid &, std::size_t, std::uint16_t, int);
extern template CodedTiles encode_rice_tiles(const std::uint32_t *, const TileGrid &, std::size_t, std::uint32_t, int);

}  // namespace fiducial
