#include "edit.h"

#include <string.h>

/* build makes the operation's output, lazily. */
static int build(VipsImage *in, VipsImage **out, int op, double a, double b)
{
	switch (op) {
	case TL_MEDIAN:
		return vips_median(in, out, (int) a, NULL);
	case TL_GAUSSIAN:
		return vips_gaussblur(in, out, a, "min_ampl", 0.01, NULL);
	case TL_HIST_LOCAL:
		return vips_hist_local(in, out, (int) a, (int) a, "max_slope", (int) b, NULL);
	}
	vips_error("trilobite", "no operation %d", op);
	return -1;
}

int tl_edit(int op, double a, double b, int threads, const void *src, int w, int h, int bands, uint8_t *dst)
{
	const size_t n = (size_t) w * h * bands;
	VipsImage *im = NULL, *in = vips_image_new_from_memory(src, n, w, h, bands, VIPS_FORMAT_UCHAR);
	if (!in)
		return -1;
	int err = build(in, &im, op, a, b);
	if (!err && (vips_image_get_width(im) != w || vips_image_get_height(im) != h ||
		vips_image_get_bands(im) != bands || vips_image_get_format(im) != VIPS_FORMAT_UCHAR)) {
		vips_error("trilobite", "operation %d changed the image's form", op);
		err = -1;
	}
	if (!err) {
		VipsImage *whole = vips_image_new_memory();
		vips_image_set_int(im, VIPS_META_CONCURRENCY, threads);
		err = vips_image_write(im, whole);
		if (!err)
			memcpy(dst, VIPS_IMAGE_ADDR(whole, 0, 0), n);
		g_object_unref(whole);
	}
	VIPS_UNREF(im);
	g_object_unref(in);
	return err;
}

int tl_find_trim(const void *src, int w, int h, double threshold, int box[4])
{
	VipsImage *in = vips_image_new_from_memory(src, (size_t) w * h * 3, w, h, 3, VIPS_FORMAT_UCHAR);
	if (!in)
		return -1;
	/* The border's colour is that of the upper left pixel. */
	const uint8_t *p = src;
	double colour[] = {p[0], p[1], p[2]};
	VipsArrayDouble *background = vips_array_double_new(colour, 3);
	int err = vips_find_trim(in, &box[0], &box[1], &box[2], &box[3],
		"threshold", threshold, "background", background, NULL);
	vips_area_unref(VIPS_AREA(background));
	g_object_unref(in);
	return err;
}
