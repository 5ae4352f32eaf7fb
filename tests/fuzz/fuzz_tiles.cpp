// Feeds the tile decoder with sound, damaged and random bytes, and compares it with a plain one; and it
// codes pixels and decodes them again.
//
//     fuzz_tiles [inputs] [seed]
//
// Built with sanitizers (tests/fuzz/run), it stops at the first byte read or written out of bounds, at
// undefined behaviour, and at the first answer that is not the plain decoder's.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>

#include "plain_rice.hpp"
#include "rice_encode.hpp"
#include "rice_tiles.hpp"

using namespace fiducial;

namespace {

struct Counts {
    unsigned long long good = 0, truncated = 0, overlong = 0, corrupt = 0;

    void add(TileState state) {
        unsigned long long *const all[] = {&good, &truncated, &overlong, &corrupt};
        ++*all[static_cast<int>(state)];
    }
};

class Fuzzer {
public:
    Fuzzer(unsigned long long seed) : random_(seed) {}
    Counts counts;

    template <class Word>
    void one_tile() {
        const std::size_t count = 1 + below(below(8) ? 100 : 2000), block = some_block();
        std::vector<Word> pixels = some_pixels<Word>(count);
        std::vector<std::uint8_t> bytes = some_bytes(pixels, block);
        const bool sound = !damage(bytes);
        const Word zero = static_cast<Word>(below(2) ? random_() : 0);

        // Memory of exactly the size that counts, so that the sanitizer sees any other byte.
        const auto input = exact(bytes);
        const auto out = std::make_unique<Word[]>(count);
        const TileState state = decode_rice(TileBytes{input.get(), bytes.size()}, block, zero, out.get(), count);
        counts.add(state);
        const auto expected = plain::decode<Word>(bytes, block, count);
        check((state == TileState::good) == expected.has_value(), "one decoder is content, the other is not");
        check(!sound || state == TileState::good, "sound bytes are refused");
        for (std::size_t i = 0; expected && i < count; ++i) {
            check(static_cast<Word>(out[i] - zero) == (*expected)[i], "a pixel differs");
        }
    }

    // What the coder writes, both decoders read, and it is no longer than what chance writes.
    template <class Word>
    void coded_tile() {
        const std::size_t count = 1 + below(below(8) ? 100 : 2000), block = some_block();
        const std::vector<Word> pixels = some_pixels<Word>(count);
        const Word zero = static_cast<Word>(random_());
        const auto room = std::make_unique<std::uint8_t[]>(room_for_rice<Word>(count, block));
        const auto input = std::make_unique<Word[]>(count);
        std::copy(pixels.begin(), pixels.end(), input.get());
        const std::size_t size = encode_rice(input.get(), count, block, zero, room.get());
        const std::vector<std::uint8_t> bytes(room.get(), room.get() + size);
        check(size <= some_bytes(pixels, block).size(), "a longer code than need be");
        const auto expected = plain::decode<Word>(bytes, block, count);
        check(expected.has_value(), "the plain decoder does not read what was coded");
        const auto out = std::make_unique<Word[]>(count);
        const TileState state = decode_rice(TileBytes{room.get(), size}, block, zero, out.get(), count);
        counts.add(state);
        check(state == TileState::good, "what was coded cannot be decoded");
        for (std::size_t i = 0; i < count; ++i) {
            check(out[i] == pixels[i], "a coded pixel differs");
            check(static_cast<Word>((*expected)[i] + zero) == pixels[i], "a coded pixel differs for the plain decoder");
        }
    }

    template <class Word>
    void many_tiles() {
        const TileGrid grid{1 + below(30), 1 + below(60), 1 + below(12), 1 + below(70)};
        Window window{below(grid.rows), below(grid.columns), 0, 0};
        window.rows = 1 + below(grid.rows - window.y0);
        window.columns = 1 + below(grid.columns - window.x0);
        const std::size_t block = some_block();
        std::vector<std::uint8_t> heap;
        std::vector<std::int64_t> offsets, lengths;
        std::vector<Word> image = some_pixels<Word>(grid.rows * grid.columns);
        bool sound = true;
        for (std::size_t y = window.y0 / grid.tile_rows * grid.tile_rows; y < window.y0 + window.rows;
             y += grid.tile_rows) {
            for (std::size_t x = window.x0 / grid.tile_columns * grid.tile_columns; x < window.x0 + window.columns;
                 x += grid.tile_columns) {
                std::vector<std::uint8_t> bytes = some_bytes(cut(image, grid, y, x), block);
                if (below(20) == 0) sound &= !damage(bytes);
                offsets.push_back(static_cast<std::int64_t>(heap.size()));
                lengths.push_back(static_cast<std::int64_t>(bytes.size()));
                heap.insert(heap.end(), bytes.begin(), bytes.end());
            }
        }
        const auto input = exact(heap);
        const auto out = std::make_unique<Word[]>(window.rows * window.columns);
        const auto fault = decode_rice_tiles<Word>({input.get(), offsets.data(), lengths.data()}, grid, window, block,
                                                   Word{0}, 1, out.get());
        counts.add(fault ? fault->state : TileState::good);
        check(!fault || fault->tile < offsets.size(), "a tile that is not there is named");
        check(!fault || !sound, "sound tiles are refused");
        for (std::size_t i = 0; sound && i < window.rows * window.columns; ++i) {
            const std::size_t y = window.y0 + i / window.columns, x = window.x0 + i % window.columns;
            check(out[i] == image[y * grid.columns + x], "a pixel of a tile differs");
        }
    }

