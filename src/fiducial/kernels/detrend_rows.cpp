#include "detrend_rows.hpp"

#include <algorithm>

#include "dispatch.hpp"
#include "parallel.hpp"

namespace fiducial {
namespace {

constexpr std::size_t width = 1024;       // pixels done at a time: what is between two steps stays in the nearest cache
constexpr std::size_t rows_a_block = 16;  // that a thread takes at a time
constexpr std::uint32_t not_a_number = 0x7fc00000;

template <class M>
struct Chunk {
    alignas(64) float image[width];
    alignas(64) float variance[width];
    alignas(64) M mask[width];
};

// Where the masters of a chunk begin, and what else its row has.
template <class M>
struct Place {
    const float *bias, *dark, *inverse, *bias_variance, *dark_variance, *flat_variance;
    const M *mask;
    const float *column_noise;
    float row_noise;
};

template <class T, bool swap, class M>
FIDUCIAL_CLONES void load(const unsigned char *__restrict bytes, std::size_t n, PixelBits<T> flip,
                          const Marks<M> &marks, Threshold<T> suspect, Threshold<T> saturation, float level,
                          float *__restrict image, M *__restrict mask) {
    const M near = suspect.reachable ? marks.suspect_bit : M{0};
    const M full = suspect.reachable && saturation.reachable ? marks.saturation_bit : M{0};
    const T low = suspect.value, high = saturation.value;
    for (std::size_t x = 0; x < n; ++x) {
        const T value = stored_value<T, swap>(bytes + x * sizeof(T), flip);
        image[x] = static_cast<float>(value) - level;
    }
    for (std::size_t x = 0; x < n; ++x) {
        const T value = stored_value<T, swap>(bytes + x * sizeof(T), flip);
        const M bits = value >= high ? full : M{0};
        mask[x] = value >= low ? static_cast<M>(near | bits) : M{0};
    }
}

FIDUCIAL_CLONES void make_linear(const RawSteps &steps, std::size_t n, float *__restrict image) {
    if (steps.terms) {
        const std::size_t terms = steps.terms;
        for (std::size_t x = 0; x < n; ++x) {
            const float value = image[x];
            float sum = steps.polynomial[terms - 1];
            for (std::size_t k = terms - 1; k > 0; --k) sum = sum * value + steps.polynomial[k - 1];
            image[x] = value + value * value * sum;
        }
    }
    if (steps.entries) {
        const float last = static_cast<float>(steps.entries - 1);
        for (std::size_t x = 0; x < n; ++x) {
            float at = (image[x] - steps.start) * steps.density;
            at = at > 0.0f ? at : 0.0f;  // NaN too
            at = at < last ? at : last;
            const auto entry = static_cast<std::size_t>(at);
            const std::size_t next = std::min(entry + 1, steps.entries - 1);
            const float low = steps.table[entry], high = steps.table[next];
            image[x] += low + (high - low) * (at - static_cast<float>(entry));
        }
    }
}

FIDUCIAL_CLONES void scale(const float *__restrict column_level, float gain, std::size_t n, float *__restrict image) {
    if (column_level) {
        for (std::size_t x = 0; x < n; ++x) image[x] -= column_level[x];
    }
    for (std::size_t x = 0; x < n; ++x) image[x] *= gain;
}

// The first line of the formulas' last part and what comes before: bias, own variance, dark, flat.
template <class M>
FIDUCIAL_INLINE void apply_masters(const Place<M> &place, const Noise &noise, float time, bool wanted, std::size_t n,
                                   float *__restrict image, float *__restrict variance) {
    if (const float *__restrict bias = place.bias) {
        for (std::size_t x = 0; x < n; ++x) image[x] -= bias[x];
    }
    if (wanted) {
        const float base = place.row_noise, factor = noise.factor;
        if (noise.poisson) {
            for (std::size_t x = 0; x < n; ++x) variance[x] = (image[x] < 0.0f ? 0.0f : image[x]) * factor + base;
        } else {
            std::fill_n(variance, n, base);
        }
        if (const float *__restrict column = place.column_noise) {
            for (std::size_t x = 0; x < n; ++x) variance[x] += column[x];
        }
    }
    if (const float *__restrict dark = place.dark) {
        for (std::size_t x = 0; x < n; ++x) image[x] -= dark[x] * time;
    }
    if (const float *__restrict inverse = place.inverse) {
        for (std::size_t x = 0; x < n; ++x) image[x] *= inverse[x];
        if (wanted) {
            for (std::size_t x = 0; x < n; ++x) variance[x] *= inverse[x] * inverse[x];
        }
    }
}

// The variance that the masters have; without a plane of the ones before it, the flat's stands alone.
template <class M>
FIDUCIAL_INLINE void share_variance(const Place<M> &place, float time_square, std::size_t n,
                                    const float *__restrict image, float *__restrict variance) {
    float shared[width];
    const bool before = place.bias_variance || place.dark_variance;
    if (const float *__restrict bias = place.bias_variance) {
        std::copy_n(bias, n, shared);
        if (const float *__restrict dark = place.dark_variance) {
            for (std::size_t x = 0; x < n; ++x) shared[x] += dark[x] * time_square;
        }
    } else if (const float *__restrict dark = place.dark_variance) {
        for (std::size_t x = 0; x < n; ++x) shared[x] = dark[x] * time_square;
    }
    if (const float *__restrict flat = place.flat_variance) {
        if (before) {
            for (std::size_t x = 0; x < n; ++x) shared[x] += image[x] * image[x] * flat[x];
        } else {
            for (std::size_t x = 0; x < n; ++x) shared[x] = image[x] * image[x] * flat[x];
        }
    } else if (!before) {
        return;
    }
    if (const float *__restrict inverse = place.inverse) {
        for (std::size_t x = 0; x < n; ++x) shared[x] *= inverse[x] * inverse[x];
    }
    for (std::size_t x = 0; x < n; ++x) variance[x] += shared[x];
}

template <class M>
FIDUCIAL_INLINE void mark(const Place<M> &place, const Marks<M> &marks, std::size_t n, float *__restrict image,
                          M *__restrict mask) {
    if (const M *__restrict own = place.mask) {
        for (std::size_t x = 0; x < n; ++x) mask[x] |= own[x];
    }
    if (!marks.look_for_nan) return;
    std::uint32_t any = 0;
    for (std::size_t x = 0; x < n; ++x) {
        any |= static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(image[x]) & 0x7fffffff) >= 0x7f800000);
    }
    if (!any) return;
    for (std::size_t x = 0; x < n; ++x) {
        if ((std::bit_cast<std::uint32_t>(image[x]) & 0x7fffffff) < 0x7f800000) continue;
        image[x] = std::bit_cast<float>(not_a_number);
        if (!(mask[x] & marks.explained)) mask[x] |= marks.nan_bit;
    }
}

