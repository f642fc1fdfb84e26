/* Operations of libvips on 8-bit images, of which nothing is computed before tl_flow_write. */
#ifndef TRILOBITE_IMAGEIO_FLOW_H
#define TRILOBITE_IMAGEIO_FLOW_H

#include <stdint.h>
#include <vips/vips.h>

/* tl_flow_wrap makes an image of w*h*bands values at src, which must outlive it. */
VipsImage *tl_flow_wrap(const void *src, int w, int h, int bands);

/* Each returns a new image, or NULL with the reason in tl_error; in stays the caller's. */
VipsImage *tl_flow_crop(VipsImage *in, int x, int y, int w, int h);
VipsImage *tl_flow_turn(VipsImage *in, int transpose, int mirror, int flip);
VipsImage *tl_flow_reduce(VipsImage *in, double hshrink, double vshrink, VipsKernel kernel);
VipsImage *tl_flow_embed(VipsImage *in, int x, int y, int w, int h, int fill);
VipsImage *tl_flow_median(VipsImage *in, int size);
VipsImage *tl_flow_gaussian(VipsImage *in, double sigma);
VipsImage *tl_flow_hist_local(VipsImage *in, int window, int slope);

/* What happens to pixels one by one. */
enum {
	TL_TABLE,    /* in: RGB; each level by the table of its channel */
	TL_LUMA,     /* in: RGB; one band, the luma of BT.601 as Pillow rounds it */
	TL_SATURATE, /* in: RGB; luma + (x - luma) * k / 65536 */
	TL_SHIFT,    /* in: RGB, new luma, old luma; each channel changes as the luma */
	TL_UNSHARP   /* in: RGB, blurred RGB; x + (x - blurred) * k / 65536 */
};

/* tl_flow_points makes each pixel from those at its place in the n images of in, by one of
 * the above. table has 3*256 levels; it is copied. */
VipsImage *tl_flow_points(int kind, VipsImage **in, int n, const uint8_t *table, int k);

/* tl_flow_write computes tiles of im into dst, width*height*bands values, until there are
 * none left: *next counts them, for several threads that call it at a time. Returns 0, or -1 with
 * the reason in tl_error. */
int tl_flow_write(VipsImage *im, uint8_t *dst, int32_t *next);

#endif
