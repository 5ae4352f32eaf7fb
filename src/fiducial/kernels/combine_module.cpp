#include "combine_module.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>

#include <cstdint>
#include <optional>

#include "combine.hpp"

namespace nb = nanobind;

namespace fiducial {
namespace {

template <class T, int n>
using Optional = std::optional<nb::ndarray<const T, nb::ndim<n>, nb::c_contig, nb::device::cpu>>;
template <class T>
using Plane = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

template <class Array>
const typename Array::Scalar *data_of(const std::optional<Array> &array) {
    return array ? array->data() : nullptr;
}

// Shapes, and that the columns of a row lie side by side, are checked by combine.py.
template <class Raw>
void add_combine_of(nb::module_ &m) {
    m.def(
        "combine",
        [](nb::ndarray<const Raw, nb::ndim<3>, nb::device::cpu> frames, Optional<std::uint8_t, 3> usable,
           Optional<double, 2> level, double gain, Optional<double, 1> zero, Optional<double, 1> divisor,
           int mode, double kappa, int iterations, std::size_t low, std::size_t high, Optional<double, 1> weights,
           int threads, Plane<float> mean, Plane<float> variance, Plane<std::int32_t> used,
           Plane<std::int32_t> clipped) {
            const Frames<Raw> stack{frames.data(), static_cast<std::ptrdiff_t>(frames.stride(0)),
                                    static_cast<std::ptrdiff_t>(frames.stride(1)), frames.shape(0),
                                    frames.shape(1), frames.shape(2), data_of(usable), data_of(level), gain,
                                    data_of(zero), data_of(divisor)};
            const Rule rule{static_cast<Mode>(mode), kappa, iterations, low, high, data_of(weights)};
            const Images out{mean.data(), variance.data(), used.data(), clipped.data()};
            const nb::gil_scoped_release released;
            combine(stack, rule, threads, out);
        },
        nb::arg("frames").noconvert(), nb::arg("usable").noconvert().none(), nb::arg("level").noconvert().none(),
        nb::arg("gain"), nb::arg("zero").noconvert().none(), nb::arg("divisor").noconvert().none(),
        nb::arg("mode"), nb::arg("kappa"), nb::arg("iterations"), nb::arg("low"), nb::arg("high"),
        nb::arg("weights").noconvert().none(), nb::arg("threads"), nb::arg("mean").noconvert(),
        nb::arg("variance").noconvert(), nb::arg("used").noconvert(), nb::arg("clipped").noconvert());
}

}  // namespace

void add_combine(nb::module_ &m) {
    add_combine_of<std::uint16_t>(m);
    add_combine_of<std::int16_t>(m);
    add_combine_of<std::int32_t>(m);
    add_combine_of<float>(m);
}

}  // namespace fiducial
