"""Colour steps of package pipeline by Pillow and torchvision, and a Gaussian and a local
equalisation by their formulas in numpy: pipeline/testdata/steps.npz.

Requirements: torch==2.15.0 torchvision==0.29.2, numpy and pillow as they bring them. Seed 7.
Run: python golden/pipeline_steps.py
"""
import numpy as np
import torch
import torchvision.transforms.v2.functional as F
from PIL import Image, ImageOps

rng = np.random.default_rng(7)
h, w = 24, 32
y, x = np.mgrid[0:h, 0:w]
img = np.stack([40 + 5 * x, 200 - 4 * y, 60 + 2 * x + 2 * y], -1) + rng.integers(-30, 30, (h, w, 3))
img = np.clip(img, 0, 255).astype(np.uint8)
pil, t = Image.fromarray(img), torch.from_numpy(img).permute(2, 0, 1)
hwc = lambda v: v.permute(1, 2, 0).numpy().astype(np.uint8)

out = {"image": img}
out["greyscale"] = np.stack([np.array(pil.convert("L"))] * 3, -1)
out["equalise"] = np.array(ImageOps.equalize(pil))
out["saturation"] = hwc(F.adjust_saturation(t, 1.7))
out["gamma"] = hwc(F.adjust_gamma(t, 0.6))
f = img.astype(np.float64)
out["contrast"] = np.clip(np.rint((f - 127.5) * 1.5 + 127.5), 0, 255).astype(np.uint8)
mean = f.mean((0, 1))
out["white-balance"] = np.clip(np.rint(f * mean.mean() / mean), 0, 255).astype(np.uint8)
blur = F.gaussian_blur(t.double(), [13, 13], [1.5, 1.5]).permute(1, 2, 0).numpy()
out["gaussian"] = np.clip(np.rint(blur), 0, 255).astype(np.uint8)
out["sharpen"] = np.clip(np.rint(f + 0.8 * (f - blur)), 0, 255).astype(np.uint8)
pad = np.pad(img, ((2, 2), (2, 2), (0, 0)), mode="edge")
out["median"] = np.median(np.lib.stride_tricks.sliding_window_view(pad, (5, 5), (0, 1)), (3, 4)).astype(np.uint8)
np.savez_compressed("pipeline/testdata/steps.npz", **out)
