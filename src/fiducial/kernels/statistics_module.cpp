#include "statistics_module.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>

#include <cstdint>
#include <optional>

#include "band_sums.hpp"
#include "quantiles.hpp"
#include "row_statistics.hpp"

namespace nb = nanobind;

namespace fiducial {
namespace {

template <class T>
using Vector = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T>
using Matrix = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

}  // namespace

// Shapes are checked by statistics.py.
void add_statistics(nb::module_ &m) {
    m.def(
        "row_statistics",
        [](Matrix<const double> values, Vector<const std::int64_t> bounds, Vector<const double> about_median, double kappa,
           double truncation, Vector<double> median, Vector<double> mean, Vector<std::int32_t> count,
           Vector<std::int32_t> kept, Vector<double> noise, int threads) {
            const Overscan overscan{values.data(), values.shape(0), values.shape(1), about_median.data()};
            const RowStatistics out{median.data(), mean.data(), count.data(), kept.data(), noise.data()};
            const nb::gil_scoped_release released;
            row_statistics(overscan, bounds.data(), noise.shape(0), kappa, truncation, threads, out);
        },
        nb::arg("values").noconvert(), nb::arg("bounds").noconvert(), nb::arg("about_median").noconvert(),
        nb::arg("kappa"), nb::arg("truncation"), nb::arg("median").noconvert(), nb::arg("mean").noconvert(),
        nb::arg("count").noconvert(), nb::arg("kept").noconvert(), nb::arg("noise").noconvert(), nb::arg("threads"));

    m.def(
        "band_sums",
        [](Matrix<const float> values, Matrix<const std::uint8_t> usable, Vector<const std::int64_t> bounds,
           Matrix<double> bands, Matrix<std::int64_t> counts, Vector<double> rows, Vector<std::int64_t> row_counts,
           int threads) {
            const Image image{values.data(), usable.data(), values.shape(0), values.shape(1)};
            const BandSums out{bands.data(), counts.data(), rows.data(), row_counts.data()};
            const nb::gil_scoped_release released;
            band_sums(image, bounds.data(), bands.shape(0), threads, out);
        },
        nb::arg("values").noconvert(), nb::arg("usable").noconvert(), nb::arg("bounds").noconvert(),
        nb::arg("bands").noconvert(), nb::arg("counts").noconvert(), nb::arg("rows").noconvert(),
        nb::arg("row_counts").noconvert(), nb::arg("threads"));

    m.def(
        "quantiles",
        [](Vector<const float> values, std::optional<Vector<const std::uint8_t>> usable, Vector<const double> fractions,
           Vector<double> out, int threads) {
            const Sample sample{values.data(), usable ? usable->data() : nullptr, values.shape(0)};
            const nb::gil_scoped_release released;
            return quantiles(sample, fractions.data(), fractions.shape(0), threads, out.data());
        },
        nb::arg("values").noconvert(), nb::arg("usable").noconvert().none(), nb::arg("fractions").noconvert(),
        nb::arg("out").noconvert(), nb::arg("threads"));
}

}  // namespace fiducial
