#include "flow.h"

#include <string.h>

VipsImage *tl_flow_wrap(const void *src, int w, int h, int bands)
{
	VipsImage *im = vips_image_new_from_memory(src, (size_t) w * h * bands, w, h, bands, VIPS_FORMAT_UCHAR);
	if (im)
		im->Type = bands == 3 ? VIPS_INTERPRETATION_sRGB : VIPS_INTERPRETATION_B_W;
	return im;
}

/* made gives out what an operation made, in the form it was given: 8 bits, as many bands. */
static VipsImage *made(VipsImage *in, VipsImage *out, int err)
{
	if (!err && (vips_image_get_bands(out) != vips_image_get_bands(in) || vips_image_get_format(out) != VIPS_FORMAT_UCHAR)) {
		vips_error("trilobite", "an operation changed the image's form");
		err = -1;
	}
	if (err)
		VIPS_UNREF(out);
	return out;
}

VipsImage *tl_flow_crop(VipsImage *in, int x, int y, int w, int h)
{
	VipsImage *out = NULL;
	int err = vips_crop(in, &out, x, y, w, h, NULL);
	return made(in, out, err);
}

VipsImage *tl_flow_reduce(VipsImage *in, double hshrink, double vshrink, VipsKernel kernel)
{
	VipsImage *out = NULL;
	int err = vips_reduce(in, &out, hshrink, vshrink, "kernel", kernel, NULL);
	return made(in, out, err);
}

VipsImage *tl_flow_embed(VipsImage *in, int x, int y, int w, int h, int fill)
{
	VipsImage *out = NULL;
	double level = fill;
	VipsArrayDouble *background = vips_array_double_new(&level, 1);
	int err = vips_embed(in, &out, x, y, w, h, "extend", VIPS_EXTEND_BACKGROUND, "background", background, NULL);
	vips_area_unref(VIPS_AREA(background));
	return made(in, out, err);
}

VipsImage *tl_flow_median(VipsImage *in, int size)
{
	VipsImage *out = NULL;
	int err = vips_median(in, &out, size, NULL);
	return made(in, out, err);
}

VipsImage *tl_flow_gaussian(VipsImage *in, double sigma)
{
	VipsImage *out = NULL;
	int err = vips_gaussblur(in, &out, sigma, "min_ampl", 0.01, NULL);
	return made(in, out, err);
}

VipsImage *tl_flow_hist_local(VipsImage *in, int window, int slope)
{
	VipsImage *out = NULL;
	int err = vips_hist_local(in, &out, window, window, "max_slope", slope, NULL);
	return made(in, out, err);
}

/* strip_of says how many rows of an image are best computed at a time: what stays in a cache
 * of the second level; more where rows become columns, which are written a piece each. */
static int strip_of(VipsImage *im, int how)
{
	const int line = vips_image_get_width(im) * vips_image_get_bands(im);
	return how & TL_TRANSPOSE ? 64 : VIPS_CLIP(16, (64 << 10) / line, 128);
}

int tl_flow_write(VipsImage *im, int how, uint8_t *dst, int32_t *next, const int32_t *cancel)
{
	const int w = vips_image_get_width(im), h = vips_image_get_height(im), strip = strip_of(im, how);
	const size_t line = (size_t) w * vips_image_get_bands(im);
	int err = 0;

	VipsRegion *region = vips_region_new(im);
	if (!region)
		return -1;
	while (!err) {
		const int y = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED) * strip;
		if (y >= h)
			break;
		if (cancel && __atomic_load_n(cancel, __ATOMIC_RELAXED)) {
			err = 1;
			break;
		}
		VipsRect r = {0, y, w, VIPS_MIN(strip, h - y)};
		if ((err = vips_region_prepare(region, &r)))
			break;
		const uint8_t *src = VIPS_REGION_ADDR(region, 0, y);
		if (how)
			tl_turn(src, VIPS_REGION_LSKIP(region), &r, w, h, how, dst);
		else
			for (int j = 0; j < r.height; j++)
				memcpy(dst + (y + j) * line, src + j * VIPS_REGION_LSKIP(region), line);
	}
	g_object_unref(region);
	vips_thread_shutdown(); /* the thread is the Go runtime's: nothing of libvips stays in it */
	return err;
}
