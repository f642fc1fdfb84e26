"""Brush masks of Label Studio, encoded and decoded by its own SDK.

    pip install label-studio-sdk==2.1.2 numpy==2.2.6
    python golden/labelstudio_rle.py

Writes dataset/labelstudio/testdata/brush.json: masks of 0 and 1, row by row, and the run
lengths that label_studio_sdk.converter.brush makes of them.
"""

import json
import pathlib

import numpy as np
from label_studio_sdk.converter import brush

SEED = 3


def cases():
    r = np.random.default_rng(SEED)
    yield "noise", r.integers(0, 2, (7, 13))
    blocks = np.zeros((40, 60), int)
    blocks[5:20, 10:33] = 1
    blocks[30:, 50:] = 1
    yield "blocks", blocks
    yield "full", np.ones((3, 300), int)
    yield "empty", np.zeros((5, 4), int)


def main():
    out = []
    for name, mask in cases():
        rgba = np.repeat((mask * 255).astype(np.uint8).ravel(), 4)
        rle = brush.encode_rle(rgba)
        back = brush.decode_rle(rle).reshape(*mask.shape, 4)[:, :, 3]
        assert ((back > 0) == mask).all()
        h, w = mask.shape
        out.append({"name": name, "w": w, "h": h, "mask": "".join(map(str, mask.ravel())), "rle": [int(v) for v in rle]})
    path = pathlib.Path(__file__).parents[1] / "dataset/labelstudio/testdata/brush.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"made_by": "label-studio-sdk 2.1.2, numpy 2.2.6, seed 3", "cases": out}) + "\n")


if __name__ == "__main__":
    main()
