"""Writes geom/testdata/rle.json: polygons, and the masks that pycocotools makes of them
as compressed run lengths, with area and bounding box.

    pip install pycocotools numpy
    python golden/rle.py
"""

import importlib.metadata
import json
import math
import pathlib

import numpy as np
from pycocotools import mask

OUT = pathlib.Path(__file__).parent.parent / "geom" / "testdata" / "rle.json"
SEED = 11


def star(rng, n, cx, cy, r, step):
    """Points around a centre; a step other than 1 makes lines that cross."""
    angles = np.sort(rng.random(n)) * 2 * math.pi
    radii = r * (0.3 + 0.7 * rng.random(n))
    points = np.stack([cx + radii * np.cos(angles), cy + radii * np.sin(angles)], 1)
    return points[(np.arange(n) * step) % n]


def case(name, points, w, h):
    flat = [round(float(v), 3) for v in np.asarray(points).ravel()]
    rle = mask.frPyObjects([flat], h, w)[0]
    bitmap = mask.decode(rle)
    return {
        "name": name, "w": w, "h": h, "polygon": flat, "counts": rle["counts"].decode(),
        "area": int(bitmap.sum()), "box": mask.toBbox(rle).tolist(),
        "rows": ["".join(map(str, row)) for row in bitmap] if w * h <= 400 else None,
    }


def main():
    rng = np.random.default_rng(SEED)
    cases = [
        case("whole pixels", [(1, 1), (5, 1), (5, 4), (1, 4)], 8, 6),
        case("half pixels", [(0.5, 0.5), (4.5, 0.5), (4.5, 3.5), (0.5, 3.5)], 8, 6),
        case("the whole image", [(0, 0), (8, 0), (8, 6), (0, 6)], 8, 6),
        case("beyond every edge", [(-5, -7), (30, -7), (30, 40), (-5, 40)], 8, 6),
        case("beside the image", [(20, 1), (25, 1), (25, 4)], 8, 6),
        case("a bow tie", [(1, 1), (15, 12), (15, 1), (1, 12)], 17, 14),
        case("a line", [(1, 1), (6, 5), (1, 1), (3, 2.5)], 8, 6),
        case("points twice", [(1, 1), (1, 1), (6, 1), (6, 1), (6, 5), (1, 5), (1, 1)], 8, 6),
        case("to the last column", [(3, 2), (9, 2), (9, 8), (3, 8)], 7, 5),
    ]
    for i in range(60):
        w, h = int(rng.integers(5, 90)), int(rng.integers(5, 90))
        n = int(rng.integers(3, 14))
        points = star(rng, n, *(rng.random(2) * [w, h]), max(w, h) * rng.random(), int(rng.choice([1, 1, 2, 3])))
        if i % 3 == 0:
            points = np.round(points)
        cases.append(case(f"random {i}", points, w, h))
    versions = {p: importlib.metadata.version(p) for p in ("pycocotools", "numpy")}
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"versions": versions, "seed": SEED, "cases": cases}, indent=0) + "\n")
    print(OUT, OUT.stat().st_size)


if __name__ == "__main__":
    main()
