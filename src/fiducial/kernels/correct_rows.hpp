// Raw rows of one amplifier made into corrected pixels in one pass.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fiducial {

template <class T>
struct RawRows {
    const T *values;      // the first pixel of the first row
    std::ptrdiff_t pitch;  // from one row to the next
    std::size_t rows, columns;
};

struct Levels {
    const float *row;     // (rows,), or null: none
    const float *column;  // (columns,), or null: none
    float gain;
};

struct Limits {
    double suspect, saturation;  // raw values from which pixels are marked
    std::int32_t suspect_bit, saturation_bit;
};

// image = ((raw - row level) - column level) * gain, in float, turned about as asked.
template <class T>
void correct_rows(const RawRows<T> &raw, const Levels &levels, const Limits &limits, bool flip_x, bool flip_y,
                  float *image, std::int32_t *mask);

}  // namespace fiducial
