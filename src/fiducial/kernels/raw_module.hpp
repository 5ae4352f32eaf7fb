// The Python face of the kernels that work on raw pixels.
#pragma once

#include <nanobind/nanobind.h>

namespace fiducial {

void add_raw(nanobind::module_ &m);

}  // namespace fiducial
