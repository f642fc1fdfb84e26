/* FAST has the compiler make a second version of a function for AVX2 on x86, chosen when the
 * program starts; elsewhere the base instruction set has what these loops need. */
#ifndef TRILOBITE_IMAGEIO_FAST_H
#define TRILOBITE_IMAGEIO_FAST_H

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define FAST __attribute__((target_clones("avx2", "default")))
#else
#define FAST
#endif

#endif
