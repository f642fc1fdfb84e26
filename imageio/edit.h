/* Operations of libvips on whole 8-bit images in memory. */
#ifndef TRILOBITE_IMAGEIO_EDIT_H
#define TRILOBITE_IMAGEIO_EDIT_H

#include <stdint.h>
#include <vips/vips.h>

enum { TL_MEDIAN, TL_GAUSSIAN, TL_HIST_LOCAL };

/* tl_edit runs an operation on w*h*bands values at src into as many at dst, with so many
 * threads. a and b are its parameters: side of the window; sigma; side of the window and
 * limit of the slope. Returns 0, or -1 with the reason in tl_error. */
int tl_edit(int op, double a, double b, int threads, const void *src, int w, int h, int bands, uint8_t *dst);

/* tl_find_trim finds left, top, width and height of what differs from the colour of the
 * upper left pixel by more than threshold; width and height are 0 where nothing does. */
int tl_find_trim(const void *src, int w, int h, double threshold, int box[4]);

#endif