    std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }

private:
    std::mt19937_64 random_;

    static void check(bool condition, const char *what) {
        if (condition) return;
        std::fprintf(stderr, "fuzz_tiles: %s\n", what);
        std::abort();
    }

    static std::unique_ptr<std::uint8_t[]> exact(const std::vector<std::uint8_t> &bytes) {
        auto copy = std::make_unique<std::uint8_t[]>(bytes.size());
        std::copy(bytes.begin(), bytes.end(), copy.get());
        return copy;
    }

    std::size_t some_block() {
        const std::size_t blocks[] = {32, 32, 16, 16, 1, 7, 65536};
        return blocks[below(7)];
    }

    // Noise of any width, constants and jumps.
    template <class Word>
    std::vector<Word> some_pixels(std::size_t count) {
        std::vector<Word> pixels(count);
        unsigned bits = static_cast<unsigned>(below(plain::width<Word> + 1));
        Word base = static_cast<Word>(random_());
        for (Word &pixel : pixels) {
            if (below(60) == 0) bits = static_cast<unsigned>(below(plain::width<Word> + 1));
            if (below(90) == 0) base = static_cast<Word>(random_());
            pixel = static_cast<Word>(base + (bits ? random_() >> (64 - bits) : 0));
        }
        return pixels;
    }

    // Coded by a writer that mostly chooses low bits well, or bytes at random.
    template <class Word>
    std::vector<std::uint8_t> some_bytes(const std::vector<Word> &pixels, std::size_t block) {
        const bool fitting = below(4) != 0;
        return plain::encode(pixels, block, [&](Word any) {
            // Without enough low bits a code of 32 bits would become gigabytes.
            unsigned least = 0;
            while (any >> least > 300) ++least;
            if (least >= plain::raw_bits<Word>) return plain::raw_bits<Word>;
            const unsigned most = fitting ? std::min(least + 3, plain::raw_bits<Word>) : plain::raw_bits<Word>;
            return least + static_cast<unsigned>(below(most - least + 1));
        });
    }

    template <class Word>
    static std::vector<Word> cut(const std::vector<Word> &image, const TileGrid &grid, std::size_t y, std::size_t x) {
        std::vector<Word> tile;
        for (std::size_t i = y; i < std::min(y + grid.tile_rows, grid.rows); ++i) {
            for (std::size_t j = x; j < std::min(x + grid.tile_columns, grid.columns); ++j) {
                tile.push_back(image[i * grid.columns + j]);
            }
        }
        return tile;
    }

    // False if the bytes were left as they are.
    bool damage(std::vector<std::uint8_t> &bytes) {
        switch (below(6)) {
            case 0: return false;
            case 1:
                bytes.resize(below(bytes.size() + 1));
                return true;
            case 2:
                for (std::size_t n = 1 + below(40); n > 0; --n) bytes.push_back(static_cast<std::uint8_t>(random_()));
                return true;
            case 3:
                bytes.resize(below(400));
                for (std::uint8_t &byte : bytes) byte = static_cast<std::uint8_t>(random_() & random_());
                return true;
            case 4: {  // a run of zeros or ones, short or long
                const std::size_t begin = below(bytes.size()), end = std::min(bytes.size(), begin + below(300));
                std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                          bytes.begin() + static_cast<std::ptrdiff_t>(end), below(3) ? 0 : 0xFF);
                return true;
            }
            default:
                for (std::size_t n = 1 + below(5); n > 0; --n) {
                    bytes[below(bytes.size())] ^= static_cast<std::uint8_t>(1U << below(8));
                }
                return true;
        }
    }
};

}  // namespace

int main(int argc, char **argv) {
    const unsigned long long inputs = argc > 1 ? std::stoull(argv[1]) : 200000;
    const unsigned long long seed = argc > 2 ? std::stoull(argv[2]) : 1;
    Fuzzer fuzzer(seed);
    for (unsigned long long i = 0; i < inputs; ++i) {
        switch (fuzzer.below(19)) {
            case 0: fuzzer.many_tiles<std::uint8_t>(); break;
            case 1: fuzzer.many_tiles<std::uint16_t>(); break;
            case 2: fuzzer.many_tiles<std::uint32_t>(); break;
            case 3: case 4: case 5: fuzzer.one_tile<std::uint8_t>(); break;
            case 6: case 7: case 8: case 9: fuzzer.one_tile<std::uint32_t>(); break;
            case 16: fuzzer.coded_tile<std::uint8_t>(); break;
            case 17: fuzzer.coded_tile<std::uint16_t>(); break;
            case 18: fuzzer.coded_tile<std::uint32_t>(); break;
            default: fuzzer.one_tile<std::uint16_t>(); break;
        }
    }
    const Counts &counts = fuzzer.counts;
    std::printf("%llu inputs from seed %llu: %llu good, %llu truncated, %llu overlong, %llu corrupt\n", inputs, seed,
                counts.good, counts.truncated, counts.overlong, counts.corrupt);
}
