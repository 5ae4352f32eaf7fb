#include "rice_tiles.hpp"

#include <algorithm>
#include <memory>
#include <mutex>

#include "parallel.hpp"

namespace fiducial {
namespace {

constexpr std::size_t pixels_of_block = 65536;  // work of one thread at a time: about 0.1 ms

struct Range {
    std::size_t begin, end;
    std::size_t size() const { return end - begin; }
};

// The tiles of one axis that a part of it touches.
Range tiles_of(std::size_t begin, std::size_t size, std::size_t tile) {
    return {begin / tile, (begin + size - 1) / tile + 1};
}

// The pixels of one axis that belong to a tile.
Range pixels_of(std::size_t index, std::size_t tile, std::size_t axis) {
    return {index * tile, std::min((index + 1) * tile, axis)};
}

Range common(const Range &a, const Range &b) { return {std::max(a.begin, b.begin), std::min(a.end, b.end)}; }

}  // namespace

template <class Word>
std::optional<TileFault> decode_rice_tiles(const TileHeap &heap, const TileGrid &grid, const Window &window,
                                           std::size_t block, Word zero, int threads, Word *out) {
    const Range down = tiles_of(window.y0, window.rows, grid.tile_rows);
    const Range across = tiles_of(window.x0, window.columns, grid.tile_columns);
    const Range wanted_y{window.y0, window.y0 + window.rows}, wanted_x{window.x0, window.x0 + window.columns};
    const std::size_t largest =
        std::min(grid.tile_rows, grid.rows) * std::min(grid.tile_columns, grid.columns);
    std::optional<TileFault> fault;
    std::mutex guard;

    const auto decode_tile = [&](std::size_t tile, std::unique_ptr<Word[]> &scratch) {
        const Range y = pixels_of(down.begin + tile / across.size(), grid.tile_rows, grid.rows);
        const Range x = pixels_of(across.begin + tile % across.size(), grid.tile_columns, grid.columns);
        const TileBytes bytes{heap.bytes + heap.offsets[tile], static_cast<std::size_t>(heap.lengths[tile])};
        const Range rows = common(y, wanted_y), columns = common(x, wanted_x);
        Word *target = out + (rows.begin - window.y0) * window.columns + (columns.begin - window.x0);
        const bool whole = rows.size() == y.size() && columns.size() == x.size();
        if (whole && (x.size() == window.columns || y.size() == 1)) {  // its pixels follow each other in out
            return decode_rice(bytes, block, zero, target, y.size() * x.size());
        }
        if (!scratch) scratch = std::make_unique_for_overwrite<Word[]>(largest);
        const TileState state = decode_rice(bytes, block, zero, scratch.get(), y.size() * x.size());
        if (state != TileState::good) return state;
        const Word *source = scratch.get() + (rows.begin - y.begin) * x.size() + (columns.begin - x.begin);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            std::copy_n(source + i * x.size(), columns.size(), target + i * window.columns);
        }
        return TileState::good;
    };

    const std::size_t tiles = down.size() * across.size();
    for_each_block(tiles, std::max<std::size_t>(pixels_of_block / largest, 1), threads, [&] {
        return [&, scratch = std::unique_ptr<Word[]>()](std::size_t, std::size_t begin, std::size_t end) mutable {
            for (std::size_t tile = begin; tile < end; ++tile) {
                const TileState state = decode_tile(tile, scratch);
                if (state == TileState::good) continue;
                const std::lock_guard<std::mutex> lock(guard);
                if (!fault || tile < fault->tile) fault = TileFault{tile, state};
                break;  // the later ones of this block cannot be the first
            }
        };
    });
    return fault;
}

template std::optional<TileFault> decode_rice_tiles(const TileHeap &, const TileGrid &, const Window &, std::size_t,
                                                    std::uint8_t, int, std::uint8_t *);
template std::optional<TileFault> decode_rice_tiles(const TileHeap &, const TileGrid &, const Window &, std::size_t,
                                                    std::uint16_t, int, std::uint16_t *);
template std::optional<TileFault> decode_rice_tiles(const TileHeap &, const TileGrid &, const Window &, std::size_t,
                                                    std::uint32_t, int, std::uint32_t *);

}  // namespace fiducial
