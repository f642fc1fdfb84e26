"""Writes detect/testdata/decode.npz: raw detector outputs, and what is left of them
after decoding as each project's own code does it and torchvision's class-wise NMS.

    pip install torch==2.15.0 torchvision==0.29.2 numpy==2.4.6
    python golden/nms.py
"""

import pathlib

import numpy as np
import torch
from torchvision.ops import batched_nms, box_convert

OUT = pathlib.Path(__file__).parent.parent / "detect" / "testdata" / "decode.npz"
SIZE = 64  # of the square input, pixels
MIN_SCORE = 0.3


def best(boxes, scores, iou):
    """boxes (A, 4) xyxy in pixels, scores (A, C): rows class, score, x1, y1, x2, y2, best first."""
    anchor, cls = torch.nonzero(scores >= MIN_SCORE, as_tuple=True)
    s, b = scores[anchor, cls], boxes[anchor]
    keep = batched_nms(b, s, cls, iou)
    return torch.cat([cls[keep, None].float(), s[keep, None], b[keep]], 1).numpy().astype(np.float32)


def scores_of(rng, n, classes):
    """Few high scores among many low ones, as detectors give."""
    return torch.from_numpy((rng.random((n, classes)) ** 4).astype(np.float32))


def main():
    rng = np.random.default_rng(7)
    arrays = {}

    # TensorFlow's SSD: boxes ymin, xmin, ymax, xmax relative; column 0 is the background
    n, classes = 80, 4
    corner = rng.random((n, 2)) * 0.6
    boxes = np.concatenate([corner, corner + 0.1 + rng.random((n, 2)) * 0.4], 1).astype(np.float32)
    scores = scores_of(rng, n, classes + 1)
    pixels = torch.from_numpy(boxes)[:, [1, 0, 3, 2]] * SIZE
    arrays |= {"ssd_boxes": boxes[None, :, None], "ssd_scores": scores.numpy()[None], "ssd": best(pixels, scores[:, 1:], 0.6)}

    # YOLOX: demo_postprocess of yolox/utils/demo_utils.py, restated
    n, classes = 84, 3
    out = np.concatenate(
        [rng.random((n, 2)), rng.normal(0.8, 0.4, (n, 2)), rng.random((n, 1)) ** 0.3, rng.random((n, classes))], 1
    ).astype(np.float32)
    grids, strides = [], []
    for stride in (8, 16, 32):
        side = SIZE // stride
        xv, yv = np.meshgrid(np.arange(side), np.arange(side))
        grids.append(np.stack((xv, yv), 2).reshape(-1, 2))
        strides.append(np.full((side * side, 1), stride))
    grid, stride = np.concatenate(grids), np.concatenate(strides)
    cxcywh = np.concatenate([(out[:, :2] + grid) * stride, np.exp(out[:, 2:4]) * stride], 1).astype(np.float32)
    pixels = box_convert(torch.from_numpy(cxcywh), "cxcywh", "xyxy")
    arrays |= {"yolox_out": out[None], "yolox": best(pixels, torch.from_numpy(out[:, 4:5] * out[:, 5:]), 0.65)}

    # YOLOv8: one output (1, 4+C, A), cxcywh in pixels
    n, classes = 84, 3
    cxcywh = np.concatenate([rng.random((n, 2)) * SIZE, 4 + rng.random((n, 2)) * 40], 1).astype(np.float32)
    scores = scores_of(rng, n, classes)
    pixels = box_convert(torch.from_numpy(cxcywh), "cxcywh", "xyxy")
    out = np.concatenate([cxcywh, scores.numpy()], 1).T[None]
    arrays |= {"yolov8_out": np.ascontiguousarray(out), "yolov8": best(pixels, scores, 0.7)}

    # Models that have suppressed already: torchvision's three outputs, Ultralytics' rows
    rows = best(pixels, scores, 0.7)[:, [2, 3, 4, 5, 1, 0]]
    order = rng.permutation(len(rows))
    arrays |= {
        "boxes_boxes": rows[order, :4], "boxes_labels": rows[order, 5].astype(np.int64), "boxes_scores": rows[order, 4],
        "boxes_rows": rows[None, order], "boxes": arrays["yolov8"],
    }

    OUT.parent.mkdir(exist_ok=True)
    np.savez_compressed(OUT, **arrays)
    assert OUT.stat().st_size <= 50_000
    for k in ("ssd", "yolox", "yolov8"):
        print(k, arrays[k].shape)


main()
