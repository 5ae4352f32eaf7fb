#include "clipped_mean_integers.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "dispatch.hpp"
#include "integer_block.hpp"
#include "parallel.hpp"
#include "sorting_network.hpp"

namespace fiducial {
namespace {

constexpr float undefined = std::numeric_limits<float>::quiet_NaN();
constexpr std::int16_t unusable = std::numeric_limits<std::int16_t>::max();  // sorts behind every value
constexpr std::size_t sorted_at_a_time = 32;
constexpr std::size_t most_narrow = 256;    // frames whose sums single precision holds exactly
constexpr std::size_t most_counted = 32767;  // frames that are counted in 16 bits

struct Job {
    IntegerStack stack;
    double kappa;
    int iterations;
    bool swap_mean;
    Images out;
    Network network;
    std::size_t width;  // pixels of a block
    std::int32_t top;   // stored numbers from here on are not used
};

struct Scratch {
    IntegerBlock block;
    std::vector<float> mean, variance;
    std::vector<std::int16_t> sorted;  // (frames, sorted_at_a_time)
    std::vector<std::uint32_t> doubtful;

    explicit Scratch(const Job &job)
        : block(job.stack.frames, job.width), mean(job.width), variance(job.width),
          sorted(job.stack.frames * sorted_at_a_time) {
        doubtful.reserve(job.width);
    }
};

FIDUCIAL_INLINE void gather(const Job &job, std::size_t begin, std::size_t width, IntegerBlock &block) {
    const IntegerStack &stack = job.stack;
    const std::uint16_t flip = stack.flip;
    for (std::size_t k = 0; k < stack.frames; ++k) {
        const std::uint16_t *__restrict source = stack.values + k * stack.pixels + begin;
        std::int16_t *__restrict row = block.values.data() + k * block.width;
        if (stack.swap) {
            FIDUCIAL_INDEPENDENT
            for (std::size_t p = 0; p < width; ++p) {
                const auto bits = static_cast<std::uint16_t>(source[p] << 8 | source[p] >> 8);
                row[p] = static_cast<std::int16_t>(bits ^ flip);
            }
        } else {
            for (std::size_t p = 0; p < width; ++p) row[p] = static_cast<std::int16_t>(source[p] ^ flip);
        }
        std::fill(row + width, row + block.width, 0);
    }
}

// The largest range of n values whose squares' sum is exact, in the narrow or the wide form.
std::int32_t largest_range(double n, double most) { return static_cast<std::int32_t>(std::sqrt(most / n)); }

// Means as if nothing were clipped, and what the median has to lie between for that to be so.
//
// Real is float for narrow sums of up to 256 frames: all integers here are below 2^24 then.
template <class Real, class First, class Second>
FIDUCIAL_INLINE std::int32_t finish_sums(const Job &job, const First *__restrict firsts,
                                         const Second *__restrict seconds, std::int32_t most_range, Scratch &s) {
    using Sum = std::conditional_t<std::is_same_v<Real, float>, std::int32_t, double>;
    const std::int16_t *__restrict pivots = s.block.values.data();
    const std::int16_t *__restrict lowest = s.block.lowest.data();
    const std::int16_t *__restrict highest = s.block.highest.data();
    std::int16_t *__restrict floor = s.block.floor.data();
    std::int16_t *__restrict ceiling = s.block.ceiling.data();
    std::int32_t *__restrict doubtful = s.block.doubtful.data();
    float *__restrict mean = s.mean.data();
    float *__restrict variance = s.variance.data();
    const auto count = static_cast<std::int32_t>(job.stack.frames);
    const Sum n = static_cast<Sum>(count);
    const Real number = static_cast<Real>(count), freedom = number * (number - Real(1));
    const Real whole = number * freedom;
    // A little less than kappa s, for what rounding does to it.
    const Real reach = job.iterations > 0 ? static_cast<Real>(job.kappa * (1.0 - 1e-6)) : Real(1e6);
    const Sum zero = static_cast<Sum>(job.stack.zero);
    const std::int32_t top = job.top;
    std::int32_t exceeding = 0;
    FIDUCIAL_INDEPENDENT
    for (std::size_t p = 0; p < s.block.width; ++p) {
        const auto first = static_cast<Sum>(firsts[p]);
        const auto second = static_cast<Sum>(seconds[p]);
        const Real total = static_cast<Real>(n * (static_cast<Sum>(pivots[p]) + zero) + first);
        const Real squares = static_cast<Real>(n * second - first * first);
        mean[p] = static_cast<float>(total / number);
        variance[p] = static_cast<float>(squares / whole);
        const std::int32_t low = lowest[p], high = highest[p];
        const Real clipped = reach * std::sqrt((squares > Real(0) ? squares : Real(0)) / freedom);
        const auto within = static_cast<std::int32_t>(clipped < Real(65535) ? clipped : Real(65535));
        const std::int32_t least = high - within, most = low + within;
        floor[p] = static_cast<std::int16_t>(least < -32768 ? -32768 : least);
        ceiling[p] = static_cast<std::int16_t>(most > 32767 ? 32767 : most);
        const std::int32_t exceeds = high - low > most_range;
        doubtful[p] = exceeds | static_cast<std::int32_t>(high >= top);
        exceeding += exceeds;
    }
    return exceeding;
}

FIDUCIAL_INLINE void finish_block(const Job &job, Scratch &s) {
    const double n = static_cast<double>(job.stack.frames);
    sum_narrow(s.block);
    // Where the squares' sum is exact, that of x - x0 fits into 15 bits and a sign.
    const auto *firsts = reinterpret_cast<const std::int16_t *>(s.block.first.data());
    if (job.stack.frames <= most_narrow && std::abs(job.stack.zero) <= 32768) {
        const auto exceeding =
            finish_sums<float>(job, firsts, s.block.second.data(), largest_range(n, 65535.0), s);
        if (exceeding <= static_cast<std::int32_t>(s.block.width / 8)) return;
    }
    sum_wide(s.block);
    finish_sums<double>(job, s.block.wide_first.data(), s.block.wide_second.data(),
                        largest_range(n, 4294967295.0), s);
}

struct Exact {
    std::int64_t first = 0, second = 0;  // of x - base
    std::int64_t n = 0;

