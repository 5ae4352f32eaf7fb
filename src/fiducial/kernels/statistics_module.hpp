// The Python face of the kernels for sums and statistics of rows.
#pragma once

#include <nanobind/nanobind.h>

namespace fiducial {

void add_statistics(nanobind::module_ &m);

}  // namespace fiducial
