#include "weighted_mean.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "dispatch.hpp"
#include "parallel.hpp"

namespace fiducial {
namespace {

constexpr std::size_t width = 64;           // pixels of a block
constexpr std::size_t most_candidates = 32;  // values from which a mean may start
constexpr double least_freedom = 1e-6;       // 1 - w / sum(w) of a frame that carries all weight
constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

struct Job {
    Stack stack;
    Variances variances;
    double kappa;
    int iterations;
    Images out;

    // Variance of the rate of frame k for each unit of rate; 0 where variances are given.
    double per_rate(std::size_t k) const {
        return variances.read ? 1.0 / (stack.divisor[k] * variances.gain) : 0.0;
    }
};

struct Scratch {
    std::vector<double> value, weight;                // (frames, width); weight 0: not usable
    std::vector<double> total, moment, mean, doubt;   // (width,)
    std::vector<std::int32_t> count;                  // (width,)
    std::vector<double> column, variance, per_rate;   // of one pixel, upwards by value
    std::vector<std::size_t> frame, candidate;
    std::vector<unsigned char> kept, next;

    explicit Scratch(std::size_t n)
        : value(n * width), weight(n * width), total(width), moment(width), mean(width), doubt(width),
          count(width), column(n), variance(n), per_rate(n), frame(n), kept(n), next(n) {
        candidate.reserve(most_candidates);
    }
};

// The values, and their weights without signal.
FIDUCIAL_INLINE void gather(const Job &job, std::size_t begin, std::size_t n, Scratch &scratch) {
    const Stack &stack = job.stack;
    const Variances &variances = job.variances;
    std::int32_t *__restrict count = scratch.count.data();
    std::fill_n(count, width, 0);
    for (std::size_t k = 0; k < stack.frames; ++k) {
        const std::size_t offset = k * stack.pixels + begin;
        const float *__restrict source = stack.values + offset;
        double *__restrict value = scratch.value.data() + k * width;
        double *__restrict weight = scratch.weight.data() + k * width;
        const double divisor = stack.divisor ? stack.divisor[k] : 1.0;
        if (variances.of_pixels) {
            const float *__restrict known = variances.of_pixels + offset;
            for (std::size_t p = 0; p < n; ++p) weight[p] = divisor * divisor / static_cast<double>(known[p]);
        } else {
            const double known = variances.read ? variances.read[k] : variances.of_frames[k];
            for (std::size_t p = 0; p < n; ++p) weight[p] = divisor * divisor / known;
        }
        if (stack.usable) {
            const std::uint8_t *__restrict usable = stack.usable + offset;
            for (std::size_t p = 0; p < n; ++p) weight[p] = usable[p] ? weight[p] : 0.0;
        }
        for (std::size_t p = 0; p < n; ++p) {
            const double v = static_cast<double>(source[p]) / divisor;
            const bool good = is_finite(v) && is_finite(weight[p]) && weight[p] > 0.0;
            value[p] = good ? v : 0.0;
            weight[p] = good ? weight[p] : 0.0;
            count[p] += good;
        }
    }
}

FIDUCIAL_INLINE void mean_block(const Job &job, std::size_t n, bool signal, Scratch &scratch) {
    double *__restrict total = scratch.total.data();
    double *__restrict moment = scratch.moment.data();
    double *__restrict mean = scratch.mean.data();
    std::fill_n(total, width, 0.0);
    std::fill_n(moment, width, 0.0);
    for (std::size_t k = 0; k < job.stack.frames; ++k) {
        const double *__restrict value = scratch.value.data() + k * width;
        const double *__restrict weight = scratch.weight.data() + k * width;
        if (signal) {
            const double per_rate = job.per_rate(k);
            for (std::size_t p = 0; p < n; ++p) {
                // 1 / (1/w + s), which is 0 for a weight of 0.
                const double rate = mean[p] > 0.0 ? mean[p] : 0.0;
                const double w = weight[p] / (1.0 + weight[p] * (rate * per_rate));
                total[p] += w;
                moment[p] += w * value[p];
            }
        } else {
            for (std::size_t p = 0; p < n; ++p) {
                total[p] += weight[p];
                moment[p] += weight[p] * value[p];
            }
        }
    }
    for (std::size_t p = 0; p < n; ++p) mean[p] = moment[p] / total[p];
}

// Whether a value deviates from the mean of the others by more than kappa expected sigmas, as an excess
// above zero. The mean with all and the residual r give the mean without it: mean - r h / (1 - h) with
// its share h of the weight.
struct Judgement {
    double limit;     // kappa^2
    double per_rate;  // variance of a dark's rate for each unit of rate; 0 where variances are given

