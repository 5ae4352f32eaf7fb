// The Python face of the compiled kernels. Shapes are checked by __init__.py.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>

#include "combine_module.hpp"
#include "detrend_module.hpp"
#include "pair_module.hpp"
#include "raw_module.hpp"
#include "statistics_module.hpp"
#include "tiles_module.hpp"
#include "weighted_mean.hpp"

namespace nb = nanobind;
using namespace fiducial;

namespace {

template <class T>
using Vector = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T>
using Matrix = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T>
using Result = nb::ndarray<nb::numpy, T>;
using Combined = std::tuple<Result<float>, Result<float>, Result<std::int32_t>, Result<std::int32_t>>;

template <class T>
Result<T> owned(std::unique_ptr<T[]> data, std::initializer_list<std::size_t> shape) {
    T *pointer = data.get();
    nb::capsule owner(pointer, [](void *p) noexcept { delete[] static_cast<T *>(p); });
    data.release();
    return Result<T>(pointer, shape, owner);
}

template <class T>
const typename T::Scalar *data_of(const std::optional<T> &array) {
    return array ? array->data() : nullptr;
}

Stack stack_of(const Matrix<float> &frames, const std::optional<Matrix<std::uint8_t>> &usable,
               const double *divisor) {
    return {frames.data(), data_of(usable), divisor, frames.shape(0), frames.shape(1)};
}

// Calls kernel(images) without the interpreter's lock and hands the images over.
template <class Kernel>
Combined combined(std::size_t pixels, Kernel kernel) {
    auto mean = std::make_unique_for_overwrite<float[]>(pixels);
    auto variance = std::make_unique_for_overwrite<float[]>(pixels);
    auto used = std::make_unique_for_overwrite<std::int32_t[]>(pixels);
    auto clipped = std::make_unique_for_overwrite<std::int32_t[]>(pixels);
    {
        const nb::gil_scoped_release released;
        kernel(Images{mean.get(), variance.get(), used.get(), clipped.get()});
    }
    return {owned(std::move(mean), {pixels}), owned(std::move(variance), {pixels}),
            owned(std::move(used), {pixels}), owned(std::move(clipped), {pixels})};
}

}  // namespace

NB_MODULE(_kernels, m) {
    m.doc() = "Compiled pixel kernels.";
    add_combine(m);
    add_detrend(m);
    add_pairs(m);
    add_raw(m);
    add_statistics(m);
    add_tiles(m);

    m.def(
        "expected_mean",
        [](Matrix<float> frames, std::optional<Matrix<std::uint8_t>> usable, std::optional<Vector<double>> scale,
           std::optional<Vector<double>> of_frames, std::optional<Matrix<float>> of_pixels, double kappa,
           int iterations, int threads) {
            const Variances variances{data_of(of_frames), data_of(of_pixels), nullptr, 1.0};
            return combined(frames.shape(1), [&](const Images &out) {
                weighted_mean(stack_of(frames, usable, data_of(scale)), variances, kappa, iterations, threads, out);
            });
        },
        nb::arg("frames").noconvert(), nb::arg("usable").noconvert().none(), nb::arg("scale").noconvert().none(),
        nb::arg("of_frames").noconvert().none(), nb::arg("of_pixels").noconvert().none(), nb::arg("kappa"),
        nb::arg("iterations"), nb::arg("threads"));

    m.def(
        "dark_rate",
        [](Matrix<float> frames, std::optional<Matrix<std::uint8_t>> usable, Vector<double> times,
           Vector<double> read_variance, double gain, double kappa, int iterations, int threads) {
            const Variances variances{nullptr, nullptr, read_variance.data(), gain};
            return combined(frames.shape(1), [&](const Images &out) {
                weighted_mean(stack_of(frames, usable, times.data()), variances, kappa, iterations, threads, out);
            });
        },
        nb::arg("frames").noconvert(), nb::arg("usable").noconvert().none(), nb::arg("times").noconvert(),
        nb::arg("read_variance").noconvert(), nb::arg("gain"), nb::arg("kappa"), nb::arg("iterations"),
        nb::arg("threads"));
}
