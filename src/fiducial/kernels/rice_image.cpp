#include "rice_image.hpp"

#include <algorithm>
#include <vector>

#include "parallel.hpp"
#include "rice_encode.hpp"

namespace fiducial {
namespace {

constexpr std::size_t pixels_of_block = 65536;  // work of one thread at a time; its bytes fit the cache

struct Piece {
    std::unique_ptr<std::uint8_t[]> bytes;
    std::size_t size = 0;
};

// Codes the tiles of one block one after the other; holds what it needs on the way.
template <class Word>
class Coder {
public:
    Coder(const Word *image, const TileGrid &grid, std::size_t block, Word zero, std::size_t tiles_at_once)
        : image_(image),
          grid_(grid),
          block_(block),
          zero_(zero),
          pixels_(grid.tile_rows * grid.tile_columns),
          room_(tiles_at_once * room_for_rice<Word>(grid.tile_rows * grid.tile_columns, block)) {}

    Piece code(std::size_t begin, std::size_t end, std::int64_t *lengths) {
        std::uint8_t *next = room_.data();
        for (std::size_t tile = begin; tile < end; ++tile) {
            const std::size_t size = code_tile(tile, next);
            lengths[tile] = static_cast<std::int64_t>(size);
            next += size;
        }
        Piece piece{nullptr, static_cast<std::size_t>(next - room_.data())};
        piece.bytes = std::make_unique_for_overwrite<std::uint8_t[]>(piece.size);
        std::copy(room_.data(), next, piece.bytes.get());
        return piece;
    }

private:
    const Word *image_;
    TileGrid grid_;
    std::size_t block_;
    Word zero_;
    std::vector<Word> pixels_;
    std::vector<std::uint8_t> room_;

    std::size_t code_tile(std::size_t tile, std::uint8_t *out) {
        const std::size_t across = (grid_.columns + grid_.tile_columns - 1) / grid_.tile_columns;
        const std::size_t y = tile / across * grid_.tile_rows, x = tile % across * grid_.tile_columns;
        const std::size_t rows = std::min(grid_.tile_rows, grid_.rows - y);
        const std::size_t columns = std::min(grid_.tile_columns, grid_.columns - x);
        const Word *pixels = image_ + y * grid_.columns + x;
        if (rows > 1 && columns < grid_.columns) {
            for (std::size_t i = 0; i < rows; ++i) {
                std::copy_n(pixels + i * grid_.columns, columns, pixels_.data() + i * columns);
            }
            pixels = pixels_.data();
        }
        return encode_rice(pixels, rows * columns, block_, zero_, out);
    }
};

}  // namespace

template <class Word>
CodedTiles encode_rice_tiles(const Word *image, const TileGrid &grid, std::size_t block, Word zero, int threads) {
    const std::size_t tiles = ((grid.rows + grid.tile_rows - 1) / grid.tile_rows) *
                              ((grid.columns + grid.tile_columns - 1) / grid.tile_columns);
    const std::size_t at_once = std::max<std::size_t>(pixels_of_block / (grid.tile_rows * grid.tile_columns), 1);
    CodedTiles coded{nullptr, 0, std::make_unique_for_overwrite<std::int64_t[]>(tiles), tiles};
    std::vector<Piece> pieces((tiles + at_once - 1) / at_once);
    for_each_block(tiles, at_once, threads, [&] {
        return [&, coder = Coder<Word>(image, grid, block, zero, at_once)](std::size_t piece, std::size_t begin,
                                                                          std::size_t end) mutable {
            pieces[piece] = coder.code(begin, end, coded.lengths.get());
        };
    });
    for (const Piece &piece : pieces) coded.size += piece.size;
    coded.bytes = std::make_unique_for_overwrite<std::uint8_t[]>(coded.size);
    std::uint8_t *next = coded.bytes.get();
    for (Piece &piece : pieces) {
        next = std::copy_n(piece.bytes.get(), piece.size, next);
        piece.bytes.reset();
    }
    return coded;
}

template CodedTiles encode_rice_tiles(const std::uint8_t *, const TileGrid &, std::size_t, std::uint8_t, int);
template CodedTiles encode_rice_tiles(const std::uint16_t *, const TileGrid &, std::size_t, std::uint16_t, int);
template CodedTiles encode_rice_tiles(const std::uint32_t *, const TileGrid &, std::size_t, std::uint32_t, int);

}  // namespace fiducial
