#include "pair_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "dispatch.hpp"
#include "parallel.hpp"

namespace fiducial {
namespace {

constexpr std::size_t rows_of_block = 64;
constexpr std::size_t run = 16384;  // differences of uint16 whose sum fits 32 bits
constexpr std::size_t lanes = 8;    // partial sums of a row, whatever the machine's vectors are
constexpr double infinity = std::numeric_limits<double>::infinity();

template <class Sum>
struct Moments {
    std::int64_t number = 0;
    Sum first = 0, difference = 0, square = 0;

    void add(const Moments &other) {
        number += other.number;
        first += other.first;
        difference += other.difference;
        square += other.square;
    }
};

FIDUCIAL_INLINE void sum_run(const std::uint16_t *__restrict a, const std::uint16_t *__restrict b,
                             const std::uint8_t *__restrict usable, std::size_t n, std::int32_t low,
                             std::int32_t high, Moments<std::int64_t> &sums) {
    std::int32_t number = 0, difference = 0;
    std::uint32_t first = 0;
    std::uint64_t square = 0;
    for (std::size_t x = 0; x < n; ++x) {
        const std::int32_t d = static_cast<std::int32_t>(a[x]) - static_cast<std::int32_t>(b[x]);
        const std::int32_t keep = -static_cast<std::int32_t>((d >= low) & (d <= high) & (!usable || usable[x]));
        const std::int32_t kept = d & keep;
        const auto magnitude = static_cast<std::uint32_t>(kept < 0 ? -kept : kept);
        number -= keep;
        difference += kept;
        first += static_cast<std::uint32_t>(a[x]) & static_cast<std::uint32_t>(keep);
        square += magnitude * magnitude;  // below 2^32
    }
    sums.add({number, first, difference, static_cast<std::int64_t>(square)});
}

FIDUCIAL_CLONES void sum_rows(const PairRows<std::uint16_t> &pair, double low, double high, std::size_t begin,
                              std::size_t end, Moments<std::int64_t> &sums) {
    const auto limit = [](double value) { return static_cast<std::int32_t>(std::clamp(value, -70000.0, 70000.0)); };
    const std::int32_t least = limit(std::ceil(low)), most = limit(std::floor(high));
    for (std::size_t y = begin; y < end; ++y) {
        const auto row = static_cast<std::ptrdiff_t>(y);
        for (std::size_t x = 0; x < pair.columns; x += run) {
            const std::size_t n = std::min(run, pair.columns - x);
            const std::uint16_t *a = pair.first + row * pair.first_pitch + x;
            const std::uint16_t *b = pair.second + row * pair.second_pitch + x;
            if (pair.usable) {
                sum_run(a, b, pair.usable + row * pair.usable_pitch + x, n, least, most, sums);
            } else {
                sum_run(a, b, nullptr, n, least, most, sums);
            }
        }
    }
}

// Lane by lane, so that vectors of any width give the same sums.
struct WideSums {
    double number[lanes] = {}, first[lanes] = {}, difference[lanes] = {}, square[lanes] = {};

    // Differences of float and of 32-bit integers are exact, or nearly so, in double.
    template <class T>
    FIDUCIAL_INLINE void add(const T *__restrict a, const T *__restrict b, const std::uint8_t *__restrict usable,
                             std::size_t n, double low, double high) {
        for (std::size_t j = 0; j < n; ++j) {
            const double value = static_cast<double>(a[j]), d = value - static_cast<double>(b[j]);
            const bool keep = (d >= low) & (d <= high) & (std::abs(d) < infinity) & (!usable || usable[j]);
            const double kept = keep ? d : 0.0;
            number[j] += keep ? 1.0 : 0.0;
            first[j] += keep ? value : 0.0;
            difference[j] += kept;
            square[j] += kept * kept;
        }
    }
};

template <class T>
FIDUCIAL_INLINE void sum_wide(const PairRows<T> &pair, double low, double high, std::size_t begin, std::size_t end,
                              Moments<double> &sums) {
    for (std::size_t y = begin; y < end; ++y) {
        const auto row = static_cast<std::ptrdiff_t>(y);
        const T *a = pair.first + row * pair.first_pitch, *b = pair.second + row * pair.second_pitch;
        const std::uint8_t *usable = pair.usable ? pair.usable + row * pair.usable_pitch : nullptr;
        WideSums wide;
        const std::size_t whole = pair.columns / lanes * lanes;
        if (usable) {
            for (std::size_t x = 0; x < whole; x += lanes) wide.add(a + x, b + x, usable + x, lanes, low, high);
        } else {
            for (std::size_t x = 0; x < whole; x += lanes) wide.add(a + x, b + x, nullptr, lanes, low, high);
        }
        wide.add(a + whole, b + whole, usable ? usable + whole : nullptr, pair.columns - whole, low, high);
        for (std::size_t j = 0; j < lanes; ++j) {
            sums.add({static_cast<std::int64_t>(wide.number[j]), wide.first[j], wide.difference[j], wide.square[j]});
        }
    }
}

FIDUCIAL_CLONES void sum_rows(const PairRows<std::int32_t> &pair, double low, double high, std::size_t begin,
                              std::size_t end, Moments<double> &sums) {
    sum_wide(pair, low, high, begin, end, sums);
}

FIDUCIAL_CLONES void sum_rows(const PairRows<float> &pair, double low, double high, std::size_t begin,
                              std::size_t end, Moments<double> &sums) {
    sum_wide(pair, low, high, begin, end, sums);
}

template <class T>
PairStatistics one_round(const PairRows<T> &pair, double low, double high, int threads) {
    using Sums = Moments<std::conditional_t<std::is_same_v<T, std::uint16_t>, std::int64_t, double>>;
    std::vector<Sums> partial((pair.rows + rows_of_block - 1) / rows_of_block);
    for_each_block(pair.rows, rows_of_block, threads, [&] {
        return [&](std::size_t block, std::size_t begin, std::size_t end) {
            sum_rows(pair, low, high, begin, end, partial[block]);
        };
    });
    Sums sums;
    for (const Sums &part : partial) sums.add(part);
    const auto n = static_cast<double>(sums.number);
    const double first = static_cast<double>(sums.first) / n, mean = static_cast<double>(sums.difference) / n;
    const double variance = std::max(0.0, static_cast<double>(sums.square) / n - mean * mean);
    return {sums.number, sums.number, first, first - mean, mean, variance, low, high};
}

}  // namespace

template <class T>
PairStatistics pair_statistics(const PairRows<T> &pair, double kappa, int rounds, int threads) {
    PairStatistics kept = one_round(pair, -infinity, infinity, threads);
    const std::int64_t usable = kept.number;
    for (int round = 0; round < rounds && kept.number > 1; ++round) {
        const double reach = kappa * std::sqrt(kept.variance);
        const std::int64_t before = kept.number;
        const PairStatistics next = one_round(pair, kept.difference - reach, kept.difference + reach, threads);
        if (next.number == 0) break;  // equal values, off their mean by rounding
        kept = next;
        if (kept.number == before) break;
    }
    kept.usable = usable;
    return kept;
}

template PairStatistics pair_statistics(const PairRows<std::uint16_t> &, double, int, int);
template PairStatistics pair_statistics(const PairRows<std::int32_t> &, double, int, int);
template PairStatistics pair_statistics(const PairRows<float> &, double, int, int);

}  // namespace fiducial
