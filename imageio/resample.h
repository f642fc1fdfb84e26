/* Separable resampling of interleaved 8-bit RGB. The tables come from filter.go. */
#ifndef TRILOBITE_IMAGEIO_RESAMPLE_H
#define TRILOBITE_IMAGEIO_RESAMPLE_H

#include <stdint.h>

/* tl_lerp interpolates between two rows and two columns: output (i, j) mixes source
 * rows y0[i], y1[i] by fy[i] and columns x0[j], x1[j] by fx[j], weights of 0 to 2048.
 * Columns count bytes (3 x pixel). row is scratch of w*3 values. Rounds once. */
void tl_lerp(const uint8_t *restrict src, int w, uint8_t *restrict dst, int ow, int oh,
	const int32_t *x0, const int32_t *x1, const int32_t *fx,
	const int32_t *y0, const int32_t *y1, const int32_t *fy, int32_t *restrict row);

/* tl_lerp_planes is tl_lerp in floating point, into three planes r, g and b: plane c gets
 * value * scale[c] + bias[c], unrounded; rows of a plane begin stride values apart.
 * Weights are 0 to 1; row is scratch of w*3 + 1 values. args is a tl_lerp_planes_args. */
typedef struct {
	const uint8_t *src;
	float *r, *g, *b;
	int w, stride, ow, oh;
	float scale[3], bias[3];
	const int32_t *x0, *x1, *y0, *y1;
	const float *fx, *fy;
	float *row;
} tl_lerp_planes_args;

void tl_lerp_planes(void *args);

/* tl_convolve_h and tl_convolve_v sum n weights k (22 bits of fraction) from position
 * first[i] for each output column or row, rounding to 8 bits. */
void tl_convolve_h(const uint8_t *restrict src, int w, int h, uint8_t *restrict dst, int ow,
	const int32_t *first, const int32_t *k, int n);
void tl_convolve_v(const uint8_t *restrict src, int w, uint8_t *restrict dst, int oh,
	const int32_t *first, const int32_t *k, int n, int32_t *restrict row);

#endif