    FIDUCIAL_INLINE double excess(double r, double mean, double total_variance, double variance,
                                  double without_signal) const {
        double free = 1.0 - total_variance / variance;
        free = free > least_freedom ? free : least_freedom;
        const double others = mean - r * (1.0 - free) / free;
        const double expected = without_signal + (others > 0.0 ? others : 0.0) * per_rate;
        const double deviation = r / free;
        return deviation * deviation - limit * (expected + total_variance / free);
    }
};

FIDUCIAL_INLINE void doubt_block(const Job &job, std::size_t n, Scratch &scratch) {
    const double *__restrict total = scratch.total.data();
    const double *__restrict mean = scratch.mean.data();
    double *__restrict doubt = scratch.doubt.data();
    std::fill_n(doubt, width, -1.0);
    for (std::size_t k = 0; k < job.stack.frames; ++k) {
        const double *__restrict value = scratch.value.data() + k * width;
        const double *__restrict weight = scratch.weight.data() + k * width;
        const Judgement judge{job.kappa * job.kappa, job.per_rate(k)};
        for (std::size_t p = 0; p < n; ++p) {
            const double bare = 1.0 / weight[p];
            const double variance = bare + (mean[p] > 0.0 ? mean[p] : 0.0) * judge.per_rate;
            const double excess = judge.excess(value[p] - mean[p], mean[p], 1.0 / total[p], variance, bare);
            doubt[p] = weight[p] > 0.0 && excess > doubt[p] ? excess : doubt[p];
        }
    }
}

// One pixel whose frames disagree, its usable values sorted upwards.
class Pixel {
public:
    Pixel(const Job &job, std::size_t p, Scratch &scratch) : job_(job), s_(scratch), n_(0) {
        for (std::size_t k = 0; k < job.stack.frames; ++k) {
            if (scratch.weight[k * width + p] > 0.0) scratch.frame[n_++] = k;
        }
        const auto value = [&](std::size_t k) { return scratch.value[k * width + p]; };
        const auto weight = [&](std::size_t k) { return scratch.weight[k * width + p]; };
        std::sort(scratch.frame.begin(), scratch.frame.begin() + static_cast<std::ptrdiff_t>(n_),
                  [&](std::size_t a, std::size_t b) {
                      if (value(a) != value(b)) return value(a) < value(b);
                      return weight(a) != weight(b) ? weight(a) < weight(b) : a < b;
                  });
        for (std::size_t i = 0; i < n_; ++i) {
            const std::size_t k = scratch.frame[i];
            s_.column[i] = value(k);
            s_.variance[i] = 1.0 / weight(k);
            s_.per_rate[i] = job.per_rate(k);
        }
    }

    void combine(std::size_t pixel) {
        start();
        for (int round = 0; round < job_.iterations; ++round) {
            mean_of_kept();
            bool changed = false, any = false;
            for (std::size_t i = 0; i < n_; ++i) {
                s_.next[i] = !deviates(i);
                changed |= s_.next[i] != s_.kept[i];
                any |= s_.next[i] != 0;
            }
            if (!changed || !any) break;
            std::swap(s_.kept, s_.next);
        }
        mean_of_kept();
        const std::int32_t used = static_cast<std::int32_t>(
            std::count(s_.kept.begin(), s_.kept.begin() + static_cast<std::ptrdiff_t>(n_), 1));
        job_.out.mean[pixel] = static_cast<float>(mean_);
        job_.out.variance[pixel] = static_cast<float>(mean_variance_);
        job_.out.used[pixel] = used;
        job_.out.clipped[pixel] = static_cast<std::int32_t>(n_) - used;
    }

private:
    double variance(std::size_t i, double rate) const {
        return s_.variance[i] + (rate > 0.0 ? rate : 0.0) * s_.per_rate[i];
    }

