// Comparators that sort any n values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "dispatch.hpp"

namespace fiducial {

using Network = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

// Merge exchange, Knuth 1998, The Art of Computer Programming 3, algorithm 5.2.2M (Batcher's network).
inline Network sorting_network(std::size_t n) {
    Network network;
    std::size_t top = 1;
    while (2 * top < n) top *= 2;
    for (std::size_t p = n > 1 ? top : 0; p > 0; p /= 2) {
        std::size_t q = top, r = 0, d = p;
        while (true) {
            for (std::size_t i = 0; i + d < n; ++i) {
                if ((i & p) == r) network.emplace_back(i, i + d);
            }
            if (q == p) break;
            d = q - p;
            q /= 2;
            r = p;
        }
    }
    return network;
}

// Sorts (frames, width) values along the frames, each of the columns by itself.
template <class T>
FIDUCIAL_INLINE void sort_columns(const Network &network, T *values, std::size_t width) {
    for (const auto &[i, j] : network) {
        T *__restrict a = values + i * width;
        T *__restrict b = values + j * width;
        for (std::size_t p = 0; p < width; ++p) {
            const T x = a[p], y = b[p];
            a[p] = y < x ? y : x;
            b[p] = y < x ? x : y;
        }
    }
}

}  // namespace fiducial
