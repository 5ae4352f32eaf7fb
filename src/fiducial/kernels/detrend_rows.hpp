// Rows of one amplifier detrended in one pass: from the bytes in the file to image, variance and mask.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stored_pixels.hpp"

namespace fiducial {

// Rows of a plane of the detector, from where the amplifier's first pixel (or row, if turned about) goes.
template <class T>
struct PlaneRows {
    T *first = nullptr;        // null: there is no such plane
    std::ptrdiff_t pitch = 0;  // values from one row to the next

    T *at(std::size_t row, std::size_t column) const {
        return first ? first + static_cast<std::ptrdiff_t>(row) * pitch + static_cast<std::ptrdiff_t>(column)
                     : nullptr;
    }
};

// What is done to raw pixels before they are put in place; lines in the order of the file.
struct RawSteps {
    const float *row_level;     // (rows,), or null: none
    const float *column_level;  // (columns,), or null: none
    const float *polynomial;    // (terms,): x + x^2 (p[0] + p[1] x + ...)
    std::size_t terms;
    const float *table;  // (entries,): x + what stands at (x - start) * density, between two entries in proportion
    std::size_t entries;
    float start, density;
    float gain;
};

template <class M>
struct Marks {
    double suspect, saturation;  // raw values from which pixels are marked
    M suspect_bit, saturation_bit;
    bool look_for_nan;
    M nan_bit, explained;  // a pixel that is no number gets nan_bit unless it has a bit of explained
};

struct Noise {
    bool poisson;
    float factor;         // variance per signal
    const float *row;     // (rows,) in the order of the file: read noise and overscan model
    const float *column;  // (columns,) in the order of the detector, or null: none
};

// Master calibrations; null: not applied.
template <class M>
struct MasterRows {
    PlaneRows<const float> bias, dark, inverse_flat;
    PlaneRows<const float> bias_variance, dark_variance, flat_variance;
    PlaneRows<const M> mask;
    float time, time_square;
};

template <class M>
struct DetrendedRows {
    PlaneRows<std::uint32_t> image, variance;  // bits of float; the variance may be null: not wanted
    PlaneRows<M> mask;
    bool swap_image, swap_mask;  // whether bytes go out in the other order than the machine's
    bool flip_x, flip_y;
};

// In float, operation by operation as the formulas stand, without fused operations:
//   S = (linear((raw - row) - column)) * gain - bias
//   V = max(S, 0) * factor + row noise + column noise
//   I = (S - dark * time) * inverse
//   V = V * inverse^2 + ((V_bias + V_dark * time^2) + I^2 V_flat) * inverse^2
template <class M>
void detrend_rows(const StoredRows &raw, const RawSteps &steps, const Marks<M> &marks, const Noise &noise,
                  const MasterRows<M> &masters, const DetrendedRows<M> &out, int threads);

}  // namespace fiducial
