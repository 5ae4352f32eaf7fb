// One function compiled for several instruction sets; the loader picks the one that the machine has.
//
// All clones give the same bits: sums run in a stated order, and neither fast-math nor contraction to
// fused multiply-add is allowed (see CMakeLists.txt).
#pragma once

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#include <features.h>  // defines __GLIBC__, whose loader resolves clones
#endif

#ifdef FIDUCIAL_CLONES
// Set from outside, as the test does that compares instruction sets.
#elif defined(__GLIBC__) && defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define FIDUCIAL_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define FIDUCIAL_CLONES
#endif

// A helper of a cloned function is compiled with it, for its instruction set.
#define FIDUCIAL_INLINE inline __attribute__((always_inline))

// Before a loop whose turns do not depend on each other, whatever its pointers may seem to share.
#if defined(__clang__)
#define FIDUCIAL_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define FIDUCIAL_INDEPENDENT _Pragma("GCC ivdep")
#else
#define FIDUCIAL_INDEPENDENT
#endif
