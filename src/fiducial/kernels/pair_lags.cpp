#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <type_traits>
#include <vector>

#include "dispatch.hpp"
#include "lag_integers.hpp"
#include "lag_products.hpp"
#include "pair_statistics.hpp"

namespace fiducial {
namespace {

struct Window {
    double low, high, centre;
};

// Differences less the centre where they are kept, 0 elsewhere; returns how many are not kept.
template <class T, class Value>
FIDUCIAL_INLINE std::size_t centre_row(const T *a, const T *b, const std::uint8_t *usable, std::size_t n,
                                       const Window &window, Value *values, std::uint8_t *kept) {
    using Wide = std::conditional_t<std::is_same_v<T, std::uint16_t>, std::int32_t, double>;
    const auto limit = [](double value) {
        return std::is_same_v<Wide, double> ? static_cast<Wide>(value)
                                            : static_cast<Wide>(std::clamp(value, -70000.0, 70000.0));
    };
    const Wide low = limit(std::is_same_v<Wide, double> ? window.low : std::ceil(window.low));
    const Wide high = limit(std::is_same_v<Wide, double> ? window.high : std::floor(window.high));
    using Centred = std::conditional_t<std::is_same_v<Value, float>, double, std::int32_t>;
    const auto centre = static_cast<Centred>(window.centre);
    std::uint32_t good = 0;
    for (std::size_t x = 0; x < n; ++x) {
        const Wide d = static_cast<Wide>(a[x]) - static_cast<Wide>(b[x]);
        const bool finite = !std::is_same_v<T, float> || std::abs(d) < std::numeric_limits<Wide>::infinity();
        const bool keep = (d >= low) & (d <= high) & finite & (!usable || usable[x]);
        values[x] = keep ? static_cast<Value>(static_cast<Centred>(d) - centre) : Value(0);
        kept[x] = keep;
        good += keep;
    }
    return n - good;
}

template <class T, class Value>
FIDUCIAL_INLINE void centre_rows(const PairRows<T> &pair, const Window &window, Value *values,
                                 std::vector<Place> &bad) {
    std::vector<std::uint8_t> kept(pair.columns);
    for (std::size_t y = 0; y < pair.rows; ++y) {
        const auto row = static_cast<std::ptrdiff_t>(y);
        const T *a = pair.first + row * pair.first_pitch, *b = pair.second + row * pair.second_pitch;
        Value *out = values + y * pair.columns;
        const std::size_t lost =
            pair.usable ? centre_row(a, b, pair.usable + row * pair.usable_pitch, pair.columns, window, out, kept.data())
                        : centre_row(a, b, nullptr, pair.columns, window, out, kept.data());
        for (std::size_t x = 0; lost > 0 && x < pair.columns; ++x) {
            if (!kept[x]) bad.push_back({static_cast<std::uint32_t>(y), static_cast<std::uint32_t>(x)});
        }
    }
}

FIDUCIAL_CLONES void centre_integers(const PairRows<std::uint16_t> &pair, const Window &window, std::int16_t *values,
                                     std::vector<Place> &bad) {
    centre_rows(pair, window, values, bad);
}

FIDUCIAL_CLONES void centre_floats(const PairRows<std::uint16_t> &pair, const Window &window, float *values,
                                   std::vector<Place> &bad) {
    centre_rows(pair, window, values, bad);
}

FIDUCIAL_CLONES void centre_floats(const PairRows<std::int32_t> &pair, const Window &window, float *values,
                                   std::vector<Place> &bad) {
    centre_rows(pair, window, values, bad);
}

FIDUCIAL_CLONES void centre_floats(const PairRows<float> &pair, const Window &window, float *values,
                                   std::vector<Place> &bad) {
    centre_rows(pair, window, values, bad);
}

// Integers about the integer next to the mean; the rest of the mean is taken off their sums.
void integer_products(const PairRows<std::uint16_t> &pair, const PairStatistics &statistics, std::int32_t largest,
                      std::size_t lag, bool left, int threads, double *sums, std::int64_t *counts) {
    const double centre = std::rint(statistics.difference), rest = statistics.difference - centre;
    const auto values = std::make_unique_for_overwrite<std::int16_t[]>(pair.rows * pair.columns);
    std::vector<Place> bad;
    centre_integers(pair, {statistics.lowest, statistics.highest, centre}, values.get(), bad);
    const std::size_t size = (lag + 1) * (2 * lag + 1);
    std::vector<std::int64_t> products(size), singles(size);
    lag_integers({values.get(), largest, pair.rows, pair.columns, &bad}, lag, left, threads, products.data(),
                 singles.data(), counts);
    for (std::size_t i = 0; i < size; ++i) {
        sums[i] = static_cast<double>(products[i]) - rest * static_cast<double>(singles[i]) +
                  rest * rest * static_cast<double>(counts[i]);
    }
}

// The largest difference from the centre that is kept, or infinity.
double reach_of(const PairStatistics &statistics) {
    const double centre = std::rint(statistics.difference);
    return std::max(statistics.highest - centre, centre - statistics.lowest);
}

}  // namespace

template <class T>
void pair_lag_products(const PairRows<T> &pair, const PairStatistics &statistics, std::size_t lag, bool left,
                       int threads, double *sums, std::int64_t *counts) {
    const std::size_t size = (lag + 1) * (2 * lag + 1);
    if (statistics.number == 0) {
        std::fill_n(sums, size, 0.0);
        std::fill_n(counts, size, 0);
        return;
    }
    if constexpr (std::is_same_v<T, std::uint16_t>) {
        if (const double reach = reach_of(statistics); reach <= largest_lag_integer) {
            const auto largest = static_cast<std::int32_t>(reach);
            return integer_products(pair, statistics, largest, lag, left, threads, sums, counts);
        }
    }
    const auto values = std::make_unique_for_overwrite<float[]>(pair.rows * pair.columns);
    std::vector<Place> bad;
    centre_floats(pair, {statistics.lowest, statistics.highest, statistics.difference}, values.get(), bad);
    lag_products({values.get(), &bad, pair.rows, pair.columns}, lag, left, threads, sums, counts);
}

template void pair_lag_products(const PairRows<std::uint16_t> &, const PairStatistics &, std::size_t, bool, int,
                                double *, std::int64_t *);
template void pair_lag_products(const PairRows<std::int32_t> &, const PairStatistics &, std::size_t, bool, int,
                                double *, std::int64_t *);
template void pair_lag_products(const PairRows<float> &, const PairStatistics &, std::size_t, bool, int, double *,
                                std::int64_t *);

}  // namespace fiducial
