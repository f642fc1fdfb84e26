"""Writes augment/testdata/augment.npz: a picture, and what torchvision's v2 transforms make
of it: colours changed by known factors, turns of picture, mask and boxes.

    pip install torch==2.15.0 torchvision==0.29.2 numpy
    python golden/augment.py
"""

import pathlib

import numpy as np
import torch
import torchvision
from torchvision import tv_tensors
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

OUT = pathlib.Path(__file__).parent.parent / "augment" / "testdata" / "augment.npz"
SEED = 5
H, W = 24, 32
FACTORS = {"brightness": [0.5, 1.4], "contrast": [0.4, 1.7], "saturation": [0.0, 0.6, 1.8], "hue": [-0.5, -0.13, 0.02, 0.31]}
ANGLES = [17.0, -33.5, 90.0]


def picture(rng):
    """Smooth colours with some noise and greys."""
    coarse = torch.from_numpy(rng.random((1, 3, 5, 6)) * 255)
    smooth = torch.nn.functional.interpolate(coarse, (H, W), mode="bilinear")[0]
    noise = torch.from_numpy(rng.normal(0, 12, (3, H, W)))
    img = (smooth + noise).clamp(0, 255).to(torch.uint8)
    img[:, :4] = img[:1, :4]
    return img


def hwc(t):
    return t.permute(1, 2, 0).contiguous().numpy()


def main():
    rng = np.random.default_rng(SEED)
    img = picture(rng)
    arrays = {"seed": np.array(SEED), "torchvision": np.frombuffer(torchvision.__version__.encode(), np.uint8), "image": hwc(img)}
    for name, factors in FACTORS.items():
        for i, f in enumerate(factors):
            arrays[f"{name}_{i}"] = hwc(getattr(F, f"adjust_{name}")(img, f))
            arrays[f"{name}_{i}_factor"] = np.array([f])
    # turned on a canvas around the picture, so that the border plays no part
    smooth = torch.nn.functional.interpolate(img[None].float(), (H, W), mode="area")[0]
    smooth = torch.nn.functional.avg_pool2d(smooth[None], 5, 1, 2, count_include_pad=False)[0].round().to(torch.uint8)
    mask = tv_tensors.Mask(torch.from_numpy((np.add.outer(np.arange(H) // 7, np.arange(W) // 9) % 5).astype(np.uint8)))
    boxes = tv_tensors.BoundingBoxes([[8.0, 6, 18, 14], [22, 13, 27, 22], [12, 8, 20, 17]], format="XYXY", canvas_size=(H, W))
    arrays["smooth"], arrays["mask"], arrays["boxes"] = hwc(smooth), mask.numpy(), boxes.numpy()
    for i, angle in enumerate(ANGLES):
        arrays[f"rotate_{i}_angle"] = np.array([angle], np.float32)
        arrays[f"rotate_{i}"] = hwc(F.rotate(smooth, angle, InterpolationMode.BILINEAR, fill=[0.0]))
        arrays[f"rotate_{i}_mask"] = F.rotate(mask, angle, fill=255).numpy()
        arrays[f"rotate_{i}_boxes"] = F.rotate_bounding_boxes(
            boxes.as_subclass(torch.Tensor), format=tv_tensors.BoundingBoxFormat.XYXY, canvas_size=(H, W), angle=angle)[0].numpy()
    OUT.parent.mkdir(exist_ok=True)
    np.savez_compressed(OUT, **arrays)
    print(OUT, OUT.stat().st_size)


if __name__ == "__main__":
    main()
