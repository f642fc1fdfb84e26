"""Masks of random scores at other sizes by PyTorch, for package segment.

Writes segment/testdata/resize.npz: for each case "NAME_scores" (C, h, w), "NAME_class" and
"NAME_confidence" (H, W), by interpolate (bilinear, align_corners false), softmax and
argmax. Seed 2. Versions: torch 2.15.0, numpy 2.4.6.
"""
import pathlib
import numpy as np, torch
import torch.nn.functional as F

out = pathlib.Path(__file__).parent.parent / "segment" / "testdata"
out.mkdir(exist_ok=True)
torch.manual_seed(2)
a = {}
for name, c, size, to, prob in [("larger", 5, (7, 9), (23, 31), False), ("smaller", 4, (16, 12), (5, 6), False),
                                ("same", 3, (6, 8), (6, 8), False), ("one_pixel", 3, (1, 1), (4, 3), False),
                                ("probabilities", 4, (5, 6), (20, 18), True)]:
    x = torch.randn(1, c, *size) * 3
    if prob:
        x = x.softmax(1)
    y = F.interpolate(x, size=to, mode="bilinear", align_corners=False)
    p = (y if prob else y.softmax(1)).max(1)
    a[name + "_scores"] = x[0].numpy()
    a[name + "_class"] = p.indices[0].numpy().astype(np.uint8)
    a[name + "_confidence"] = p.values[0].numpy()
np.savez_compressed(out / "resize.npz", **a)
print((out / "resize.npz").stat().st_size, "bytes")