    FIDUCIAL_INLINE void take(std::int64_t d, std::int64_t sign) {
        first += sign * d;
        second += sign * d * d;
        n += sign;
    }
    // n^2 times the population variance; no more than rounded where it has more than 53 bits.
    FIDUCIAL_INLINE double squares() const {
        const double number = static_cast<double>(n), sum = static_cast<double>(first);
        const double found = number * static_cast<double>(second) - sum * sum;
        return found > 0.0 ? found : 0.0;
    }
};

// `column` holds the usable values, rising, a row apart.
FIDUCIAL_INLINE void clip_sorted(const Job &job, const std::int16_t *column, std::size_t count, std::size_t pixel,
                                 float &mean) {
    const Images &out = job.out;
    const auto value = [&](std::size_t k) -> std::int64_t { return column[k * sorted_at_a_time]; };
    const std::int64_t base = count > 0 ? value((count - 1) / 2) : 0;
    Exact sums;
    for (std::size_t k = 0; k < count; ++k) sums.take(value(k) - base, 1);
    std::size_t low = 0, high = count;
    for (int round = 0; round < job.iterations && high > low; ++round) {
        const std::size_t m = high - low;
        const std::int64_t centre = value(low + (m - 1) / 2) + value(low + m / 2);  // twice the median
        // (2 (x - median))^2 n (n - 1) against (2 kappa)^2 n^2 times the population variance
        const double number = static_cast<double>(m), freedom = number * (number - 1.0);
        const double limit = 4.0 * job.kappa * job.kappa * sums.squares();
        const auto beyond = [&](std::int64_t twice) {
            const double d = static_cast<double>(twice);
            return d > 0.0 && d * d * freedom > limit;
        };
        const std::size_t from = low, to = high;
        while (low + 1 < to && beyond(centre - 2 * value(low))) sums.take(value(low++) - base, -1);
        while (high > low + 1 && beyond(2 * value(high - 1) - centre)) sums.take(value(--high) - base, -1);
        if (from == low && to == high) break;
    }
    const double n = static_cast<double>(sums.n);
    const double total = n * static_cast<double>(base + job.stack.zero) + static_cast<double>(sums.first);
    mean = count > 0 ? static_cast<float>(total / n) : undefined;
    if (out.variance) {
        const bool known = sums.n > 1;
        out.variance[pixel] = known ? static_cast<float>(sums.squares() / (n * n * (n - 1.0))) : undefined;
    }
    if (out.used) out.used[pixel] = static_cast<std::int32_t>(sums.n);
    if (out.clipped) out.clipped[pixel] = static_cast<std::int32_t>(count) - static_cast<std::int32_t>(sums.n);
}

// Pixels of which nothing is proven: sorted side by side, then clipped one by one.
FIDUCIAL_INLINE void clip_doubtful(const Job &job, std::size_t begin, Scratch &s) {
    const std::size_t frames = job.stack.frames;
    std::int32_t counts[sorted_at_a_time];
    for (std::size_t done = 0; done < s.doubtful.size(); done += sorted_at_a_time) {
        const std::size_t some = std::min(sorted_at_a_time, s.doubtful.size() - done);
        const std::uint32_t *places = s.doubtful.data() + done;
        std::fill_n(counts, sorted_at_a_time, 0);
        for (std::size_t k = 0; k < frames; ++k) {
            const std::int16_t *row = s.block.values.data() + k * s.block.width;
            std::int16_t *target = s.sorted.data() + k * sorted_at_a_time;
            for (std::size_t i = 0; i < some; ++i) {
                const std::int16_t x = row[places[i]];
                const bool good = x < job.top;
                target[i] = good ? x : unusable;
                counts[i] += good;
            }
        }
        sort_columns(job.network, s.sorted.data(), sorted_at_a_time);
        for (std::size_t i = 0; i < some; ++i) {
            clip_sorted(job, s.sorted.data() + i, static_cast<std::size_t>(counts[i]), begin + places[i],
                        s.mean[places[i]]);
        }
    }
}

FIDUCIAL_INLINE void find_doubtful(const Job &job, std::size_t width, Scratch &s) {
    std::int32_t *__restrict doubtful = s.block.doubtful.data();
    if (job.iterations > 0) {
        const std::int16_t *__restrict below = s.block.below.data();
        const std::int16_t *__restrict above = s.block.above.data();
        const auto half = static_cast<std::int32_t>((job.stack.frames - 1) / 2);
        count_beyond(s.block);
        FIDUCIAL_INDEPENDENT
        for (std::size_t p = 0; p < s.block.width; ++p) {
            doubtful[p] |= static_cast<std::int32_t>(below[p] > half) | static_cast<std::int32_t>(above[p] > half);
        }
    }
    s.doubtful.clear();
    for (std::size_t p = 0; p < width; ++p) {
        if (doubtful[p] || job.stack.frames > most_counted) s.doubtful.push_back(static_cast<std::uint32_t>(p));
    }
}

FIDUCIAL_INLINE void store_mean(const Job &job, std::size_t begin, std::size_t width, const Scratch &s) {
    if (!job.swap_mean) {
        std::copy_n(s.mean.data(), width, job.out.mean + begin);
        return;
    }
    FIDUCIAL_INDEPENDENT
    for (std::size_t p = 0; p < width; ++p) {
        const auto bits = std::bit_cast<std::uint32_t>(s.mean[p]);
        const auto turned = bits << 24 | (bits & 0xff00u) << 8 | (bits >> 8 & 0xff00u) | bits >> 24;
        job.out.mean[begin + p] = std::bit_cast<float>(turned);
    }
}

FIDUCIAL_CLONES void combine_block(const Job &job, std::size_t begin, std::size_t end, Scratch &s) {
    const std::size_t width = end - begin;
    gather(job, begin, width, s.block);
    finish_block(job, s);
    find_doubtful(job, width, s);
    const auto frames = static_cast<std::int32_t>(job.stack.frames);
    if (job.out.variance) std::copy_n(s.variance.data(), width, job.out.variance + begin);
    if (job.out.used) std::fill_n(job.out.used + begin, width, frames);
    if (job.out.clipped) std::fill_n(job.out.clipped + begin, width, 0);
    clip_doubtful(job, begin, s);
    store_mean(job, begin, width, s);
}

}  // namespace

void clipped_mean(const IntegerStack &stack, double kappa, int iterations, int threads, bool swap_mean,
                  const Images &out) {
    // A block of all frames stays in the first cache; 64 pixels keep the vectors full.
    const std::size_t width = std::clamp<std::size_t>(12288 / stack.frames / 64 * 64, 64, 1024);
    const Job job{stack, kappa * tie, iterations, swap_mean, out, sorting_network(stack.frames), width,
                  stack.limit - stack.zero};
    for_each_block(stack.pixels, width, threads, [&job] {
        return [&job, scratch = Scratch(job)](std::size_t, std::size_t begin, std::size_t end) mutable {
            combine_block(job, begin, end, scratch);
        };
    });
}

}  // namespace fiducial
