#include "lag_integers.hpp"

#include <algorithm>
#include <limits>

#include "lag_rows.hpp"
#include "parallel.hpp"

namespace fiducial {
namespace {

constexpr std::size_t rows_of_block = 32;
constexpr std::size_t few = 64;  // at most one bad pixel in so many: they are counted one by one

using Integers = LagRows<std::int16_t>;

// Sums of products of 16-bit integers: 32 bits wide over `run` products, then 64. Exact, in any order.
struct IntegerProducts {
    std::size_t run;

    template <std::size_t G>
    FIDUCIAL_INLINE void sum(const std::int16_t *row, const std::int16_t *const *below, std::size_t n,
                             std::int64_t *sums, std::size_t stride) const {
        const std::int16_t *rows[G];
        for (std::size_t g = 0; g < G; ++g) rows[g] = below[g];
        for (std::size_t begin = 0; begin < n; begin += run) {
            const std::size_t end = std::min(n, begin + run);
            std::int32_t part[G] = {};
            for (std::size_t x = begin; x < end; ++x) {
                for (std::size_t g = 0; g < G; ++g) {
                    part[g] += static_cast<std::int32_t>(row[x]) * static_cast<std::int32_t>(rows[g][x]);
                }
            }
            for (std::size_t g = 0; g < G; ++g) sums[g * stride] += part[g];
        }
    }
};

FIDUCIAL_CLONES void sum_rows(const IntegerProducts &products, const Integers &image, std::size_t begin,
                              std::size_t end, std::int64_t *sums) {
    sum_lag_rows(products, image, begin, end, sums);
}

void sum_image(const std::int16_t *first, const std::int16_t *second, const LagIntegers &image, std::int32_t largest,
               std::size_t lag, bool left, int threads, std::int64_t *sums) {
    const std::int64_t square = std::max<std::int64_t>(1, static_cast<std::int64_t>(largest) * largest);
    const IntegerProducts products{static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max() / square)};
    const std::vector<std::int16_t> zeros(image.columns, 0);
    const Integers rows{first, second, zeros.data(), image.rows, image.columns, lag, left};
    const std::size_t size = (lag + 1) * (2 * lag + 1);
    const std::size_t blocks = (image.rows + rows_of_block - 1) / rows_of_block;
    std::vector<std::int64_t> partial(blocks * size, 0);
    for_each_block(image.rows, rows_of_block, threads, [&] {
        return [&](std::size_t block, std::size_t begin, std::size_t end) {
            sum_rows(products, rows, begin, end, partial.data() + block * size);
        };
    });
    add_blocks(partial, lag, sums);
}

// Calls at(index, dy, dx) for every lag that is wanted and leaves a pair in the image.
template <class At>
void for_each_lag(std::size_t rows, std::size_t columns, std::size_t lag, bool left, At at) {
    const auto most = static_cast<std::ptrdiff_t>(std::min(lag, columns - 1));
    const std::size_t lags = 2 * lag + 1;
    for (std::size_t dy = 0; dy <= lag && dy < rows; ++dy) {
        for (std::ptrdiff_t dx = left ? -most : 0; dx <= most; ++dx) {
            at(dy * lags + lag + static_cast<std::size_t>(dx), static_cast<std::ptrdiff_t>(dy), dx);
        }
    }
}

std::vector<std::uint8_t> map_of(const std::vector<Place> &bad, std::size_t rows, std::size_t columns) {
    std::vector<std::uint8_t> map(rows * columns, 0);
    for (const Place place : bad) map[place.y * columns + place.x] = 1;
    return map;
}

bool inside(std::ptrdiff_t y, std::ptrdiff_t x, std::size_t rows, std::size_t columns) {
    return y >= 0 && x >= 0 && y < static_cast<std::ptrdiff_t>(rows) && x < static_cast<std::ptrdiff_t>(columns);
}

// A pair is lost for each bad pixel that has a partner in the image, on either side; not twice if both are bad.
void counts_by_place(std::size_t rows, std::size_t columns, const std::vector<Place> &bad, std::size_t lag, bool left,
                     std::int64_t *counts) {
    const auto map = bad.empty() ? std::vector<std::uint8_t>{} : map_of(bad, rows, columns);
    for_each_lag(rows, columns, lag, left, [&](std::size_t i, std::ptrdiff_t dy, std::ptrdiff_t dx) {
        const std::size_t shift = static_cast<std::size_t>(dx < 0 ? -dx : dx);
        counts[i] = static_cast<std::int64_t>((rows - static_cast<std::size_t>(dy)) * (columns - shift));
        for (const Place place : bad) {
            const std::ptrdiff_t y = place.y, x = place.x;
            if (inside(y + dy, x + dx, rows, columns)) {
                counts[i] -= 1 - map[static_cast<std::size_t>(y + dy) * columns + static_cast<std::size_t>(x + dx)];
            }
            counts[i] -= inside(y - dy, x - dx, rows, columns);
        }
    });
}

// Sums of rows' values without the first and the last few, as they are wanted for a shift.
struct RowSums {
    std::vector<std::int64_t> total;  // (rows,)
    const LagIntegers &image;

