// The Python face of the kernels for compressed tiles.
#pragma once

#include <nanobind/nanobind.h>

namespace fiducial {

void add_tiles(nanobind::module_ &m);

}  // namespace fiducial
