// The Python face of the kernels of pairs of frames and of lagged products.
#pragma once

#include <nanobind/nanobind.h>

namespace fiducial {

void add_pairs(nanobind::module_ &m);

}  // namespace fiducial
