// The Python face of the kernel that combines frames.
#pragma once

#include <nanobind/nanobind.h>

namespace fiducial {

void add_combine(nanobind::module_ &m);

}  // namespace fiducial