    explicit RowSums(const LagIntegers &of) : total(of.rows), image(of) {
        for (std::size_t y = 0; y < of.rows; ++y) {
            const std::int16_t *row = of.values + y * of.columns;
            std::int64_t sum = 0;
            for (std::size_t x = 0; x < of.columns; ++x) sum += row[x];
            total[y] = sum;
        }
    }

    std::int64_t without_first(std::size_t y, std::size_t shift) const { return less(y, 0, shift); }
    std::int64_t without_last(std::size_t y, std::size_t shift) const {
        return less(y, image.columns - shift, shift);
    }

  private:
    std::int64_t less(std::size_t y, std::size_t begin, std::size_t shift) const {
        std::int64_t sum = total[y];
        for (std::size_t x = begin; x < begin + shift; ++x) sum -= image.values[y * image.columns + x];
        return sum;
    }
};

// The sums of both values of all pairs, less those whose partner is bad (bad values themselves are 0).
void singles_by_place(const LagIntegers &image, std::size_t lag, bool left, std::int64_t *singles) {
    const RowSums rows(image);
    const std::size_t lags = 2 * lag + 1, most = std::min(lag, image.columns - 1);
    for (std::size_t i = lag - (left ? most : 0); i <= lag + most; ++i) {
        const std::size_t shift = i < lag ? lag - i : i - lag;
        std::int64_t upper = 0, lower = 0;
        std::vector<std::int64_t> of_upper(image.rows), of_lower(image.rows);
        for (std::size_t y = 0; y < image.rows; ++y) {
            of_upper[y] = i < lag ? rows.without_first(y, shift) : rows.without_last(y, shift);
            of_lower[y] = i < lag ? rows.without_last(y, shift) : rows.without_first(y, shift);
            upper += of_upper[y];
            lower += of_lower[y];
        }
        for (std::size_t dy = 0; dy <= lag && dy < image.rows; ++dy) {
            if (dy > 0) {
                upper -= of_upper[image.rows - dy];
                lower -= of_lower[dy - 1];
            }
            singles[dy * lags + i] = upper + lower;
        }
    }
    for_each_lag(image.rows, image.columns, lag, left, [&](std::size_t i, std::ptrdiff_t dy, std::ptrdiff_t dx) {
        for (const Place place : *image.bad) {
            for (const std::ptrdiff_t sign : {1, -1}) {
                const std::ptrdiff_t y = place.y + sign * dy, x = place.x + sign * dx;
                if (inside(y, x, image.rows, image.columns)) {
                    singles[i] -= image.values[static_cast<std::size_t>(y) * image.columns + static_cast<std::size_t>(x)];
                }
            }
        }
    });
}

std::vector<std::int16_t> good_of(std::size_t rows, std::size_t columns, const std::vector<Place> &bad) {
    std::vector<std::int16_t> good(rows * columns, 1);
    for (const Place place : bad) good[place.y * columns + place.x] = 0;
    return good;
}

bool are_few(const std::vector<Place> &bad, std::size_t rows, std::size_t columns) {
    return bad.size() <= rows * columns / few;
}

}  // namespace

void lag_counts(std::size_t rows, std::size_t columns, const std::vector<Place> &bad, std::size_t lag, bool left,
                int threads, std::int64_t *counts) {
    std::fill_n(counts, (lag + 1) * (2 * lag + 1), 0);
    if (rows == 0 || columns == 0) return;
    if (are_few(bad, rows, columns)) {
        counts_by_place(rows, columns, bad, lag, left, counts);
    } else {
        const auto good = good_of(rows, columns, bad);
        sum_image(good.data(), good.data(), {good.data(), 1, rows, columns, nullptr}, 1, lag, left, threads, counts);
    }
}

void lag_integers(const LagIntegers &image, std::size_t lag, bool left, int threads, std::int64_t *sums,
                  std::int64_t *singles, std::int64_t *counts) {
    const std::size_t lags = 2 * lag + 1, size = (lag + 1) * lags;
    std::fill_n(singles, size, 0);
    std::fill_n(sums, size, 0);
    lag_counts(image.rows, image.columns, *image.bad, lag, left, threads, counts);
    if (image.rows == 0 || image.columns == 0) return;
    sum_image(image.values, image.values, image, image.largest, lag, left, threads, sums);
    if (are_few(*image.bad, image.rows, image.columns)) {
        singles_by_place(image, lag, left, singles);
        return;
    }
    const auto good = good_of(image.rows, image.columns, *image.bad);
    std::vector<std::int64_t> lower(size);
    sum_image(image.values, good.data(), image, image.largest, lag, left, threads, singles);
    sum_image(good.data(), image.values, image, image.largest, lag, left, threads, lower.data());
    for (std::size_t i = 0; i < size; ++i) singles[i] += lower[i];
}

}  // namespace fiducial
