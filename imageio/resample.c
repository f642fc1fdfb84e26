#include "resample.h"

#include "fast.h"

#include <stddef.h>
#include <string.h>

FAST void tl_lerp(const uint8_t *restrict src, int w, uint8_t *restrict dst, int ow, int oh,
	const int32_t *x0, const int32_t *x1, const int32_t *fx,
	const int32_t *y0, const int32_t *y1, const int32_t *fy, int32_t *restrict row)
{
	const int line = w * 3;

	for (int i = 0; i < oh; i++) {
		/* Rows first: contiguous, so the compiler makes vector code of it. */
		const uint8_t *restrict a = src + (size_t) y0[i] * line;
		const uint8_t *restrict b = src + (size_t) y1[i] * line;
		const int32_t f = fy[i], g = 2048 - f;
		for (int x = 0; x < line; x++)
			row[x] = a[x] * g + b[x] * f;

		uint8_t *restrict out = dst + (size_t) i * ow * 3;
		for (int j = 0; j < ow; j++) {
			const int32_t *p = row + x0[j], *q = row + x1[j];
			const int32_t s = fx[j], r = 2048 - s;
			/* 255 * 2048 * 2048 + 2^21 < 2^31 */
			out[3 * j] = (p[0] * r + q[0] * s + (1 << 21)) >> 22;
			out[3 * j + 1] = (p[1] * r + q[1] * s + (1 << 21)) >> 22;
			out[3 * j + 2] = (p[2] * r + q[2] * s + (1 << 21)) >> 22;
		}
	}
}

/* A pixel as four floats, the fourth of them its neighbour's. */
typedef float float4 __attribute__((vector_size(16)));

static inline float4 load(const float *p)
{
	float4 v;
	memcpy(&v, p, sizeof v);
	return v;
}

FAST static void lerp_planes(const uint8_t *restrict src, int w, float *restrict r, float *restrict g, float *restrict b,
	int stride, int ow, int oh, const float scale[3], const float bias[3],
	const int32_t *x0, const int32_t *x1, const float *fx,
	const int32_t *y0, const int32_t *y1, const float *fy, float *restrict row)
{
	const int line = w * 3;
	const float4 k = {scale[0], scale[1], scale[2], 0}, d = {bias[0], bias[1], bias[2], 0};

	row[line] = 0;
	for (int i = 0; i < oh; i++) {
		const uint8_t *restrict p = src + (size_t) y0[i] * line;
		const uint8_t *restrict q = src + (size_t) y1[i] * line;
		const float f = fy[i];
		for (int x = 0; x < line; x++)
			row[x] = p[x] + ((float) q[x] - p[x]) * f;

		const size_t at = (size_t) i * stride;
		for (int j = 0; j < ow; j++) {
			const float4 u = load(row + x0[j]), v = load(row + x1[j]);
			const float4 t = (u + (v - u) * fx[j]) * k + d;
			r[at + j] = t[0];
			g[at + j] = t[1];
			b[at + j] = t[2];
		}
	}
}

void tl_lerp_planes(void *args)
{
	const tl_lerp_planes_args *a = args;
	lerp_planes(a->src, a->w, a->r, a->g, a->b, a->stride, a->ow, a->oh, a->scale, a->bias,
		a->x0, a->x1, a->fx, a->y0, a->y1, a->fy, a->row);
}

static inline uint8_t clip8(int32_t v)
{
	v >>= 22;
	return v < 0 ? 0 : v > 255 ? 255 : (uint8_t) v;
}

/* A pixel as four lanes, the fourth unused. */
typedef int32_t lanes __attribute__((vector_size(16)));
typedef uint8_t bytes4 __attribute__((vector_size(4)));

static inline lanes load4(const uint8_t *p)
{
	bytes4 b;
	memcpy(&b, p, 4);
	return __builtin_convertvector(b, lanes);
}

/* load3 is load4 where the byte after the pixel is not ours to read. */
static inline lanes load3(const uint8_t *p)
{
	return (lanes) {p[0], p[1], p[2], 0};
}

static inline void store3(uint8_t *out, lanes v)
{
	out[0] = clip8(v[0]);
	out[1] = clip8(v[1]);
	out[2] = clip8(v[2]);
}

FAST void tl_convolve_h(const uint8_t *restrict src, int w, int h, uint8_t *restrict dst, int ow,
	const int32_t *first, const int32_t *k, int n)
{
	const lanes half = {1 << 21, 1 << 21, 1 << 21, 0};

	for (int y = 0; y < h; y++) {
		const uint8_t *line = src + (size_t) y * w * 3;
		uint8_t *restrict out = dst + (size_t) y * ow * 3;
		for (int j = 0; j < ow; j++) {
			const uint8_t *p = line + 3 * first[j];
			const int32_t *c = k + (size_t) j * n;
			lanes sum = half;
			for (int t = 0; t < n - 1; t++)
				sum += load4(p + 3 * t) * c[t];
			sum += load3(p + 3 * (n - 1)) * c[n - 1];
			store3(out + 3 * j, sum);
		}
	}
}

FAST void tl_convolve_v(const uint8_t *restrict src, int w, uint8_t *restrict dst, int oh,
	const int32_t *first, const int32_t *k, int n, int32_t *restrict row)
{
	const int line = w * 3;

	for (int i = 0; i < oh; i++) {
		for (int x = 0; x < line; x++)
			row[x] = 1 << 21;
		for (int t = 0; t < n; t++) {
			const int32_t c = k[(size_t) i * n + t];
			if (!c)
				continue;
			const uint8_t *restrict p = src + (size_t) (first[i] + t) * line;
			for (int x = 0; x < line; x++)
				row[x] += p[x] * c;
		}
		uint8_t *restrict out = dst + (size_t) i * line;
		for (int x = 0; x < line; x++)
			out[x] = clip8(row[x]);
	}
}
