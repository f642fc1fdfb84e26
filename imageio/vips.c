#include "vips.h"

#include <errno.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

/* quiet drops a log record. libvips tells of damaged files by its error buffer too;
 * the log would be one line per hostile request on stderr. */
static GLogWriterOutput quiet_writer(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
	(void) level, (void) fields, (void) n, (void) data;
	return G_LOG_WRITER_HANDLED;
}

static void quiet(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data)
{
	(void) domain, (void) level, (void) message, (void) data;
}

int tl_start(void)
{
#ifdef __GLIBC__
	/* A decode allocates and frees the same few buffers of up to some MB. Given back to
	 * the kernel each time, they cost a quarter of a small JPEG's decode in page faults. */
	mallopt(M_MMAP_THRESHOLD, 4 << 20);
	mallopt(M_TRIM_THRESHOLD, 16 << 20);
#endif
	/* Only what GLib itself calls an error may end the process. */
	g_log_set_writer_func(quiet_writer, NULL, NULL);
	g_log_set_default_handler(quiet, NULL);
	if (vips_init("trilobite"))
		return -1;
	vips_block_untrusted_set(TRUE);
	vips_cache_set_max(0);
	vips_cache_set_max_mem(0);
	vips_cache_set_max_files(0);
	vips_concurrency_set(1);
	return 0;
}

int tl_thread_start(void *(*run)(void *), void *arg)
{
	GThread *thread = vips_g_thread_new("offload", run, arg);
	if (!thread) {
		vips_error_clear();
		return EAGAIN;
	}
	g_thread_unref(thread);
	return 0;
}

