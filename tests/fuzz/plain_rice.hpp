// Rice coding of a tile bit by bit: slow, and so plain that the fast decoder can be judged by it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace plain {

template <class Word>
constexpr unsigned number_bits = sizeof(Word) == 1 ? 3 : sizeof(Word) == 2 ? 4 : 5;
template <class Word>
constexpr unsigned raw_bits = sizeof(Word) == 1 ? 6 : sizeof(Word) == 2 ? 14 : 25;
template <class Word>
constexpr unsigned width = 8 * sizeof(Word);
template <class Word>  // one bit more than a difference needs is let pass
constexpr std::uint64_t code_limit = std::uint64_t{1} << (sizeof(Word) == 4 ? 32 : width<Word> + 1);

class Writer {
public:
    std::vector<std::uint8_t> bytes;

    void put(std::uint64_t value, unsigned bits) {
        while (bits-- > 0) {
            if (used_ % 8 == 0) bytes.push_back(0);
            bytes.back() |= static_cast<std::uint8_t>((value >> bits & 1) << (7 - used_ % 8));
            ++used_;
        }
    }

private:
    std::size_t used_ = 0;
};

// Codes each block with `low(all its codes or-ed)` low bits, or as one that is constant.
template <class Word, class Low>
std::vector<std::uint8_t> encode(const std::vector<Word> &pixels, std::size_t block, Low low) {
    Writer out;
    Word last = pixels.front();
    out.put(last, width<Word>);
    for (std::size_t begin = 0; begin < pixels.size(); begin += block) {
        std::vector<Word> codes;
        Word any = 0;
        for (std::size_t i = begin; i < pixels.size() && i < begin + block; ++i) {
            const Word difference = static_cast<Word>(pixels[i] - last);
            const bool negative = difference >> (width<Word> - 1);
            codes.push_back(static_cast<Word>(negative ? ~(difference << 1) : difference << 1));
            any |= codes.back();
            last = pixels[i];
        }
        const unsigned bits = low(any);
        out.put(any ? bits + 1 : 0, number_bits<Word>);
        for (const Word code : any ? codes : std::vector<Word>()) {
            if (bits == raw_bits<Word>) {
                out.put(code, width<Word>);
                continue;
            }
            for (std::uint64_t zeros = code >> bits; zeros > 0; --zeros) out.put(0, 1);
            out.put(1, 1);
            out.put(code & ((std::uint64_t{1} << bits) - 1), bits);
        }
    }
    return out.bytes;
}

class Reader {
public:
    explicit Reader(const std::vector<std::uint8_t> &bytes) : bytes_(bytes) {}
    bool ended = false;

    std::uint64_t take(unsigned bits) {
        std::uint64_t value = 0;
        while (bits-- > 0) {
            if (place_ / 8 >= bytes_.size()) {
                ended = true;
                return 0;
            }
            value = value << 1 | (bytes_[place_ / 8] >> (7 - place_ % 8) & 1);
            ++place_;
        }
        return value;
    }

    // Whether nothing follows but up to seven bytes of zeros.
    bool done() const {
        const std::size_t first = (place_ + 7) / 8;
        for (std::size_t i = first; i < bytes_.size(); ++i) {
            if (bytes_[i] != 0) return false;
        }
        return bytes_.size() - first < 8;
    }

private:
    const std::vector<std::uint8_t> &bytes_;
    std::size_t place_ = 0;
};

// The pixels, or nothing if the bytes are not those of `count` pixels.
template <class Word>
std::optional<std::vector<Word>> decode(const std::vector<std::uint8_t> &bytes, std::size_t block,
                                        std::size_t count) {
    Reader in(bytes);
    std::vector<Word> pixels;
    Word last = static_cast<Word>(in.take(width<Word>));
    while (pixels.size() < count && !in.ended) {
        const std::uint64_t number = in.take(number_bits<Word>);
        if (number > raw_bits<Word> + 1) return std::nullopt;
        for (std::size_t i = 0; i < block && pixels.size() < count && !in.ended; ++i) {
            std::uint64_t code = 0;
            if (number == raw_bits<Word> + 1) {
                code = in.take(width<Word>);
            } else if (number > 0) {
                std::uint64_t zeros = 0;
                while (!in.ended && in.take(1) == 0) ++zeros;
                code = (zeros << (number - 1)) + in.take(static_cast<unsigned>(number) - 1);
                if (code >= code_limit<Word>) return std::nullopt;
            }
            last = static_cast<Word>(last + (code % 2 ? ~(code / 2) : code / 2));
            pixels.push_back(last);
        }
    }
    if (in.ended || !in.done()) return std::nullopt;
    return pixels;
}

}  // namespace plain
