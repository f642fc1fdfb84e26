"""CLAHE by OpenCV, local equalisation by scikit-image, resizing and turning by Pillow and the borders
of libvips' find_trim, for package pipeline: pipeline/testdata/local.npz.

Requirements: opencv-python-headless==5.0.0.93 scikit-image==0.26.0 pillow==13.0.0 pyvips==3.2.0
pyvips-binary==8.18.7 numpy==2.4.6. Seed 11.
Run: python golden/pipeline_local.py
"""
import cv2
import numpy as np
import pyvips
from PIL import Image, ImageOps
from skimage.filters import rank

rng = np.random.default_rng(11)
h, w = 40, 60
y, x = np.mgrid[0:h, 0:w]
base = 110 + 60 * np.sin(x / 9.0) * np.cos(y / 7.0)
img = np.stack([base + 20, base * 0.8, 200 - base], -1) + rng.integers(-15, 16, (h, w, 3))
img = np.clip(img, 0, 255).astype(np.uint8)
grey = np.array(Image.fromarray(img).convert("L"))
pil, small = Image.fromarray(img), Image.fromarray(img[:9, :13])

out = {"image": img, "small": img[:9, :13], "grey": grey}


for tiles, slope in [(8, 3), (4, 1), (5, 0), (6, 40)]:  # 40×60 is a multiple of 4 and 5, not of 8 and 6
    out[f"clahe_{tiles}_{slope}"] = cv2.createCLAHE(clipLimit=slope, tileGridSize=(tiles, tiles)).apply(grey)
out["window_11"] = rank.equalize(grey, np.ones((11, 11), np.uint8))

for name, f in {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "lanczos": Image.LANCZOS}.items():
    out[f"resize_{name}"] = np.array(pil.resize((25, 14), f))
    out[f"enlarge_{name}"] = np.array(small.resize((21, 17), f))
out["fit_lanczos"] = np.array(ImageOps.contain(pil, (28, 28), Image.LANCZOS))
out["letterbox_bilinear"] = np.array(ImageOps.pad(pil, (32, 31), Image.BILINEAR, color=(114, 114, 114)))
out["turn_90"] = np.array(small.transpose(Image.Transpose.ROTATE_270))  # Pillow's are anticlockwise
out["turn_180"] = np.array(small.transpose(Image.Transpose.ROTATE_180))
out["turn_270_horizontal"] = np.array(small.transpose(Image.Transpose.ROTATE_90).transpose(Image.Transpose.FLIP_LEFT_RIGHT))
out["turn_0_vertical"] = np.array(small.transpose(Image.Transpose.FLIP_TOP_BOTTOM))

framed = np.full((36, 40, 3), 200, np.uint8) + rng.integers(0, 2, (36, 40, 3), dtype=np.uint8)
framed[9:31, 14:33] = rng.integers(0, 120, (22, 19, 3))
framed[3, 5] = framed[34, 37] = 0  # specks
for threshold in [0, 1, 10, 90, 254]:
    v = pyvips.Image.new_from_memory(framed.tobytes(), 40, 36, 3, "uchar")
    out[f"trim_{threshold}"] = np.array(v.find_trim(threshold=threshold, background=framed[0, 0].tolist()), np.int64)
out["framed"] = framed
np.savez_compressed("pipeline/testdata/local.npz", **out)