FIDUCIAL_INLINE void store(const float *__restrict values, std::size_t n, bool swap, std::uint32_t *__restrict out) {
    if (swap) {
        for (std::size_t x = 0; x < n; ++x) out[x] = swapped(std::bit_cast<std::uint32_t>(values[x]));
    } else {
        std::memcpy(out, values, n * sizeof(float));
    }
}

template <class M>
FIDUCIAL_CLONES void finish(const Place<M> &place, const Marks<M> &marks, const Noise &noise,
                            const MasterRows<M> &masters, std::size_t n, Chunk<M> &chunk,
                            std::uint32_t *__restrict image, std::uint32_t *__restrict variance,
                            M *__restrict mask, bool swap_image, bool swap_mask) {
    apply_masters(place, noise, masters.time, variance != nullptr, n, chunk.image, chunk.variance);
    if (variance) share_variance(place, masters.time_square, n, chunk.image, chunk.variance);
    mark(place, marks, n, chunk.image, chunk.mask);
    store(chunk.image, n, swap_image, image);
    if (variance) store(chunk.variance, n, swap_image, variance);
    if constexpr (sizeof(M) == 4) {
        if (swap_mask) {
            for (std::size_t x = 0; x < n; ++x) {
                mask[x] = std::bit_cast<M>(swapped(std::bit_cast<std::uint32_t>(chunk.mask[x])));
            }
            return;
        }
    }
    std::copy_n(chunk.mask, n, mask);
}

