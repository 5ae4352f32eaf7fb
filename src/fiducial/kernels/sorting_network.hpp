// Comparators that sort any n values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

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

}  // namespace fiducial
