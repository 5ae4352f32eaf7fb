#include "detrend_module.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>

#include <cstdint>
#include <optional>

#include "detrend_rows.hpp"
#include "row_medians.hpp"

namespace nb = nanobind;

namespace fiducial {
namespace {

using Bytes = nb::ndarray<const std::uint8_t, nb::ndim<2>, nb::device::cpu>;
using Vector = std::optional<nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>>;
template <class T>
using Plane = nb::ndarray<T, nb::ndim<2>, nb::device::cpu>;
template <class T>
using Perhaps = std::optional<Plane<T>>;

StoredRows stored_rows(const Bytes &bytes, std::size_t columns, int type, bool swap, std::uint16_t flip) {
    return {bytes.data(), static_cast<std::ptrdiff_t>(bytes.stride(0)), bytes.shape(0), columns,
            static_cast<PixelType>(type), swap, flip};
}

const float *data_of(const Vector &vector) { return vector ? vector->data() : nullptr; }

std::size_t size_of(const Vector &vector) { return vector ? vector->shape(0) : 0; }

template <class T>
PlaneRows<T> rows_of(const Plane<T> &plane) {
    return {plane.data(), static_cast<std::ptrdiff_t>(plane.stride(0))};
}

template <class T>
PlaneRows<T> rows_of(const Perhaps<T> &plane) {
    return plane ? rows_of(*plane) : PlaneRows<T>{};
}

// Shapes, and that the columns of a row lie side by side, are checked by detrend.py.
template <class M>
void add_detrend_rows(nb::module_ &m) {
    m.def(
        "detrend_rows",
        [](Bytes bytes, std::size_t columns, int type, bool swap, std::uint16_t flip, Vector row_level,
           Vector column_level, Vector polynomial, Vector table, float start, float density, float gain,
           double suspect, double saturation, M suspect_bit, M saturation_bit, bool look_for_nan, M nan_bit,
           M explained, bool poisson, float factor, Vector row_noise, Vector column_noise, Perhaps<const float> bias,
           Perhaps<const float> dark, Perhaps<const float> inverse_flat, Perhaps<const float> bias_variance,
           Perhaps<const float> dark_variance, Perhaps<const float> flat_variance, Perhaps<const M> masters_mask,
           float time, float time_square, Plane<std::uint32_t> image, Perhaps<std::uint32_t> variance, Plane<M> mask,
           bool swap_image, bool swap_mask, bool flip_x, bool flip_y, int threads) {
            const StoredRows raw = stored_rows(bytes, columns, type, swap, flip);
            const RawSteps steps{data_of(row_level), data_of(column_level), data_of(polynomial), size_of(polynomial),
                                 data_of(table),     size_of(table),        start,               density,
                                 gain};
            const Marks<M> marks{suspect, saturation, suspect_bit, saturation_bit, look_for_nan, nan_bit, explained};
            const Noise noise{poisson, factor, data_of(row_noise), data_of(column_noise)};
            const MasterRows<M> masters{rows_of(bias),          rows_of(dark),          rows_of(inverse_flat),
                                        rows_of(bias_variance), rows_of(dark_variance), rows_of(flat_variance),
                                        rows_of(masters_mask),  time,                   time_square};
            const DetrendedRows<M> out{rows_of(image), rows_of(variance), rows_of(mask), swap_image,
                                       swap_mask,      flip_x,            flip_y};
            const nb::gil_scoped_release released;
            detrend_rows(raw, steps, marks, noise, masters, out, threads);
        },
        nb::arg("stored").noconvert(), nb::arg("columns"), nb::arg("kind"), nb::arg("swap"), nb::arg("flip"),
        nb::arg("row_level").noconvert().none(), nb::arg("column_level").noconvert().none(),
        nb::arg("polynomial").noconvert().none(), nb::arg("table").noconvert().none(), nb::arg("start"),
        nb::arg("density"), nb::arg("gain"), nb::arg("suspect"), nb::arg("saturation"), nb::arg("suspect_bit"),
        nb::arg("saturation_bit"), nb::arg("look_for_nan"), nb::arg("nan_bit"), nb::arg("explained"),
        nb::arg("poisson"), nb::arg("factor"), nb::arg("row_noise").noconvert().none(),
        nb::arg("column_noise").noconvert().none(), nb::arg("bias").noconvert().none(),
        nb::arg("dark").noconvert().none(), nb::arg("inverse_flat").noconvert().none(),
        nb::arg("bias_variance").noconvert().none(), nb::arg("dark_variance").noconvert().none(),
        nb::arg("flat_variance").noconvert().none(), nb::arg("masters_mask").noconvert().none(), nb::arg("time"),
        nb::arg("time_square"), nb::arg("image").noconvert(), nb::arg("variance").noconvert().none(),
        nb::arg("mask").noconvert(), nb::arg("swap_image"), nb::arg("swap_mask"), nb::arg("flip_x"),
        nb::arg("flip_y"), nb::arg("threads"));
}

}  // namespace

void add_detrend(nb::module_ &m) {
    add_detrend_rows<std::int32_t>(m);
    add_detrend_rows<std::uint8_t>(m);
    m.def(
        "row_medians",
        [](Bytes bytes, std::size_t columns, int type, bool swap, std::uint16_t flip, double limit,
           nb::ndarray<double, nb::ndim<1>, nb::c_contig, nb::device::cpu> medians) {
            const nb::gil_scoped_release released;
            row_medians(stored_rows(bytes, columns, type, swap, flip), limit, medians.data());
        },
        nb::arg("stored").noconvert(), nb::arg("columns"), nb::arg("kind"), nb::arg("swap"), nb::arg("flip"),
        nb::arg("limit"), nb::arg("medians").noconvert());
}

}  // namespace fiducial
