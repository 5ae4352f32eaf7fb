#include "combine.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>
#include <vector>

#include "clipping.hpp"
#include "dispatch.hpp"
#include "parallel.hpp"
#include "sorting_network.hpp"

namespace fiducial {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

// What values are held in: every 16-bit integer and float is a float, not so integers of 32 bits.
template <class Raw>
using Held = std::conditional_t<std::is_same_v<Raw, std::int32_t>, double, float>;

template <class Value>
constexpr Value unusable = std::numeric_limits<Value>::infinity();  // sorts behind every value

template <class Raw>
struct Job {
    Frames<Raw> frames;
    Rule rule;
    Images out;
    Network network;
    std::size_t width;  // pixels of a block

    bool plain() const { return !frames.level && !frames.zero && !frames.divisor && frames.gain == 1.0; }
};

template <class Value>
struct Scratch {
    std::vector<Value> values;  // (frames, width): sorted along the frames
    std::vector<Value> unsorted;
    std::vector<std::int32_t> count;
    std::vector<double> median, first, second;
    std::vector<double> column;

    Scratch(std::size_t frames, std::size_t width, bool by_frame)
        : values(frames * width), unsorted(by_frame ? frames * width : 0), count(width), median(width),
          first(width), second(width), column(frames) {}
};

// Where a block lies: in one row.
struct Place {
    std::size_t row, column, width;
};

template <class Raw>
FIDUCIAL_INLINE void convert(const Job<Raw> &job, const Place &at, std::size_t k, Held<Raw> *__restrict row) {
    using Value = Held<Raw>;
    const Frames<Raw> &frames = job.frames;
    const Raw *__restrict source = frames.values + static_cast<std::ptrdiff_t>(k) * frames.frame_pitch +
                                   static_cast<std::ptrdiff_t>(at.row) * frames.row_pitch + at.column;
    if (job.plain()) {
        for (std::size_t p = 0; p < at.width; ++p) row[p] = static_cast<Value>(source[p]);
        return;
    }
    const double level = frames.level ? frames.level[k * frames.rows + at.row] : 0.0;
    const double zero = frames.zero ? frames.zero[k] : 0.0;
    const double divisor = frames.divisor ? frames.divisor[k] : 1.0;
    const double gain = frames.gain;
    if (!frames.zero && !frames.divisor) {  // the same bits without a division
        for (std::size_t p = 0; p < at.width; ++p) {
            row[p] = static_cast<Value>((static_cast<double>(source[p]) - level) * gain);
        }
        return;
    }
    for (std::size_t p = 0; p < at.width; ++p) {
        row[p] = static_cast<Value>(((static_cast<double>(source[p]) - level) * gain - zero) / divisor);
    }
}

template <class Raw>
FIDUCIAL_INLINE void gather(const Job<Raw> &job, const Place &at, Scratch<Held<Raw>> &scratch) {
    using Value = Held<Raw>;
    const Frames<Raw> &frames = job.frames;
    std::int32_t *__restrict count = scratch.count.data();
    std::fill_n(count, job.width, 0);
    for (std::size_t k = 0; k < frames.frames; ++k) {
        Value *__restrict row = scratch.values.data() + k * job.width;
        convert(job, at, k, row);
        if (frames.usable) {
            const std::uint8_t *__restrict usable =
                frames.usable + (k * frames.rows + at.row) * frames.columns + at.column;
            for (std::size_t p = 0; p < at.width; ++p) row[p] = usable[p] ? row[p] : unusable<Value>;
        }
        for (std::size_t p = 0; p < at.width; ++p) {
            const bool good = is_finite(row[p]);
            row[p] = good ? row[p] : unusable<Value>;
            count[p] += good;
        }
        std::fill(row + at.width, row + job.width, unusable<Value>);
    }
    if (!scratch.unsorted.empty()) scratch.unsorted = scratch.values;
}

// Sums of (x - median) and its square, upwards over the sorted values.
template <class Value>
FIDUCIAL_INLINE void sum_block(std::int32_t frames, std::size_t stride, std::size_t width, Scratch<Value> &scratch) {
    const std::int32_t *__restrict count = scratch.count.data();
    double *__restrict median = scratch.median.data();
    double *__restrict first = scratch.first.data();
    double *__restrict second = scratch.second.data();
    const Value *values = scratch.values.data();
    bool complete = true;
    for (std::size_t p = 0; p < width; ++p) {
        const std::int32_t n = count[p];
        complete &= n == frames;
        const Value *low = values + p + stride * static_cast<std::size_t>(n > 0 ? (n - 1) / 2 : 0);
        const Value *high = values + p + stride * static_cast<std::size_t>(n > 0 ? n / 2 : 0);
        median[p] = 0.5 * (static_cast<double>(*low) + static_cast<double>(*high));
        first[p] = second[p] = 0.0;
    }
    for (std::int32_t k = 0; k < frames; ++k) {
        const Value *__restrict row = values + static_cast<std::size_t>(k) * stride;
        if (complete) {
            for (std::size_t p = 0; p < width; ++p) {
                const double d = static_cast<double>(row[p]) - median[p];
                first[p] += d;
                second[p] += d * d;
            }
        } else {
            for (std::size_t p = 0; p < width; ++p) {
                const double d = k < count[p] ? static_cast<double>(row[p]) - median[p] : 0.0;
                first[p] += d;
                second[p] += d * d;
            }
        }
    }
}

// Mean with weights of the values within a range, and its variance by their scatter,
// sum of w (x - mean)^2 over (n - 1) times that of w; times n, as a sample variance is.
template <class Raw>
FIDUCIAL_INLINE void weigh(const Job<Raw> &job, std::size_t p, double least, double most, double pivot,
                           const Scratch<Held<Raw>> &scratch, Moments &m) {
    double total = 0.0, first = 0.0, second = 0.0, n = 0.0;
    for (std::size_t k = 0; k < job.frames.frames; ++k) {
        const double x = scratch.unsorted[k * job.width + p];
        if (!(x >= least && x <= most)) continue;
        const double w = job.rule.weights[k], d = x - pivot;
        total += w;
        first += w * d;
        second += w * (d * d);
        n += 1.0;
    }
    const double square = second - first * first / total;
    m.mean = pivot + first / total;
    m.variance = (square < 0.0 ? 0.0 : square) / total / (n - 1.0) * n;
}

template <class Raw>
FIDUCIAL_INLINE Kept keep(const Job<Raw> &job, std::size_t p, std::size_t count, Scratch<Held<Raw>> &scratch) {
    const Rule &rule = job.rule;
    const Kept all{0, count,
                   finish(scratch.median[p], scratch.first[p], scratch.second[p], static_cast<double>(count))};
    const auto value = [&](std::size_t k) { return static_cast<double>(scratch.values[k * job.width + p]); };
    const bool trims = rule.mode == Mode::minmax;
    if (!trims) {
        const double limit = rule.kappa * std::sqrt(all.moments.variance);
        const bool clips = rule.mode == Mode::clipped_mean || rule.mode == Mode::clipped_median;
        const double median = all.moments.median;
        if (!clips || rule.iterations == 0) return all;
        if (!(median - value(0) > limit || value(count - 1) - median > limit)) return all;
    }
    double *column = scratch.column.data();
    for (std::size_t k = 0; k < count; ++k) column[k] = value(k);
    if (!trims) return clip_column(column, count, rule.kappa, rule.iterations);
    // The numbers are of all frames: of fewer usable ones, in proportion, so that something is left.
    return trim_column(column, count, rule.low * count / job.frames.frames, rule.high * count / job.frames.frames);
}

template <class Raw>
FIDUCIAL_INLINE void combine_pixel(const Job<Raw> &job, std::size_t p, std::size_t pixel,
                                   Scratch<Held<Raw>> &scratch) {
    const auto count = static_cast<std::size_t>(scratch.count[p]);
    const Images &out = job.out;
    if (count == 0) {
        out.mean[pixel] = out.variance[pixel] = static_cast<float>(undefined);
        out.used[pixel] = out.clipped[pixel] = 0;
        return;
    }
    const Mode mode = job.rule.mode;
    Kept kept = keep(job, p, count, scratch);
    const std::size_t used = kept.high - kept.low;
    if (job.rule.weights) {
        const auto value = [&](std::size_t k) { return static_cast<double>(scratch.values[k * job.width + p]); };
        weigh(job, p, value(kept.low), value(kept.high - 1), kept.moments.median, scratch, kept.moments);
    }
    const bool middle = mode == Mode::median || mode == Mode::clipped_median;
    out.mean[pixel] = static_cast<float>(middle ? kept.moments.median : kept.moments.mean);
    out.variance[pixel] = static_cast<float>(kept.moments.variance / static_cast<double>(used));
    out.used[pixel] = static_cast<std::int32_t>(used);
    out.clipped[pixel] = static_cast<std::int32_t>(count - used);
}

template <class Raw>
FIDUCIAL_CLONES void combine_block(const Job<Raw> &job, const Place &at, Scratch<Held<Raw>> &scratch) {
    gather(job, at, scratch);
    sort_columns(job.network, scratch.values.data(), job.width);
    sum_block(static_cast<std::int32_t>(job.frames.frames), job.width, at.width, scratch);
    const std::size_t first = at.row * job.frames.columns + at.column;
    for (std::size_t p = 0; p < at.width; ++p) combine_pixel(job, p, first + p, scratch);
}

}  // namespace

