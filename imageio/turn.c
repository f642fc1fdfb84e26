#include "flow.h"

#include <string.h>

/* copy_pixels copies n pixels whose places in dst are apart bytes from each other. */
static inline void copy_pixels(const uint8_t *restrict src, size_t line, uint8_t *restrict dst, ptrdiff_t apart, int n)
{
	for (int i = 0; i < n; i++, src += line, dst += apart) {
		dst[0] = src[0];
		dst[1] = src[1];
		dst[2] = src[2];
	}
}

void tl_turn(const uint8_t *src, size_t line, const VipsRect *r, int w, int h, int how, uint8_t *dst)
{
	const int across = how & TL_TRANSPOSE, block = 32; /* columns, of which a cache holds all lines */
	const int ow = across ? h : w, oh = across ? w : h;
	/* Where pixel 0, 0 goes, and how far from it its neighbours at the right and below. */
	const ptrdiff_t u = how & TL_MIRROR ? -3 : 3, v = how & TL_FLIP ? -3 * ow : 3 * ow;
	const ptrdiff_t right = across ? v : u, below = across ? u : v;
	dst += (how & TL_MIRROR ? 3 * (ow - 1) : 0) + (how & TL_FLIP ? (size_t) 3 * ow * (oh - 1) : 0);
	dst += r->left * right + r->top * below;

	if (right == 3)
		for (int y = 0; y < r->height; y++)
			memcpy(dst + y * below, src + y * line, 3 * r->width);
	else if (!across)
		for (int y = 0; y < r->height; y++)
			copy_pixels(src + y * line, 3, dst + y * below, right, r->width);
	else
		for (int x0 = 0; x0 < r->width; x0 += block)
			for (int y0 = 0; y0 < r->height; y0 += block)
				for (int x = x0; x < VIPS_MIN(x0 + block, r->width); x++)
					copy_pixels(src + y0 * line + 3 * x, line, dst + x * right + y0 * below, below, VIPS_MIN(block, r->height - y0));
}
