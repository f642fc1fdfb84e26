"""What the tests of imports and exports share; they need deps/python/import.txt."""

import os
import subprocess

import numpy as np
from PIL import Image

from serving import BINARY

COLOURS = np.array([[30, 30, 30], [200, 40, 40], [40, 200, 40], [40, 40, 200], [200, 200, 40]])


class Store:
    """A home of its own."""

    def __init__(self, path):
        self.path = path

    def env(self):
        return {**os.environ, "TRILOBITE_HOME": str(self.path)}

    def run(self, *args, ok=True):
        done = subprocess.run([BINARY, *map(str, args)], env=self.env(), capture_output=True, text=True)
        assert (done.returncode == 0) == ok, done.stdout + done.stderr
        return done.stdout if ok else done.stderr

    def graph(self, ref):
        """The file of NAME@VERSION."""
        name, version = ref.split("@")
        return self.path / "models" / name / version / "model.onnx"


def blocks(folder, n, width, height, seed=1):
    """n pictures with coloured blocks on them, and their masks: images/, masks/, classes.txt."""
    r = np.random.default_rng(seed)
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for i in range(n):
        mask = np.zeros((height, width), np.uint8)
        for c in range(1, len(COLOURS)):
            y, x = r.integers(0, height // 2), r.integers(0, width // 2)
            mask[y:y + r.integers(16, height // 2), x:x + r.integers(16, width // 2)] = c
        picture = np.clip(COLOURS[mask] + r.normal(0, 15, (height, width, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(picture).save(folder / "images" / f"{i:02}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{i:02}.png")
    (folder / "classes.txt").write_text("".join(f"{i} {name}\n" for i, name in enumerate(("ground", "red", "green", "blue", "yellow"))))
    return folder
