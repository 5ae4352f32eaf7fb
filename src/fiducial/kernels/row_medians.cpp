#include "row_medians.hpp"

#include <algorithm>
#include <vector>

namespace fiducial {
namespace {

template <class T>
double median(std::vector<T> &values) {
    const std::size_t n = values.size();
    if (n == 0) return std::numeric_limits<double>::quiet_NaN();
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(n / 2);
    std::nth_element(values.begin(), middle, values.end());
    const auto high = static_cast<double>(*middle);
    if (n % 2) return high;
    const auto low = static_cast<double>(*std::max_element(values.begin(), middle));
    return low + (high - low) * 0.5;
}

}  // namespace

void row_medians(const StoredRows &raw, double limit, double *medians) {
    with_pixel_type(raw.type, raw.swap, [&]<class T, bool swap>() {
        std::vector<T> values;
        const auto flip = static_cast<PixelBits<T>>(sizeof(T) == 2 ? raw.flip : 0);
        for (std::size_t row = 0; row < raw.rows; ++row) {
            const unsigned char *bytes = raw.bytes + static_cast<std::ptrdiff_t>(row) * raw.pitch;
            values.clear();
            for (std::size_t x = 0; x < raw.columns; ++x) {
                const T value = stored_value<T, swap>(bytes + x * sizeof(T), flip);
                if (std::isfinite(static_cast<double>(value)) && !(static_cast<double>(value) >= limit)) {
                    values.push_back(value);
                }
            }
            medians[row] = median(values);
        }
    });
}

}  // namespace fiducial
