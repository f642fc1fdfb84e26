#include "flow.h"

struct tl_rows {
	GMutex lock;
	GCond more;
	int there; /* from the top */
	gboolean over;
};

tl_rows *tl_rows_new(void)
{
	tl_rows *rows = g_new0(tl_rows, 1);
	g_mutex_init(&rows->lock);
	g_cond_init(&rows->more);
	return rows;
}

void tl_rows_free(tl_rows *rows)
{
	g_mutex_clear(&rows->lock);
	g_cond_clear(&rows->more);
	g_free(rows);
}

void tl_rows_reach(tl_rows *rows, int there)
{
	g_mutex_lock(&rows->lock);
	rows->over = there < rows->there;
	rows->there = VIPS_MAX(rows->there, there);
	g_cond_broadcast(&rows->more);
	g_mutex_unlock(&rows->lock);
}

/* wait_for returns once n rows are there, or 0 where they will not come. */
static gboolean wait_for(tl_rows *rows, int n)
{
	g_mutex_lock(&rows->lock);
	while (rows->there < n && !rows->over)
		g_cond_wait(&rows->more, &rows->lock);
	const gboolean there = rows->there >= n;
	g_mutex_unlock(&rows->lock);
	return there;
}

static int generate(VipsRegion *out, void *seq, void *a, void *b, gboolean *stop)
{
	VipsRegion *pixels = seq;
	const VipsRect *r = &out->valid;
	(void) a, (void) stop;

	if (!wait_for(b, VIPS_RECT_BOTTOM(r))) {
		vips_error("trilobite", "the image ends before row %d", VIPS_RECT_BOTTOM(r));
		return -1;
	}
	/* The region becomes a view of the memory: nothing is copied. */
	return vips_region_prepare(pixels, r) || vips_region_region(out, pixels, r, r->left, r->top);
}

VipsImage *tl_flow_arriving(const void *src, int w, int h, tl_rows *rows)
{
	VipsImage *out = vips_image_new(), *pixels = tl_flow_wrap(src, w, h, 3);

	if (!pixels || vips_image_pipelinev(out, VIPS_DEMAND_STYLE_ANY, pixels, NULL)) {
		VIPS_UNREF(pixels);
		g_object_unref(out);
		return NULL;
	}
	vips_object_local(out, pixels);
	if (vips_image_generate(out, vips_start_one, generate, vips_stop_one, pixels, rows)) {
		g_object_unref(out);
		return NULL;
	}
	return out;
}
