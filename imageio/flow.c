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

/* turn is vips_rot or vips_flip in the place of *im. */
static int turn(VipsImage **im, int flip, int how)
{
	VipsImage *next = NULL;
	if (flip ? vips_flip(*im, &next, how, NULL) : vips_rot(*im, &next, how, NULL))
		return -1;
	g_object_unref(*im);
	*im = next;
	return 0;
}

VipsImage *tl_flow_turn(VipsImage *in, int transpose, int mirror, int flip)
{
	VipsImage *out = in;
	int err = 0;

	g_object_ref(out);
	if (transpose) { /* a quarter clockwise is a transposition, mirrored */
		err = turn(&out, FALSE, VIPS_ANGLE_D90);
		mirror = !mirror;
	}
	if (!err && mirror && flip)
		err = turn(&out, FALSE, VIPS_ANGLE_D180);
	else if (!err && mirror)
		err = turn(&out, TRUE, VIPS_DIRECTION_HORIZONTAL);
	else if (!err && flip)
		err = turn(&out, TRUE, VIPS_DIRECTION_VERTICAL);
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

/* tiles_of says in which pieces an image is best computed: what turns by a quarter, in
 * squares; the rest in strips that stay in a cache of the second level. */
static void tiles_of(VipsImage *im, int *w, int *h)
{
	const int square = 128;
	*w = *h = square;
	if (im->dhint == VIPS_DEMAND_STYLE_SMALLTILE)
		return;
	*w = vips_image_get_width(im);
	*h = VIPS_CLIP(16, (64 << 10) / (*w * vips_image_get_bands(im)), 128);
}

int tl_flow_write(VipsImage *im, uint8_t *dst, int32_t *next)
{
	const int w = vips_image_get_width(im), h = vips_image_get_height(im);
	const size_t pixel = (size_t) vips_image_get_bands(im), line = pixel * w;
	int tw, th, err = 0;

	tiles_of(im, &tw, &th);
	const int across = (w + tw - 1) / tw, all = across * ((h + th - 1) / th);
	VipsRegion *region = vips_region_new(im);
	if (!region)
		return -1;
	while (!err) {
		const int i = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED);
		if (i >= all)
			break;
		const int x = i % across * tw, y = i / across * th;
		VipsRect r = {x, y, VIPS_MIN(tw, w - x), VIPS_MIN(th, h - y)};
		err = vips_region_prepare(region, &r);
		for (int j = 0; !err && j < r.height; j++)
			memcpy(dst + (y + j) * line + x * pixel, VIPS_REGION_ADDR(region, x, y + j), r.width * pixel);
	}
	g_object_unref(region);
	vips_thread_shutdown(); /* the thread is the Go runtime's: nothing of libvips stays in it */
	return err;
}
