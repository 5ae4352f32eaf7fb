#include "clipped_mean.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "clipping.hpp"
#include "dispatch.hpp"
#include "parallel.hpp"
#include "sorting_network.hpp"

namespace fiducial {
namespace {

constexpr float unusable = std::numeric_limits<float>::infinity();  // sorts behind every value
constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

struct Job {
    Stack stack;
    double kappa;
    int iterations;
    Images out;
    Network network;
    std::size_t width;  // pixels of a block
};

struct Scratch {
    std::vector<float> values;  // (frames, width): sorted along the frames
    std::vector<std::int32_t> count;
    std::vector<double> median, first, second;
    std::vector<double> column;

    explicit Scratch(const Job &job)
        : values(job.stack.frames * job.width),
          count(job.width),
          median(job.width),
          first(job.width),
          second(job.width),
          column(job.stack.frames) {}
};

FIDUCIAL_INLINE void gather(const Job &job, std::size_t begin, std::size_t width, Scratch &scratch) {
    const Stack &stack = job.stack;
    std::int32_t *__restrict count = scratch.count.data();
    std::fill_n(count, job.width, 0);
    for (std::size_t k = 0; k < stack.frames; ++k) {
        const float *__restrict source = stack.values + k * stack.pixels + begin;
        float *__restrict row = scratch.values.data() + k * job.width;
        if (stack.divisor) {
            const double divisor = stack.divisor[k];
            for (std::size_t p = 0; p < width; ++p) row[p] = pixel_value(source[p], divisor);
        } else {
            for (std::size_t p = 0; p < width; ++p) row[p] = source[p];
        }
        if (stack.usable) {
            const std::uint8_t *__restrict usable = stack.usable + k * stack.pixels + begin;
            for (std::size_t p = 0; p < width; ++p) row[p] = usable[p] ? row[p] : unusable;
        }
        for (std::size_t p = 0; p < width; ++p) {
            const bool good = is_finite(row[p]);
            row[p] = good ? row[p] : unusable;
            count[p] += good;
        }
        std::fill(row + width, row + job.width, unusable);
    }
}

// Sums of (x - median) and its square, upwards over the sorted values.
FIDUCIAL_INLINE void sum_block(const Job &job, std::size_t width, Scratch &scratch) {
    const std::int32_t *__restrict count = scratch.count.data();
    double *__restrict median = scratch.median.data();
    double *__restrict first = scratch.first.data();
    double *__restrict second = scratch.second.data();
    const std::int32_t frames = static_cast<std::int32_t>(job.stack.frames);
    const float *values = scratch.values.data();
    bool complete = true;
    for (std::size_t p = 0; p < width; ++p) {
        const std::int32_t n = count[p];
        complete &= n == frames;
        const float *low = values + p + job.width * static_cast<std::size_t>(n > 0 ? (n - 1) / 2 : 0);
        const float *high = values + p + job.width * static_cast<std::size_t>(n > 0 ? n / 2 : 0);
        median[p] = 0.5 * (static_cast<double>(*low) + static_cast<double>(*high));
        first[p] = second[p] = 0.0;
    }
    for (std::int32_t k = 0; k < frames; ++k) {
        const float *__restrict row = values + static_cast<std::size_t>(k) * job.width;
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

// The few pixels with something to reject, one by one.
FIDUCIAL_INLINE void clip_pixel(const Job &job, std::size_t p, std::size_t pixel, Scratch &scratch) {
    const std::size_t count = static_cast<std::size_t>(scratch.count[p]);
    double *column = scratch.column.data();
    for (std::size_t k = 0; k < count; ++k) column[k] = scratch.values[k * job.width + p];
    clip_column(column, count, job.kappa, job.iterations, job.out, pixel);
}

FIDUCIAL_CLONES void combine_block(const Job &job, std::size_t begin, std::size_t end, Scratch &scratch) {
    const std::size_t width = end - begin;
    gather(job, begin, width, scratch);
    sort_columns(job.network, scratch.values.data(), job.width);
    sum_block(job, width, scratch);
    for (std::size_t p = 0; p < width; ++p) {
        const std::size_t count = static_cast<std::size_t>(scratch.count[p]);
        if (count == 0) {
            store(job.out, begin + p, {undefined, undefined, undefined}, 0, 0);
            continue;
        }
        const Moments m =
            finish(scratch.median[p], scratch.first[p], scratch.second[p], static_cast<double>(count));
        const double limit = job.kappa * std::sqrt(m.variance);
        const double lowest = scratch.values[p], highest = scratch.values[(count - 1) * job.width + p];
        if (job.iterations > 0 && (m.median - lowest > limit || highest - m.median > limit)) {
            clip_pixel(job, p, begin + p, scratch);
        } else {
            store(job.out, begin + p, m, count, count);
        }
    }
}

}  // namespace

void clipped_mean(const Stack &stack, double kappa, int iterations, int threads, const Images &out) {
    // A block of all frames stays in the first cache; 32 pixels keep the vectors full.
    const std::size_t width = std::clamp<std::size_t>(4096 / stack.frames / 32 * 32, 32, 512);
    const Job job{stack, kappa * tie, iterations, out, sorting_network(stack.frames), width};
    for_each_block(stack.pixels, width, threads, [&job] {
        return [&job, scratch = Scratch(job)](std::size_t, std::size_t begin, std::size_t end) mutable {
            combine_block(job, begin, end, scratch);
        };
    });
}

}  // namespace fiducial
