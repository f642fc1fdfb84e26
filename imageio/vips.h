/* The part of libvips that imageio uses, as a handful of calls that never keep a
 * pointer to Go memory beyond the life of the handle they return. */
#ifndef TRILOBITE_IMAGEIO_VIPS_H
#define TRILOBITE_IMAGEIO_VIPS_H

#include <stddef.h>
#include <stdint.h>
#include <vips/vips.h>

#include "flow.h"

/* The formats with a libvips loader; the order is that of vipsFormat in vips.go. */
enum { TL_JPEG, TL_PNG, TL_WEBP, TL_GIF, TL_TIFF, TL_AVIF };

typedef struct {
	int width, height; /* as stored, before orientation */
	int bands;
	int bytes;       /* per sample */
	int orientation; /* EXIF, 1 to 8 */
	int pages;
} tl_header;

/* tl_start initialises libvips: no operation cache, one thread per decode, untrusted
 * loaders blocked, silent logs. Returns 0, or -1 with the reason in tl_error. */
int tl_start(void);

/* tl_thread_start is a tl_starter (package offload) of libvips' own threads. On others it
 * forgets its buffers after each strip, to ask the system for new ones and clear them: a
 * twentieth of a small JPEG's decode. A job that has made pixels ends with
 * vips_thread_shutdown. */
int tl_thread_start(void *(*run)(void *), void *arg);

/* tl_trim gives freed memory back to the system, where the C library keeps it. */
void tl_trim(void);

/* tl_error takes libvips' error text, to be freed by g_free. The buffer behind it is
 * shared by all threads. */
char *tl_error(void);

/* tl_open opens an encoded image lazily. shrink >= 1 is the factor to shrink by while
 * loading; only JPEG (1, 2, 4, 8) and WebP obey it. buf must outlive the image. */
VipsImage *tl_open(int format, const void *buf, size_t len, int shrink);

void tl_read_header(VipsImage *im, tl_header *h);

/* tl_srgb gives im as 8-bit sRGB with three bands, alpha flattened on white, box
 * shrunk by an integer factor; nothing is decoded yet. */
VipsImage *tl_srgb(VipsImage *im, int shrink, int use_profile);

/* tl_write decodes im into dst, width*height*3 bytes, in the calling thread, and tells rows, if
 * there are any, how far it is. It stops with 1 when *cancel becomes non-zero; -1 is an error
 * of the decoder. */
int tl_write(VipsImage *im, uint8_t *dst, const int32_t *cancel, tl_rows *rows);

/* tl_write_job calls tl_write with a tl_write_args, and lets go of the images. */
typedef struct {
	VipsImage *im, *source; /* source: what im comes from, or NULL */
	uint8_t *dst;
	const int32_t *cancel;
	tl_rows *rows;
	int err;
} tl_write_args;

void tl_write_job(void *args);

int tl_save_png(VipsImage *im, int level, void **buf, size_t *len);
int tl_save_jpeg(VipsImage *im, int quality, void **buf, size_t *len);

/* tl_thumbnail is vips_thumbnail_buffer, the benchmark's yardstick. */
int tl_thumbnail(const void *buf, size_t len, int w, int h, uint8_t *dst);

#endif
