#include "tiles_module.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "rice_image.hpp"
#include "rice_tiles.hpp"

namespace nb = nanobind;

namespace fiducial {
namespace {

template <class T>
using Vector = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T>
using Target = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Pair = std::pair<std::size_t, std::size_t>;

// Shapes and spans are checked by tiles.py.
template <class Word>
void add_rice_tiles(nb::module_ &m) {
    m.def(
        "rice_tiles",
        [](Vector<std::uint8_t> heap, Vector<std::int64_t> offsets, Vector<std::int64_t> lengths, Target<Word> out,
           Pair image, Pair tile, Pair corner, std::size_t block, Word zero,
           int threads) -> std::optional<std::pair<std::size_t, int>> {
            const TileHeap tiles{heap.data(), offsets.data(), lengths.data()};
            const TileGrid grid{image.first, image.second, tile.first, tile.second};
            const Window window{corner.first, corner.second, out.shape(0), out.shape(1)};
            const nb::gil_scoped_release released;
            const auto fault = decode_rice_tiles(tiles, grid, window, block, zero, threads, out.data());
            if (!fault) return std::nullopt;
            return std::pair(fault->tile, static_cast<int>(fault->state));
        },
        nb::arg("heap").noconvert(), nb::arg("offsets").noconvert(), nb::arg("lengths").noconvert(),
        nb::arg("out").noconvert(), nb::arg("image"), nb::arg("tile"), nb::arg("corner"), nb::arg("block"),
        nb::arg("zero"), nb::arg("threads"));
}

template <class T>
nb::ndarray<nb::numpy, T> owned(std::unique_ptr<T[]> data, std::size_t size) {
    T *pointer = data.get();
    nb::capsule owner(pointer, [](void *p) noexcept { delete[] static_cast<T *>(p); });
    data.release();
    return {pointer, {size}, owner};
}

template <class Word>
void add_rice_encode(nb::module_ &m) {
    m.def(
        "rice_encode",
        [](nb::ndarray<const Word, nb::ndim<2>, nb::c_contig, nb::device::cpu> image, Pair tile, std::size_t block,
           Word zero, int threads) {
            const TileGrid grid{image.shape(0), image.shape(1), tile.first, tile.second};
            CodedTiles coded;
            {
                const nb::gil_scoped_release released;
                coded = encode_rice_tiles(image.data(), grid, block, zero, threads);
            }
            return std::pair(owned(std::move(coded.bytes), coded.size), owned(std::move(coded.lengths), coded.tiles));
        },
        nb::arg("image").noconvert(), nb::arg("tile"), nb::arg("block"), nb::arg("zero"), nb::arg("threads"));
}

}  // namespace

void add_tiles(nb::module_ &m) {
    add_rice_tiles<std::uint8_t>(m);
    add_rice_tiles<std::uint16_t>(m);
    add_rice_tiles<std::uint32_t>(m);
    add_rice_encode<std::uint8_t>(m);
    add_rice_encode<std::uint16_t>(m);
    add_rice_encode<std::uint32_t>(m);
}

}  // namespace fiducial
