// The Python face of the kernels that detrend.
#pragma once

#include <nanobind/nanobind.h>

namespace fiducial {

void add_detrend(nanobind::module_ &m);

}  // namespace fiducial
