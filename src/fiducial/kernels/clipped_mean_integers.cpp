#include "clipped_mean_integers.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "clipping.hpp"
#include "dispatch.hpp"
#include "parallel.hpp"
#include "sorting_network.hpp"

namespace fiducial {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
constexpr std::int16_t unusable = std::numeric_limits<std::int16_t>::max();  // sorts behind every value

struct Job {
    IntegerStack stack;
    double kappa;
    int iterations;
    Images out;
    Network network;
    std::size_t width;  // pixels of a block
};

struct Scratch {
    std::vector<std::int16_t> values;  // (frames, width): sorted along the frames
    std::vector<std::int32_t> count, first;
    std::vector<std::int32_t> centre, above, highest;  // the lower and the upper middle value, and the last
    std::vector<std::uint32_t> second;
    std::vector<double> doubtful;  // 1 or 0; as wide as what it comes from
    std::vector<double> column;

    explicit Scratch(const Job &job)
        : values(job.stack.frames * job.width),
          count(job.width),
          first(job.width),
          centre(job.width),
          above(job.width),
          highest(job.width),
          second(job.width),
          doubtful(job.width),
          column(job.stack.frames) {}
};

FIDUCIAL_INLINE void gather(const Job &job, std::size_t begin, std::size_t width, Scratch &scratch) {
    const IntegerStack &stack = job.stack;
    const std::uint16_t flip = stack.flip;
    std::int32_t *__restrict count = scratch.count.data();
    std::fill_n(count, job.width, 0);
    const std::int32_t limit = stack.limit - stack.zero;
    const bool limited = limit <= std::numeric_limits<std::int16_t>::max();
    for (std::size_t k = 0; k < stack.frames; ++k) {
        const std::uint16_t *__restrict source = stack.values + k * stack.pixels + begin;
        std::int16_t *__restrict row = scratch.values.data() + k * job.width;
        if (stack.swap) {
            for (std::size_t p = 0; p < width; ++p) {
                const auto bits = static_cast<std::uint16_t>(source[p] << 8 | source[p] >> 8);
                row[p] = static_cast<std::int16_t>(bits ^ flip);
            }
        } else {
            for (std::size_t p = 0; p < width; ++p) row[p] = static_cast<std::int16_t>(source[p] ^ flip);
        }
        if (limited) {
            const auto top = static_cast<std::int16_t>(std::max<std::int32_t>(limit, -32768));
            for (std::size_t p = 0; p < width; ++p) {
                const bool good = row[p] < top;
                row[p] = good ? row[p] : unusable;
                count[p] += good;
            }
        }
        std::fill(row + width, row + job.width, unusable);
    }
    if (!limited) std::fill_n(count, width, static_cast<std::int32_t>(stack.frames));
}

// Sums of x - centre and of its square, exact unless the square needs more than 32 bits.
FIDUCIAL_INLINE void sum_block(const Job &job, std::size_t width, Scratch &scratch) {
    const std::int32_t *__restrict count = scratch.count.data();
    std::int32_t *__restrict centre = scratch.centre.data();
    std::int32_t *__restrict first = scratch.first.data();
    std::uint32_t *__restrict second = scratch.second.data();
    const auto frames = static_cast<std::int32_t>(job.stack.frames);
    const std::int16_t *values = scratch.values.data();
    bool complete = true;
    for (std::size_t p = 0; p < width; ++p) {
        const std::int32_t n = count[p];
        complete &= n == frames;
        first[p] = 0;
        second[p] = 0;
    }
    const auto value = [&](std::size_t p, std::int32_t k) -> std::int32_t {
        return values[p + job.width * static_cast<std::size_t>(std::max(k, 0))];
    };
    if (complete) {
        for (std::size_t p = 0; p < width; ++p) centre[p] = value(p, (frames - 1) / 2);
        for (std::size_t p = 0; p < width; ++p) scratch.above[p] = value(p, frames / 2);
        for (std::size_t p = 0; p < width; ++p) scratch.highest[p] = value(p, frames - 1);
    } else {
        for (std::size_t p = 0; p < width; ++p) {
            centre[p] = value(p, (count[p] - 1) / 2);
            scratch.above[p] = value(p, count[p] / 2);
            scratch.highest[p] = value(p, count[p] - 1);
        }
    }
    for (std::int32_t k = 0; k < frames; ++k) {
        const std::int16_t *__restrict row = values + static_cast<std::size_t>(k) * job.width;
        if (complete) {
            for (std::size_t p = 0; p < width; ++p) {
                const std::int32_t d = row[p] - centre[p];
                first[p] += d;
                second[p] += static_cast<std::uint32_t>(d) * static_cast<std::uint32_t>(d);
            }
        } else {
            for (std::size_t p = 0; p < width; ++p) {
                const std::int32_t d = k < count[p] ? row[p] - centre[p] : 0;
                first[p] += d;
                second[p] += static_cast<std::uint32_t>(d) * static_cast<std::uint32_t>(d);
            }
        }
    }
}

// Means of all pixels as if nothing were clipped; pixels of which that may be wrong are noted.
FIDUCIAL_INLINE void finish_block(const Job &job, std::size_t begin, std::size_t width, Scratch &scratch) {
    const std::int16_t *__restrict values = scratch.values.data();
    const std::int32_t *__restrict counts = scratch.count.data();
    const std::int32_t *__restrict centres = scratch.centre.data();
    const std::int32_t *__restrict aboves = scratch.above.data();
    const std::int32_t *__restrict highests = scratch.highest.data();
    const std::int32_t *__restrict firsts = scratch.first.data();
    const std::uint32_t *__restrict seconds = scratch.second.data();
    double *__restrict doubtful = scratch.doubtful.data();
    const double zero = job.stack.zero;
    const double kappa2 = job.iterations > 0 ? job.kappa * job.kappa * (1.0 - 1e-9) : 1e300;
    float *__restrict mean = job.out.mean + begin;
    float *__restrict variance = job.out.variance + begin;
    for (std::size_t p = 0; p < width; ++p) {
        const double n = counts[p], centre = centres[p], first = firsts[p], second = seconds[p];
        const double shift = 0.5 * (static_cast<double>(aboves[p]) - centre);  // of the median
        const double down = centre - static_cast<double>(values[p]), up = static_cast<double>(highests[p]) - centre;
        const double square = second - first * first / n;
        const double sample = (square < 0.0 ? 0.0 : square) / (n - 1.0);
        const double a = down + shift, b = up - shift;
        const double most = a < b ? b : a, reach = down < up ? up : down;
        mean[p] = static_cast<float>(zero + (centre + first / n));
        variance[p] = static_cast<float>(sample / n);
        const double clipped = most * most > kappa2 * sample ? 1.0 : 0.0;
        const double overflow = reach * reach * n > 4294967295.0 ? 1.0 : 0.0;
        const double nothing = n < 1.0 ? 1.0 : 0.0;
        doubtful[p] = clipped + overflow + nothing;
    }
    std::copy_n(scratch.count.data(), width, job.out.used + begin);
    std::fill_n(job.out.clipped + begin, width, 0);
}

FIDUCIAL_INLINE void clip_pixel(const Job &job, std::size_t p, std::size_t pixel, Scratch &scratch) {
    const auto count = static_cast<std::size_t>(scratch.count[p]);
    if (count == 0) {
        store(job.out, pixel, {undefined, undefined, undefined}, 0, 0);
        return;
    }
    double *column = scratch.column.data();
    for (std::size_t k = 0; k < count; ++k) column[k] = job.stack.zero + scratch.values[k * job.width + p];
    clip_column(column, count, job.kappa, job.iterations, job.out, pixel);
}

FIDUCIAL_CLONES void combine_block(const Job &job, std::size_t begin, std::size_t end, Scratch &scratch) {
    const std::size_t width = end - begin;
    gather(job, begin, width, scratch);
    sort_columns(job.network, scratch.values.data(), job.width);
    sum_block(job, width, scratch);
    finish_block(job, begin, width, scratch);
    for (std::size_t p = 0; p < width; ++p) {
        if (scratch.doubtful[p] != 0.0) clip_pixel(job, p, begin + p, scratch);
    }
}

}  // namespace

void clipped_mean(const IntegerStack &stack, double kappa, int iterations, int threads, const Images &out) {
    // A block of all frames stays in the first cache; 64 pixels keep the vectors full.
    const std::size_t width = std::clamp<std::size_t>(8192 / stack.frames / 64 * 64, 64, 512);
    const Job job{stack, kappa * tie, iterations, out, sorting_network(stack.frames), width};
    for_each_block(stack.pixels, width, threads, [&job] {
        return [&job, scratch = Scratch(job)](std::size_t, std::size_t begin, std::size_t end) mutable {
            combine_block(job, begin, end, scratch);
        };
    });
}

}  // namespace fiducial
