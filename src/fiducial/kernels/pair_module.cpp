#include "pair_module.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>

#include <cstdint>
#include <optional>
#include <tuple>

#include "lag_products.hpp"
#include "pair_statistics.hpp"

namespace nb = nanobind;

namespace fiducial {
namespace {

template <class T>
using Rows = nb::ndarray<const T, nb::ndim<2>, nb::device::cpu>;
template <class T>
using Plain = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T>
using Target = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Statistics = std::tuple<std::int64_t, std::int64_t, double, double, double, double, double, double>;

// Shapes, and that the columns of a row lie side by side, are checked by pairs.py.
template <class T>
void add_pair(nb::module_ &m) {
    m.def(
        "pair_products",
        [](Rows<T> first, Rows<T> second, std::optional<Rows<std::uint8_t>> usable, double kappa, int rounds,
           bool left, Target<double> sums, Target<std::int64_t> counts, int threads) {
            const PairRows<T> pair{first.data(),
                                   second.data(),
                                   usable ? usable->data() : nullptr,
                                   static_cast<std::ptrdiff_t>(first.stride(0)),
                                   static_cast<std::ptrdiff_t>(second.stride(0)),
                                   usable ? static_cast<std::ptrdiff_t>(usable->stride(0)) : 0,
                                   first.shape(0),
                                   first.shape(1)};
            const nb::gil_scoped_release released;
            const PairStatistics s = pair_statistics(pair, kappa, rounds, threads);
            if (sums.shape(0) > 0) {
                pair_lag_products(pair, s, sums.shape(0) - 1, left, threads, sums.data(), counts.data());
            }
            return Statistics{s.number, s.usable, s.first, s.second, s.difference, s.variance, s.lowest, s.highest};
        },
        nb::arg("first").noconvert(), nb::arg("second").noconvert(), nb::arg("usable").noconvert().none(),
        nb::arg("kappa"), nb::arg("rounds"), nb::arg("left"), nb::arg("sums").noconvert(),
        nb::arg("counts").noconvert(), nb::arg("threads"));
}

}  // namespace

void add_pairs(nb::module_ &m) {
    add_pair<std::uint16_t>(m);
    add_pair<std::int32_t>(m);
    add_pair<float>(m);
    m.def(
        "lag_products",
        [](Plain<float> values, std::optional<Plain<std::uint8_t>> usable, Target<double> sums,
           Target<std::int64_t> counts, int threads) {
            const nb::gil_scoped_release released;
            const std::size_t rows = values.shape(0), columns = values.shape(1);
            const auto bad = places_without(usable ? usable->data() : nullptr, rows, columns);
            lag_products({values.data(), &bad, rows, columns}, sums.shape(0) - 1, true, threads, sums.data(),
                         counts.data());
        },
        nb::arg("values").noconvert(), nb::arg("usable").noconvert().none(), nb::arg("sums").noconvert(),
        nb::arg("counts").noconvert(), nb::arg("threads"));
}

}  // namespace fiducial
