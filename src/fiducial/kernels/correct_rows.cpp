#include "correct_rows.hpp"

#include <algorithm>
#include <type_traits>

#include "dispatch.hpp"

namespace fiducial {
namespace {

// A limit in the type that values are compared in: integers as double, single precision as itself.
template <class T>
using Compared = std::conditional_t<std::is_same_v<T, float>, float, double>;

template <class T>
FIDUCIAL_CLONES bool correct_row(const T *__restrict raw, std::size_t columns, float level,
                                 const float *__restrict column_level, float gain, Compared<T> suspect,
                                 float *__restrict image) {
    bool marked = false;
    for (std::size_t x = 0; x < columns; ++x) {
        image[x] = static_cast<float>(raw[x]) - level;
        marked |= static_cast<Compared<T>>(raw[x]) >= suspect;
    }
    if (column_level) {
        for (std::size_t x = 0; x < columns; ++x) image[x] -= column_level[x];
    }
    for (std::size_t x = 0; x < columns; ++x) image[x] *= gain;
    return marked;
}

template <class T>
void mark_row(const T *raw, std::size_t columns, const Limits &limits, std::int32_t *mask) {
    const auto suspect = static_cast<Compared<T>>(limits.suspect);
    const auto saturation = static_cast<Compared<T>>(limits.saturation);
    for (std::size_t x = 0; x < columns; ++x) {
        const auto value = static_cast<Compared<T>>(raw[x]);
        if (value >= suspect) mask[x] |= limits.suspect_bit;
        if (value >= suspect && value >= saturation) mask[x] |= limits.saturation_bit;
    }
}

}  // namespace

template <class T>
void correct_rows(const RawRows<T> &raw, const Levels &levels, const Limits &limits, bool flip_x, bool flip_y,
                  float *image, std::int32_t *mask) {
    for (std::size_t y = 0; y < raw.rows; ++y) {
        const T *values = raw.values + static_cast<std::ptrdiff_t>(y) * raw.pitch;
        const std::size_t place = (flip_y ? raw.rows - 1 - y : y) * raw.columns;
        std::fill_n(mask + place, raw.columns, 0);
        const bool marked = correct_row(values, raw.columns, levels.row ? levels.row[y] : 0.0f, levels.column,
                                        levels.gain, static_cast<Compared<T>>(limits.suspect), image + place);
        if (marked) mark_row(values, raw.columns, limits, mask + place);
        if (flip_x) {
            std::reverse(image + place, image + place + raw.columns);
            if (marked) std::reverse(mask + place, mask + place + raw.columns);
        }
    }
}

template void correct_rows(const RawRows<std::uint16_t> &, const Levels &, const Limits &, bool, bool, float *,
                           std::int32_t *);
template void correct_rows(const RawRows<std::int16_t> &, const Levels &, const Limits &, bool, bool, float *,
                           std::int32_t *);
template void correct_rows(const RawRows<std::int32_t> &, const Levels &, const Limits &, bool, bool, float *,
                           std::int32_t *);
template void correct_rows(const RawRows<float> &, const Levels &, const Limits &, bool, bool, float *,
                           std::int32_t *);

}  // namespace fiducial