template <class Raw>
void combine(const Frames<Raw> &frames, const Rule &rule, int threads, const Images &out) {
    // A block of all frames stays in the first cache; 32 pixels keep the vectors full.
    const std::size_t width = std::clamp<std::size_t>(4096 / frames.frames / 32 * 32, 32, 512);
    Job<Raw> job{frames, rule, out, sorting_network(frames.frames), width};
    job.rule.kappa *= tie;
    const std::size_t of_row = (frames.columns + width - 1) / width;
    for_each_block(of_row * frames.rows, 1, threads, [&job, of_row, width] {
        Scratch<Held<Raw>> scratch(job.frames.frames, width, job.rule.weights != nullptr);
        return [&job, of_row, width, scratch](std::size_t block, std::size_t, std::size_t) mutable {
            const std::size_t column = block % of_row * width;
            combine_block(job, {block / of_row, column, std::min(width, job.frames.columns - column)}, scratch);
        };
    });
}

template void combine(const Frames<std::uint16_t> &, const Rule &, int, const Images &);
template void combine(const Frames<std::int16_t> &, const Rule &, int, const Images &);
template void combine(const Frames<std::int32_t> &, const Rule &, int, const Images &);
template void combine(const Frames<float> &, const Rule &, int, const Images &);

}  // namespace fiducial