template <class T, bool swap, class M>
void detrend_row(std::size_t row, const StoredRows &raw, const RawSteps &steps, const Marks<M> &marks,
                 const Noise &noise, const MasterRows<M> &masters, const DetrendedRows<M> &out, Chunk<M> &chunk) {
    const unsigned char *bytes = raw.bytes + static_cast<std::ptrdiff_t>(row) * raw.pitch;
    const std::size_t y = out.flip_y ? raw.rows - 1 - row : row;
    const auto suspect = threshold<T>(marks.suspect), saturation = threshold<T>(marks.saturation);
    const auto flip = static_cast<PixelBits<T>>(sizeof(T) == 2 ? raw.flip : 0);
    for (std::size_t x = 0; x < raw.columns; x += width) {  // on the detector
        const std::size_t n = std::min(width, raw.columns - x);
        const std::size_t from = out.flip_x ? raw.columns - x - n : x;
        load<T, swap, M>(bytes + from * sizeof(T), n, flip, marks, suspect, saturation,
                         steps.row_level ? steps.row_level[row] : 0.0f, chunk.image, chunk.mask);
        const float *column_level = steps.column_level ? steps.column_level + from : nullptr;
        if (steps.terms || steps.entries) {
            scale(column_level, 1.0f, n, chunk.image);
            make_linear(steps, n, chunk.image);
            scale(nullptr, steps.gain, n, chunk.image);
        } else {
            scale(column_level, steps.gain, n, chunk.image);
        }
        if (out.flip_x) {
            std::reverse(chunk.image, chunk.image + n);
            std::reverse(chunk.mask, chunk.mask + n);
        }
        const Place<M> place{masters.bias.at(y, x),          masters.dark.at(y, x),
                             masters.inverse_flat.at(y, x),  masters.bias_variance.at(y, x),
                             masters.dark_variance.at(y, x), masters.flat_variance.at(y, x),
                             masters.mask.at(y, x),          noise.column ? noise.column + x : nullptr,
                             noise.row ? noise.row[row] : 0.0f};
        finish(place, marks, noise, masters, n, chunk, out.image.at(y, x), out.variance.at(y, x), out.mask.at(y, x),
               out.swap_image, out.swap_mask);
    }
}

}  // namespace

template <class M>
void detrend_rows(const StoredRows &raw, const RawSteps &steps, const Marks<M> &marks, const Noise &noise,
                  const MasterRows<M> &masters, const DetrendedRows<M> &out, int threads) {
    with_pixel_type(raw.type, raw.swap, [&]<class T, bool swap>() {
        for_each_block(raw.rows, rows_a_block, threads, [&] {
            return [&, chunk = Chunk<M>{}](std::size_t, std::size_t begin, std::size_t end) mutable {
                for (std::size_t row = begin; row < end; ++row) {
                    detrend_row<T, swap, M>(row, raw, steps, marks, noise, masters, out, chunk);
                }
            };
        });
    });
}

template void detrend_rows(const StoredRows &, const RawSteps &, const Marks<std::uint8_t> &, const Noise &,
                           const MasterRows<std::uint8_t> &, const DetrendedRows<std::uint8_t> &, int);
template void detrend_rows(const StoredRows &, const RawSteps &, const Marks<std::int32_t> &, const Noise &,
                           const MasterRows<std::int32_t> &, const DetrendedRows<std::int32_t> &, int);

}  // namespace fiducial
