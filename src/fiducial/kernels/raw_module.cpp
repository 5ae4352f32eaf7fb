#include "raw_module.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>

#include <cstdint>
#include <optional>

#include "correct_rows.hpp"

namespace nb = nanobind;

namespace fiducial {
namespace {

template <class T>
using Rows = nb::ndarray<const T, nb::ndim<2>, nb::device::cpu>;
using Vector = std::optional<nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>>;
template <class T>
using Target = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

// Shapes, and that the columns of a row lie side by side, are checked by raw.py.
template <class T>
void add_correct_rows(nb::module_ &m) {
    m.def(
        "correct_rows",
        [](Rows<T> raw, Vector row_level, Vector column_level, float gain, double suspect, double saturation,
           std::int32_t suspect_bit, std::int32_t saturation_bit, bool flip_x, bool flip_y, Target<float> image,
           Target<std::int32_t> mask) {
            const RawRows<T> rows{raw.data(), static_cast<std::ptrdiff_t>(raw.stride(0)), raw.shape(0), raw.shape(1)};
            const Levels levels{row_level ? row_level->data() : nullptr, column_level ? column_level->data() : nullptr,
                                gain};
            const Limits limits{suspect, saturation, suspect_bit, saturation_bit};
            const nb::gil_scoped_release released;
            correct_rows(rows, levels, limits, flip_x, flip_y, image.data(), mask.data());
        },
        nb::arg("raw").noconvert(), nb::arg("row_level").noconvert().none(), nb::arg("column_level").noconvert().none(),
        nb::arg("gain"), nb::arg("suspect"), nb::arg("saturation"), nb::arg("suspect_bit"), nb::arg("saturation_bit"),
        nb::arg("flip_x"), nb::arg("flip_y"), nb::arg("image").noconvert(), nb::arg("mask").noconvert());
}

}  // namespace

void add_raw(nb::module_ &m) {
    add_correct_rows<std::uint16_t>(m);
    add_correct_rows<std::int16_t>(m);
    add_correct_rows<std::int32_t>(m);
    add_correct_rows<float>(m);
}

}  // namespace fiducial
