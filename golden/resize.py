"""Goldens of imageio's resize filters: imageio/testdata/resize.npz.

Each filter is computed by the project whose behaviour it promises: TensorFlow's
compat.v1 resize_bilinear, PyTorch's interpolate, Pillow's resize. The picture is
37 x 23, smooth shapes plus noise, so that both edges and gradients are tried.

Requirements: numpy==1.26.4 pillow==13.0.0 tensorflow-cpu==2.16.2 torch==2.15.0
Run: python golden/resize.py
"""
import io
from pathlib import Path

import numpy as np
import tensorflow as tf
import torch
from PIL import Image

W, H = 37, 23
SIZES = [(15, 9), (41, 9), (14, 25), (37, 5)]  # shrunk, both ways, one axis; few, to stay under 50 KB
BOX = (3.5, 2.25, 30.5, 21.0)
PILLOW = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "area": Image.BOX, "lanczos": Image.LANCZOS}


def picture():
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:H, 0:W].astype(np.float64)
    smooth = np.stack([255 * x / W, 255 * y / H, 127 + 120 * np.sin(x / 3) * np.cos(y / 4)], -1)
    noisy = smooth + rng.normal(0, 25, smooth.shape)
    noisy[5:12, 8:20] = [250, 5, 128]  # hard edges
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def main():
    src = picture()
    out = {"source": src}
    image = Image.fromarray(src)
    planes = torch.from_numpy(src).permute(2, 0, 1)[None].float()
    for w, h in SIZES:
        out[f"bilinear-tf {w}x{h}"] = tf.compat.v1.image.resize_bilinear(
            src[None].astype(np.float32), (h, w), align_corners=False, half_pixel_centers=False)[0].numpy()
        out[f"bilinear-half-pixel {w}x{h}"] = torch.nn.functional.interpolate(
            planes, (h, w), mode="bilinear", align_corners=False, antialias=False)[0].permute(1, 2, 0).numpy()
        for name, method in PILLOW.items():
            out[f"{name} {w}x{h}"] = np.asarray(image.resize((w, h), method))
    for name, method in PILLOW.items():
        out[f"{name} box 16x12"] = np.asarray(image.resize((16, 12), method, box=BOX))
    out = {k: np.ascontiguousarray(v) for k, v in out.items()}
    path = Path(__file__).parent.parent / "imageio/testdata/resize.npz"
    path.parent.mkdir(exist_ok=True)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **out)
    path.write_bytes(buffer.getvalue())
    print(path.name, len(buffer.getvalue()), "bytes,", len(out), "arrays")


if __name__ == "__main__":
    main()
