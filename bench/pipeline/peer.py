"""libvips' own operations on a photo of 12 megapixels in memory, with as many threads as
it takes by itself: milliseconds each, the best of five. pip install pyvips==3.2.0 pyvips-binary==8.18.7

Run: python bench/pipeline/peer.py .deps/samples/chelsea.png [STEP...]"""
import sys
import time

import pyvips

pyvips.cache_set_max(0)
small = pyvips.Image.new_from_file(sys.argv[1])[0:3]
photo = small.resize(4000 / small.width, vscale=3000 / small.height, kernel="cubic").copy_memory()
photo = pyvips.Image.new_from_memory(photo.write_to_memory(), photo.width, photo.height, 3, "uchar").copy(interpretation="srgb")


def balance(im):
    means = [im[c].avg() for c in range(3)]
    grey = sum(means) / 3
    return (im * [grey / m for m in means]).cast("uchar")


def clahe(im):
    y = im.recomb([[0.299, 0.587, 0.114]]).cast("uchar")
    return (im + (y.hist_local(64, 64, max_slope=3).cast("short") - y)).cast("uchar")


def saturation(im, s=1.7):
    w = [0.299 * (1 - s), 0.587 * (1 - s), 0.114 * (1 - s)]
    return im.recomb([[w[j] + (s if i == j else 0) for j in range(3)] for i in range(3)]).cast("uchar")


steps = {
    "orient": lambda im: im.rot90(),
    "crop": lambda im: im.crop(500, 500, 3000, 2000),
    "trim": lambda im: im.find_trim(threshold=10, background=im(0, 0)),
    "resize": lambda im: im.resize(1024 / 4000, vscale=768 / 3000, kernel="lanczos3"),
    "contrast": lambda im: im.linear(1.5, -63.75, uchar=True),
    "gamma": lambda im: im.gamma(exponent=1 / 0.6),
    "saturation": saturation,
    "white-balance": balance,
    "equalise": lambda im: im.hist_equal(),
    "clahe-window": clahe,
    "greyscale": lambda im: im.colourspace("b-w"),
    "median": lambda im: im.median(3),
    "gaussian": lambda im: im.gaussblur(1.5, min_ampl=0.01),
    "sharpen": lambda im: im.sharpen(sigma=1),
}
for name, step in steps.items():
    if sys.argv[2:] and name not in sys.argv[2:]:
        continue
    best = 1e9
    for _ in range(5):
        start = time.perf_counter()
        out = step(photo)
        if isinstance(out, pyvips.Image):
            out.write_to_memory()
        best = min(best, time.perf_counter() - start)
    print(f"{name}\t{best * 1e3:.1f}")
