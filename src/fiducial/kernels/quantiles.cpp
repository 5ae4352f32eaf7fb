#include "quantiles.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "parallel.hpp"

namespace fiducial {
namespace {

// Two passes. The first counts values by the upper half of their bits; from that follows in which of these
// bins each wanted place lies. The second gathers the values of those bins, and only they are looked into.
constexpr std::size_t bins = 65536;
constexpr std::uint32_t not_finite = 0x7f800000u;  // an exponent of ones

using Counts = std::vector<std::uint32_t>;
using Slots = std::vector<std::int16_t>;  // by bin: where its values are gathered; below 0: nowhere
using Gathered = std::vector<std::vector<float>>;

// Bins are in the order of the values.
inline std::uint32_t bin_of(std::uint32_t bits) {
    const auto sign = static_cast<std::uint32_t>(static_cast<std::int32_t>(bits) >> 31);
    return (bits ^ (sign | 0x80000000u)) >> 16;
}

template <class Visit>
inline void for_each_usable(const Sample &sample, std::size_t begin, std::size_t end, Visit visit) {
    for (std::size_t i = begin; i < end; ++i) {
        const auto bits = std::bit_cast<std::uint32_t>(sample.values[i]);
        if ((bits & not_finite) != not_finite && (!sample.usable || sample.usable[i])) visit(i, bin_of(bits));
    }
}

// Calls work(part, begin, end) for as many parts as there are threads.
template <class Work>
void in_parts(const Sample &sample, std::size_t parts, Work work) {
    const std::size_t size = std::max<std::size_t>((sample.size + parts - 1) / parts, 1);
    for_each_block(sample.size, size, static_cast<int>(parts), [&work] { return work; });
}

Counts count_bins(const Sample &sample, std::size_t parts) {
    // Neighbours are often alike: two tables each, so that one count does not wait for the other.
    std::vector<std::array<Counts, 2>> own(parts, {Counts(bins, 0), Counts(bins, 0)});
    in_parts(sample, parts, [&](std::size_t part, std::size_t begin, std::size_t end) {
        auto &tables = own[part];
        for_each_usable(sample, begin, end, [&](std::size_t i, std::uint32_t bin) { ++tables[i & 1][bin]; });
    });
    Counts total(bins, 0);
    for (const auto &tables : own) {
        for (std::size_t b = 0; b < bins; ++b) total[b] += tables[0][b] + tables[1][b];
    }
    return total;
}

Gathered gather_bins(const Sample &sample, const Slots &slots, std::size_t number, std::size_t parts) {
    std::vector<Gathered> own(parts, Gathered(number));
    in_parts(sample, parts, [&](std::size_t part, std::size_t begin, std::size_t end) {
        for_each_usable(sample, begin, end, [&](std::size_t i, std::uint32_t bin) {
            const std::int16_t slot = slots[bin];
            if (slot >= 0) own[part][static_cast<std::size_t>(slot)].push_back(sample.values[i]);
        });
    });
    Gathered total(number);
    for (const auto &some : own) {
        for (std::size_t s = 0; s < number; ++s) total[s].insert(total[s].end(), some[s].begin(), some[s].end());
    }
    return total;
}

struct Place {
    std::size_t bin;
    std::size_t rank;  // within the bin
};

Place place_of(std::size_t rank, const Counts &counts) {
    std::size_t bin = 0;
    while (counts[bin] <= rank) rank -= counts[bin++];
    return {bin, rank};
}

}  // namespace

std::size_t quantiles(const Sample &sample, const double *fractions, std::size_t number, int threads, double *out) {
    const auto parts = static_cast<std::size_t>(std::max(threads, 1));
    const Counts counts = count_bins(sample, parts);
    const std::size_t size = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
    std::fill_n(out, number, std::numeric_limits<double>::quiet_NaN());
    if (size == 0) return 0;

    std::vector<Place> places;  // two for each quantile: of the values below and above it
    Slots slots(bins, -1);
    std::int16_t used = 0;
    for (std::size_t q = 0; q < number; ++q) {
        const auto below = static_cast<std::size_t>(fractions[q] * static_cast<double>(size - 1));
        for (const std::size_t rank : {below, std::min(below + 1, size - 1)}) {
            places.push_back(place_of(rank, counts));
            if (slots[places.back().bin] < 0) slots[places.back().bin] = used++;
        }
    }
    Gathered gathered = gather_bins(sample, slots, static_cast<std::size_t>(used), parts);
    const auto value = [&](const Place &place) {
        auto &values = gathered[static_cast<std::size_t>(slots[place.bin])];
        const auto middle = values.begin() + static_cast<std::ptrdiff_t>(place.rank);
        std::nth_element(values.begin(), middle, values.end());
        return static_cast<double>(*middle);
    };
    for (std::size_t q = 0; q < number; ++q) {
        const double position = fractions[q] * static_cast<double>(size - 1);
        const double low = value(places[2 * q]), high = value(places[2 * q + 1]);
        out[q] = low + (high - low) * (position - std::floor(position));
    }
    return size;
}

}  // namespace fiducial