    // From the mean of the other values kept.
    bool deviates(std::size_t i) const {
        const double r = s_.column[i] - mean_, limit = job_.kappa * job_.kappa;
        if (!s_.kept[i]) return r * r > limit * (variance(i, mean_) + mean_variance_);
        const Judgement judge{limit, s_.per_rate[i]};
        return judge.excess(r, mean_, mean_variance_, variance(i, mean_), s_.variance[i]) > 0.0;
    }

    // All values where they are few, else those at even steps of cumulated 1 / sigma.
    void find_candidates() {
        s_.candidate.clear();
        if (n_ <= most_candidates) {
            for (std::size_t i = 0; i < n_; ++i) s_.candidate.push_back(i);
            return;
        }
        double total = 0.0, sum = 0.0;
        for (std::size_t i = 0; i < n_; ++i) total += 1.0 / std::sqrt(s_.variance[i]);
        const double step = total / most_candidates;
        for (std::size_t i = 0; i < n_; ++i) {
            sum += 1.0 / std::sqrt(s_.variance[i]);
            const double wanted = (static_cast<double>(s_.candidate.size()) + 0.5) * step;
            if (sum >= wanted && s_.candidate.size() < most_candidates) s_.candidate.push_back(i);
        }
    }

    // The value with the least sum of min(z^2, kappa^2), and the frames that agree with it.
    void start() {
        find_candidates();
        const double limit = job_.kappa * job_.kappa;
        double least = std::numeric_limits<double>::infinity();
        std::size_t best = 0;
        for (const std::size_t j : s_.candidate) {
            double cost = 0.0;
            for (std::size_t i = 0; i < n_; ++i) {
                const double r = s_.column[i] - s_.column[j];
                cost += std::min(r * r / variance(i, s_.column[j]), limit);
            }
            if (cost < least) {
                least = cost;
                best = j;
            }
        }
        mean_ = s_.column[best];
        for (std::size_t i = 0; i < n_; ++i) {
            const double r = s_.column[i] - mean_;
            s_.kept[i] = r * r <= limit * variance(i, mean_);
        }
    }

    void mean_of_kept() {
        double total = 0.0, moment = 0.0;
        for (std::size_t i = 0; i < n_; ++i) {
            if (!s_.kept[i]) continue;
            const double w = 1.0 / variance(i, mean_);
            total += w;
            moment += w * s_.column[i];
        }
        mean_ = moment / total;
        mean_variance_ = 1.0 / total;
    }

    const Job &job_;
    Scratch &s_;
    std::size_t n_;
    double mean_ = undefined;
    double mean_variance_ = undefined;
};

FIDUCIAL_CLONES void combine_block(const Job &job, std::size_t begin, std::size_t end, Scratch &scratch) {
    const std::size_t n = end - begin;
    gather(job, begin, n, scratch);
    mean_block(job, n, false, scratch);
    if (job.variances.read) {  // weights follow the rate
        mean_block(job, n, true, scratch);
        mean_block(job, n, true, scratch);
    }
    doubt_block(job, n, scratch);
    for (std::size_t p = 0; p < n; ++p) {
        if (job.iterations > 0 && scratch.doubt[p] > 0.0) continue;
        const bool any = scratch.count[p] > 0;
        job.out.mean[begin + p] = static_cast<float>(any ? scratch.mean[p] : undefined);
        job.out.variance[begin + p] = static_cast<float>(any ? 1.0 / scratch.total[p] : undefined);
        job.out.used[begin + p] = scratch.count[p];
        job.out.clipped[begin + p] = 0;
    }
}

}  // namespace

void weighted_mean(const Stack &stack, const Variances &variances, double kappa, int iterations, int threads,
                   const Images &out) {
    const Job job{stack, variances, kappa * tie, iterations, out};
    for_each_block(stack.pixels, width, threads, [&job] {
        return [&job, scratch = Scratch(job.stack.frames)](std::size_t, std::size_t begin, std::size_t end) mutable {
            combine_block(job, begin, end, scratch);
            if (job.iterations == 0) return;
            for (std::size_t p = 0; p < end - begin; ++p) {
                if (scratch.doubt[p] > 0.0) Pixel(job, p, scratch).combine(begin + p);
            }
        };
    });
}

}  // namespace fiducial
