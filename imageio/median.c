#include "flow.h"

#include "fast.h"

static inline uint8_t lo(uint8_t a, uint8_t b)
{
	return a < b ? a : b;
}

static inline uint8_t hi(uint8_t a, uint8_t b)
{
	return a < b ? b : a;
}

static inline uint8_t mid(uint8_t a, uint8_t b, uint8_t c)
{
	return hi(lo(a, b), lo(hi(a, b), c));
}

/* median9 makes n levels of the nine around each: p is the line above, q that in the middle, r
 * that below, each beginning at the pixel to the left, three bytes a pixel. The median of nine
 * is that of the highest of the lines' lowest, the median of their medians and the lowest of
 * their highest. */
FAST static void median9(const uint8_t *restrict p, const uint8_t *restrict q, const uint8_t *restrict r, uint8_t *restrict out, int n)
{
	for (int i = 0; i < n; i++) {
		const uint8_t low = hi(hi(lo(lo(p[i], p[i + 3]), p[i + 6]), lo(lo(q[i], q[i + 3]), q[i + 6])), lo(lo(r[i], r[i + 3]), r[i + 6]));
		const uint8_t high = lo(lo(hi(hi(p[i], p[i + 3]), p[i + 6]), hi(hi(q[i], q[i + 3]), q[i + 6])), hi(hi(r[i], r[i + 3]), r[i + 6]));
		const uint8_t middle = mid(mid(p[i], p[i + 3], p[i + 6]), mid(q[i], q[i + 3], q[i + 6]), mid(r[i], r[i + 3], r[i + 6]));
		out[i] = mid(low, middle, high);
	}
}

static int generate(VipsRegion *out, void *seq, void *a, void *b, gboolean *stop)
{
	VipsRegion *in = seq;
	const VipsRect *r = &out->valid;
	VipsRect around = {r->left, r->top, r->width + 2, r->height + 2};
	(void) a, (void) b, (void) stop;

	if (vips_region_prepare(in, &around))
		return -1;
	for (int y = r->top; y < r->top + r->height; y++)
		median9(VIPS_REGION_ADDR(in, r->left, y), VIPS_REGION_ADDR(in, r->left, y + 1), VIPS_REGION_ADDR(in, r->left, y + 2),
			VIPS_REGION_ADDR(out, r->left, y), 3 * r->width);
	return 0;
}

VipsImage *tl_flow_median3(VipsImage *in)
{
	const int w = vips_image_get_width(in), h = vips_image_get_height(in);
	VipsImage *out = vips_image_new(), *wide = NULL;

	if (vips_embed(in, &wide, 1, 1, w + 2, h + 2, "extend", VIPS_EXTEND_COPY, NULL) ||
		vips_image_pipelinev(out, VIPS_DEMAND_STYLE_FATSTRIP, wide, NULL)) {
		VIPS_UNREF(wide);
		g_object_unref(out);
		return NULL;
	}
	vips_object_local(out, wide);
	out->Xsize = w;
	out->Ysize = h;
	if (vips_image_generate(out, vips_start_one, generate, vips_stop_one, wide, NULL)) {
		g_object_unref(out);
		return NULL;
	}
	return out;
}
