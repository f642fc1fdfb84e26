#include "flow.h"

#include "fast.h"

#include <string.h>

typedef struct {
	int kind, k;
	uint8_t table[3][256];
} points;

static inline int luma(int r, int g, int b)
{
	return (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16;
}

static inline uint8_t cut(int v)
{
	return v < 0 ? 0 : v > 255 ? 255 : (uint8_t) v;
}

static void look(const points *o, const uint8_t *restrict p, uint8_t *restrict q, int n)
{
	for (int i = 0; i < n; i++, p += 3, q += 3) {
		q[0] = o->table[0][p[0]];
		q[1] = o->table[1][p[1]];
		q[2] = o->table[2][p[2]];
	}
}

FAST static void to_luma(const uint8_t *restrict p, uint8_t *restrict q, int n)
{
	for (int i = 0; i < n; i++)
		q[i] = (uint8_t) luma(p[3 * i], p[3 * i + 1], p[3 * i + 2]);
}

FAST static void saturate(const uint8_t *restrict p, uint8_t *restrict q, int n, int k)
{
	for (int i = 0; i < n; i++) {
		const int r = p[3 * i], g = p[3 * i + 1], b = p[3 * i + 2], y = luma(r, g, b);
		q[3 * i] = cut(y + (((r - y) * k + 0x8000) >> 16));
		q[3 * i + 1] = cut(y + (((g - y) * k + 0x8000) >> 16));
		q[3 * i + 2] = cut(y + (((b - y) * k + 0x8000) >> 16));
	}
}

FAST static void shift(const uint8_t *restrict p, const uint8_t *restrict now, const uint8_t *restrict was, uint8_t *restrict q, int n)
{
	for (int i = 0; i < n; i++) {
		const int d = now[i] - was[i];
		q[3 * i] = cut(p[3 * i] + d);
		q[3 * i + 1] = cut(p[3 * i + 1] + d);
		q[3 * i + 2] = cut(p[3 * i + 2] + d);
	}
}

FAST static void unsharp(const uint8_t *restrict p, const uint8_t *restrict soft, uint8_t *restrict q, int n, int k)
{
	for (int i = 0; i < 3 * n; i++)
		q[i] = cut(p[i] + (((p[i] - soft[i]) * k + 0x8000) >> 16));
}

static int generate(VipsRegion *out, void *seq, void *a, void *b, gboolean *stop)
{
	VipsRegion **in = seq;
	const points *o = b;
	const VipsRect *r = &out->valid;
	(void) a, (void) stop;

	if (vips_reorder_prepare_many(out->im, in, (VipsRect *) r))
		return -1;
	for (int y = r->top; y < r->top + r->height; y++) {
		const uint8_t *p = VIPS_REGION_ADDR(in[0], r->left, y);
		uint8_t *q = VIPS_REGION_ADDR(out, r->left, y);
		switch (o->kind) {
		case TL_TABLE:
			look(o, p, q, r->width);
			break;
		case TL_LUMA:
			to_luma(p, q, r->width);
			break;
		case TL_SATURATE:
			saturate(p, q, r->width, o->k);
			break;
		case TL_SHIFT:
			shift(p, VIPS_REGION_ADDR(in[1], r->left, y), VIPS_REGION_ADDR(in[2], r->left, y), q, r->width);
			break;
		case TL_UNSHARP:
			unsharp(p, VIPS_REGION_ADDR(in[1], r->left, y), q, r->width, o->k);
			break;
		}
	}
	return 0;
}

VipsImage *tl_flow_points(int kind, VipsImage **in, int n, const uint8_t *table, int k)
{
	VipsImage *out = vips_image_new();
	points *o = VIPS_NEW(out, points);
	VipsImage **all = vips_allocate_input_array(out, in[0], n > 1 ? in[1] : NULL, n > 2 ? in[2] : NULL, NULL);

	if (!o || !all || vips_image_pipeline_array(out, VIPS_DEMAND_STYLE_THINSTRIP, all)) {
		g_object_unref(out);
		return NULL;
	}
	*o = (points) {.kind = kind, .k = k};
	if (table)
		memcpy(o->table, table, sizeof o->table);
	if (kind == TL_LUMA) {
		out->Bands = 1;
		out->Type = VIPS_INTERPRETATION_B_W;
	}
	for (int i = 0; i < n; i++) { /* they live as long as what is made of them */
		g_object_ref(in[i]);
		vips_object_local(out, in[i]);
	}
	if (vips_image_generate(out, vips_start_many, generate, vips_stop_many, all, o)) {
		g_object_unref(out);
		return NULL;
	}
	return out;
}
