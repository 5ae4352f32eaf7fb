#include "raw_module.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>

#include <cstdint>
#include <optional>

#include "clipped_mean_integers.hpp"
#include "correct_rows.hpp"
#include "turn_words.hpp"

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

template <class T>
using Plane = std::optional<nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>>;

template <class T>
T *target_of(const Plane<T> &plane) {
    return plane ? plane->data() : nullptr;
}

// Shapes are checked by raw.py.
void add_clipped_mean(nb::module_ &m) {
    m.def(
        "clipped_mean_integers",
        [](nb::ndarray<const std::uint16_t, nb::ndim<2>, nb::c_contig, nb::device::cpu> frames, bool swap,
           std::uint16_t flip, std::int32_t zero, std::int32_t limit, double kappa, int iterations, int threads,
           bool swap_mean, nb::ndarray<float, nb::ndim<1>, nb::c_contig, nb::device::cpu> mean,
           Plane<float> variance, Plane<std::int32_t> used, Plane<std::int32_t> clipped) {
            const IntegerStack stack{frames.data(), frames.shape(0), frames.shape(1), swap, flip, zero, limit};
            const Images out{mean.data(), target_of(variance), target_of(used), target_of(clipped)};
            const nb::gil_scoped_release released;
            clipped_mean(stack, kappa, iterations, threads, swap_mean, out);
        },
        nb::arg("frames").noconvert(), nb::arg("swap"), nb::arg("flip"), nb::arg("zero"), nb::arg("limit"),
        nb::arg("kappa"), nb::arg("iterations"), nb::arg("threads"), nb::arg("swap_mean"),
        nb::arg("mean").noconvert(), nb::arg("variance").noconvert().none(), nb::arg("used").noconvert().none(),
        nb::arg("clipped").noconvert().none());
}

// That the words are native is checked by raw.py.
void add_turn_words(nb::module_ &m) {
    m.def(
        "turn_words",
        [](nb::ndarray<std::uint16_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> words, bool swap,
           std::uint16_t flip) {
            const nb::gil_scoped_release released;
            turn_words(words.data(), words.shape(0), swap, flip);
        },
        nb::arg("words").noconvert(), nb::arg("swap"), nb::arg("flip"));
}

}  // namespace

void add_raw(nb::module_ &m) {
    add_turn_words(m);
    add_clipped_mean(m);
    add_correct_rows<std::uint16_t>(m);
    add_correct_rows<std::int16_t>(m);
    add_correct_rows<std::int32_t>(m);
    add_correct_rows<float>(m);
}

}  // namespace fiducial
