#include "row_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "dispatch.hpp"
#include "parallel.hpp"
#include "stack.hpp"

namespace fiducial {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t start_size = 1024;     // values enough to start a clipped sigma
constexpr std::size_t clip_size = 32768;     // values enough to clip by
constexpr int most_rounds = 20;

struct Job {
    Overscan overscan;
    const std::int64_t *bounds;
    double kappa, truncation;
    RowStatistics out;
};

struct Scratch {
    std::vector<double> row, residual, sample;
};

// Linear interpolation between order statistics (Hyndman & Fan 1996, definition 7).
double quantile(std::vector<double> &values, double q) {
    const double place = q * static_cast<double>(values.size() - 1);
    const auto low = static_cast<std::size_t>(place);
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(low), values.end());
    const double a = values[low];
    if (low + 1 == values.size()) return a;
    const double b = *std::min_element(values.begin() + static_cast<std::ptrdiff_t>(low) + 1, values.end());
    return a + (b - a) * (place - static_cast<double>(low));
}

struct Bulk {
    double centre, sigma;
};

Bulk start(const std::vector<double> &values, std::vector<double> &sample) {
    sample.clear();
    const std::size_t step = (values.size() / start_size) | 1;
    for (std::size_t i = 0; i < values.size(); i += step) sample.push_back(values[i]);
    const double low = quantile(sample, 0.158655), middle = quantile(sample, 0.5), high = quantile(sample, 0.841345);
    if (high > low) return {middle, 0.5 * (high - low)};
    double first = 0.0, second = 0.0;
    for (const double value : values) {
        const double d = value - middle;
        first += d;
        second += d * d;
    }
    const double n = static_cast<double>(values.size());
    return {middle, std::sqrt(std::max(second / n - first / n * (first / n), 0.0))};
}

struct Sums {
    double number, first, second;
};

// Of the values within the limit of the centre; four running sums each, added in a stated order.
FIDUCIAL_CLONES Sums sums_within(const double *values, std::size_t size, double centre, double limit) {
    double number[4] = {}, first[4] = {}, second[4] = {};
    const std::size_t whole = size / 4 * 4;
    const auto add = [&](std::size_t i, std::size_t k) {
        const double d = values[i] - centre;
        const double in = std::fabs(d) <= limit ? 1.0 : 0.0;
        number[k] += in;
        first[k] += in * d;
        second[k] += in * d * d;
    };
    for (std::size_t i = 0; i < whole; i += 4) {
        for (std::size_t k = 0; k < 4; ++k) add(i + k, k);
    }
    for (std::size_t i = whole; i < size; ++i) add(i, i - whole);
    return {(number[0] + number[1]) + (number[2] + number[3]), (first[0] + first[1]) + (first[2] + first[3]),
            (second[0] + second[1]) + (second[2] + second[3])};
}

// The sigma of `algorithms.statistics.clipped_mean`; the values are finite. Once out, a value may come
// back in: only its distance from the centre counts.
double clipped_sigma(const Job &job, Scratch &scratch) {
    const std::vector<double> &values = scratch.residual;
    if (values.size() < 2) return undefined;
    Bulk bulk = start(values, scratch.sample);
    double last = -1.0;
    for (int round = 0; round < most_rounds; ++round) {
        const Sums s = sums_within(values.data(), values.size(), bulk.centre, job.kappa * bulk.sigma * tie);
        if (s.number == last || s.number < 2.0) break;
        last = s.number;
        const double variance = std::max(s.second - s.first * s.first / s.number, 0.0) / (s.number - 1.0);
        bulk = {bulk.centre + s.first / s.number, std::sqrt(variance / job.truncation)};
    }
    return bulk.sigma;
}

void find_medians(const Job &job, std::size_t begin, std::size_t end, Scratch &scratch) {
    const std::size_t columns = job.overscan.columns;
    for (std::size_t y = begin; y < end; ++y) {
        const double *values = job.overscan.values + y * columns;
        scratch.row.clear();
        for (std::size_t x = 0; x < columns; ++x) {
            if (is_finite(values[x])) scratch.row.push_back(values[x]);
        }
        job.out.count[y] = static_cast<std::int32_t>(scratch.row.size());
        job.out.median[y] = scratch.row.empty() ? undefined : quantile(scratch.row, 0.5);
    }
}

// Adds (value - centre) / sqrt(spread) of a row's usable values.
void add_residuals(const Job &job, std::size_t y, double centre, double spread, std::vector<double> &out) {
    if (!(spread > 1e-9)) return;
    const double *values = job.overscan.values + y * job.overscan.columns;
    const double scale = 1.0 / std::sqrt(spread);
    for (std::size_t x = 0; x < job.overscan.columns; ++x) {
        if (is_finite(values[x])) out.push_back((values[x] - centre) * scale);
    }
}

double noise_about_medians(const Job &job, std::size_t begin, std::size_t end, Scratch &scratch) {
    const std::size_t step = std::max<std::size_t>((end - begin) * job.overscan.columns / clip_size, 1);
    scratch.residual.clear();
    for (std::size_t y = begin; y < end; y += step) {
        const auto n = static_cast<std::size_t>(job.out.count[y]);
        add_residuals(job, y, job.out.median[y], job.overscan.about_median[n], scratch.residual);
    }
    return clipped_sigma(job, scratch);
}

void find_mean(const Job &job, std::size_t y, double limit) {
    const double *values = job.overscan.values + y * job.overscan.columns;
    const double median = job.out.median[y];
    double sum = 0.0;
    std::int32_t kept = 0;
    for (std::size_t x = 0; x < job.overscan.columns; ++x) {
        const double d = values[x] - median;
        if (!(std::fabs(d) <= limit)) continue;
        sum += d;
        ++kept;
    }
    job.out.kept[y] = kept;
    job.out.mean[y] = kept > 0 ? median + sum / kept : undefined;
}

void do_block(const Job &job, std::size_t block, Scratch &scratch) {
    const auto begin = static_cast<std::size_t>(job.bounds[block]);
    const auto end = static_cast<std::size_t>(job.bounds[block + 1]);
    find_medians(job, begin, end, scratch);
    const double about_medians = noise_about_medians(job, begin, end, scratch);
    const double limit =
        is_finite(about_medians) ? job.kappa * about_medians * tie : std::numeric_limits<double>::max();
    scratch.residual.clear();
    for (std::size_t y = begin; y < end; ++y) {
        find_mean(job, y, limit);
        add_residuals(job, y, job.out.mean[y], 1.0 - 1.0 / job.out.kept[y], scratch.residual);
    }
    job.out.noise[block] = clipped_sigma(job, scratch);
}

}  // namespace

void row_statistics(const Overscan &overscan, const std::int64_t *bounds, std::size_t blocks, double kappa,
                    double truncation, int threads, const RowStatistics &out) {
    const Job job{overscan, bounds, kappa, truncation, out};
    for_each_block(blocks, 1, threads, [&job] {
        return [&job, scratch = Scratch()](std::size_t block, std::size_t, std::size_t) mutable {
            do_block(job, block, scratch);
        };
    });
}

}  // namespace fiducial