void tl_trim(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

char *tl_error(void)
{
	return vips_error_buffer_copy();
}

VipsImage *tl_open(int format, const void *cbuf, size_t len, int shrink)
{
	VipsImage *out = NULL;
	void *buf = (void *) cbuf;
	int err = -1;

	switch (format) {
	case TL_JPEG:
		err = vips_jpegload_buffer(buf, len, &out, "access", VIPS_ACCESS_SEQUENTIAL,
			"fail_on", VIPS_FAIL_ON_TRUNCATED, "shrink", shrink, NULL);
		break;
	case TL_PNG:
		err = vips_pngload_buffer(buf, len, &out, "access", VIPS_ACCESS_SEQUENTIAL,
			"fail_on", VIPS_FAIL_ON_TRUNCATED, NULL);
		break;
	case TL_WEBP:
		err = vips_webpload_buffer(buf, len, &out, "access", VIPS_ACCESS_SEQUENTIAL,
			"fail_on", VIPS_FAIL_ON_TRUNCATED, "scale", 1.0 / shrink, NULL);
		break;
	case TL_GIF:
		err = vips_gifload_buffer(buf, len, &out, "access", VIPS_ACCESS_SEQUENTIAL,
			"fail_on", VIPS_FAIL_ON_TRUNCATED, NULL);
		break;
	case TL_TIFF:
		err = vips_tiffload_buffer(buf, len, &out, "access", VIPS_ACCESS_SEQUENTIAL,
			"fail_on", VIPS_FAIL_ON_TRUNCATED, NULL);
		break;
	case TL_AVIF:
		err = vips_heifload_buffer(buf, len, &out, "access", VIPS_ACCESS_SEQUENTIAL,
			"fail_on", VIPS_FAIL_ON_TRUNCATED, NULL);
		break;
	default:
		vips_error("trilobite", "no loader for format %d", format);
	}
	if (err) {
		VIPS_UNREF(out);
		return NULL;
	}
	return out;
}

void tl_read_header(VipsImage *im, tl_header *h)
{
	h->width = vips_image_get_width(im);
	h->height = vips_image_get_height(im);
	h->bands = vips_image_get_bands(im);
	h->bytes = (int) vips_format_sizeof(vips_image_get_format(im));
	h->orientation = vips_image_get_orientation(im);
	h->pages = vips_image_get_n_pages(im);
}

/* swap puts *next in the place of *im after an operation, or drops it where err says
 * that the operation failed. It returns err. */
static int swap(VipsImage **im, VipsImage **next, int err)
{
	if (err) {
		VIPS_UNREF(*next);
		return err;
	}
	g_object_unref(*im);
	*im = *next;
	*next = NULL;
	return 0;
}

/* first_bands keeps the first n bands. */
static int first_bands(VipsImage **im, int n)
{
	VipsImage *next = NULL;
	return swap(im, &next, vips_extract_band(*im, &next, 0, "n", n, NULL));
}

/* convert brings any interpretation to 8-bit sRGB. Pixels of no known colour space,
 * a TIFF of many bands say, are shown by their first three bands, or by the first. */
static int convert(VipsImage **im, int use_profile)
{
	VipsImage *next = NULL;

	/* A profile that does not fit its pixels is ignored, as browsers do. */
	if (use_profile && vips_image_get_typeof(*im, VIPS_META_ICC_NAME) &&
		swap(im, &next, vips_icc_transform(*im, &next, "srgb", "embedded", TRUE,
			"intent", VIPS_INTENT_RELATIVE, "black_point_compensation", TRUE, "depth", 8, NULL)))
		vips_error_clear();

	/* Most photographs are there already; every operation left out saves 50 us. */
	if (vips_image_get_interpretation(*im) == VIPS_INTERPRETATION_sRGB &&
		vips_image_get_format(*im) == VIPS_FORMAT_UCHAR)
		return 0;
	if (swap(im, &next, vips_colourspace(*im, &next, VIPS_INTERPRETATION_sRGB, NULL))) {
		vips_error_clear();
		if (first_bands(im, vips_image_get_bands(*im) >= 3 ? 3 : 1))
			return -1;
	}
	return swap(im, &next, vips_cast(*im, &next, VIPS_FORMAT_UCHAR, NULL));
}

/* flatten lays pixels with alpha on white and leaves three bands. */
static int flatten(VipsImage **im)
{
	VipsImage *next = NULL;
	int bands = vips_image_get_bands(*im);

	if (bands == 2 || bands >= 4) {
		double white[] = {255, 255, 255};
		VipsArrayDouble *background = vips_array_double_new(white, bands == 2 ? 1 : 3);
		int err = bands > 4 ? first_bands(im, 4) : 0;
		if (!err)
			err = swap(im, &next, vips_flatten(*im, &next, "background", background, "max_alpha", 255.0, NULL));
		vips_area_unref(VIPS_AREA(background));
		if (err)
			return err;
	}
	if (vips_image_get_bands(*im) == 3)
		return 0;
	VipsImage *grey[3] = {*im, *im, *im};
	return swap(im, &next, vips_bandjoin(grey, &next, 3, NULL));
}

VipsImage *tl_srgb(VipsImage *in, int shrink, int use_profile)
{
	VipsImage *im = in, *next = NULL;

	g_object_ref(im);
	if (convert(&im, use_profile) || flatten(&im) ||
		(shrink > 1 && swap(&im, &next, vips_shrink(im, &next, shrink, shrink, "ceil", TRUE, NULL))))
		VIPS_UNREF(im);
	return im;
}

void tl_write_job(void *p)
{
	tl_write_args *a = p;
	a->err = tl_write(a->im, a->dst, a->cancel, a->rows);
	g_object_unref(a->im);
	VIPS_UNREF(a->source);
	vips_thread_shutdown(); /* the thread's buffers were for these images */
}

int tl_write(VipsImage *im, uint8_t *dst, const int32_t *cancel, tl_rows *rows)
{
	const int w = vips_image_get_width(im), h = vips_image_get_height(im);
	const size_t line = (size_t) w * 3;
	/* An MCU row of a JPEG: every operation has a buffer of a strip, which stays in the
	 * nearest cache. */
	const int strip = 16;
	int err = -1;

	VipsRegion *region = vips_region_new(im);
	if (!region)
		return -1;
	for (int y = 0; y < h; y += strip) {
		VipsRect r = {0, y, w, VIPS_MIN(strip, h - y)};
		if (__atomic_load_n(cancel, __ATOMIC_RELAXED)) {
			err = 1;
			break;
		}
		if ((err = vips_region_prepare(region, &r)))
			break;
		for (int i = 0; i < r.height; i++)
			memcpy(dst + (size_t) (y + i) * line, VIPS_REGION_ADDR(region, 0, y + i), line);
		if (rows)
			tl_rows_reach(rows, y + r.height);
	}
	g_object_unref(region);
	return err;
}

int tl_save_png(VipsImage *im, int level, void **buf, size_t *len)
{
	return vips_pngsave_buffer(im, buf, len, "compression", level, NULL);
}

int tl_save_jpeg(VipsImage *im, int quality, void **buf, size_t *len)
{
	return vips_jpegsave_buffer(im, buf, len, "Q", quality, "optimize_coding", TRUE, NULL);
}

int tl_thumbnail(const void *buf, size_t len, int w, int h, uint8_t *dst)
{
	const int32_t never = 0;
	VipsImage *im = NULL;
	if (vips_thumbnail_buffer((void *) buf, len, &im, w, "height", h, "size", VIPS_SIZE_FORCE, NULL))
		return -1;
	int err = tl_write(im, dst, &never, NULL);
	g_object_unref(im);
	return err;
}
