/* Operations of libvips on 8-bit images, of which nothing is computed before tl_flow_write. */
#ifndef TRILOBITE_IMAGEIO_FLOW_H
#define TRILOBITE_IMAGEIO_FLOW_H

#include <stdint.h>
#include <vips/vips.h>

/* tl_flow_wrap makes an image of w*h*bands values at src, which must outlive it. */
VipsImage *tl_flow_wrap(const void *src, int w, int h, int bands);

/* tl_rows counts the rows of an image that one thread fills from the top down. */
typedef struct tl_rows tl_rows;

tl_rows *tl_rows_new(void);
void tl_rows_free(tl_rows *rows);

/* tl_rows_reach says how many there are; fewer than before: no more will come. */
void tl_rows_reach(tl_rows *rows, int there);

/* tl_flow_arriving is tl_flow_wrap of RGB pixels that are being filled: who needs a row
 * waits for it, and fails where it will not come. rows must outlive the image. */
VipsImage *tl_flow_arriving(const void *src, int w, int h, tl_rows *rows);

/* Each returns a new image, or NULL with the reason in tl_error; in stays the caller's. */
VipsImage *tl_flow_crop(VipsImage *in, int x, int y, int w, int h);
VipsImage *tl_flow_reduce(VipsImage *in, double hshrink, double vshrink, VipsKernel kernel);
VipsImage *tl_flow_embed(VipsImage *in, int x, int y, int w, int h, int fill);
VipsImage *tl_flow_median(VipsImage *in, int size);
VipsImage *tl_flow_median3(VipsImage *in); /* the same, of 3 by 3, in: RGB */
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

/* How an image is turned: x and y are exchanged, then left and right, then top and bottom. */
enum { TL_TRANSPOSE = 1, TL_MIRROR = 2, TL_FLIP = 4 };

/* tl_turn puts the part r of an image of w*h RGB pixels, at src in lines of so many bytes, where it
 * belongs in the turned image dst. */
void tl_turn(const uint8_t *src, size_t line, const VipsRect *r, int w, int h, int how, uint8_t *dst);

/* tl_flow_write computes strips of im into dst, width*height*bands values, turned where it
 * is RGB, until there are none left: *next counts them, for several threads that call it at
 * a time. Returns 0; 1 where cancel points to what has become non-zero; or -1 with the reason in
 * tl_error. */
int tl_flow_write(VipsImage *im, int how, uint8_t *dst, int32_t *next, const int32_t *cancel);

#endif
