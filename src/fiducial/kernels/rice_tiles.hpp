// A part of a Rice-compressed image, decoded from the tiles that it touches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "rice.hpp"

namespace fiducial {

struct TileGrid {
    std::size_t rows, columns;            // of the image
    std::size_t tile_rows, tile_columns;  // of a tile; those at the far edges are smaller
};

struct Window {
    std::size_t y0, x0;         // where in the image
    std::size_t rows, columns;  // not empty, and within the image
};

// The tiles that a window touches, row by row, and where the bytes of each are. The spans must lie within
// the bytes.
struct TileHeap {
    const std::uint8_t *bytes;
    const std::int64_t *offsets;
    const std::int64_t *lengths;
};

struct TileFault {
    std::size_t tile;  // the first in the list that cannot be decoded
    TileState state;
};

// out is (window.rows, window.columns); see decode_rice for block and zero. The answer does not depend
// on the number of threads.
template <class Word>
std::optional<TileFault> decode_rice_tiles(const TileHeap &heap, const TileGrid &grid, const Window &window,
                                           std::size_t block, Word zero, int threads, Word *out);

extern template std::optional<TileFault> decode_rice_tiles(const TileHeap &, const TileGrid &, const Window &,
                                                           std::size_t, std::uint8_t, int, std::uint8_t *);
extern template std::optional<TileFault> decode_rice_tiles(const TileHeap &, const TileGrid &, const Window &,
                                                           std::size_t, std::uint16_t, int, std::uint16_t *);
extern template std::optional<TileFault> decode_rice_tiles(const TileHeap &, const TileGrid &, const Window &,
                                                           std::size_t, std::uint32_t, int, std::uint32_t *);

}  // namespace fiducial
