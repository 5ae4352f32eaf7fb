// The Python face of the compiled kernels.
#include <nanobind/nanobind.h>

NB_MODULE(_kernels, m) { m.doc() = "Compiled pixel kernels."; }
