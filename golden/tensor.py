"""Arrays of every type, order and rank for the readers of package tensor.

Writes tensor/testdata/arrays.npz (numpy.savez_compressed), arrays.safetensors and
arrays.json, the same elements as plain numbers. Versions: numpy 2.4.6, safetensors 0.8.0.
"""
import io, json, pathlib, zipfile
import numpy as np
from numpy.lib import format as npformat
from safetensors.numpy import save_file

rng = np.random.default_rng(7)
out = pathlib.Path(__file__).parent.parent / "tensor" / "testdata"
out.mkdir(parents=True, exist_ok=True)

arrays = {}
for t in "f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8".split():
    d = np.dtype(t)
    if d.kind == "f":
        a = rng.normal(size=(2, 3)).astype(d)
        a[0, 0], a[1, 1] = np.inf, -0.0
    else:
        i = np.iinfo(d)
        a = rng.integers(i.min, i.max, size=(2, 3), dtype=d, endpoint=True)
        a[0, 0], a[1, 2] = i.min, i.max
    arrays[t] = a
arrays["bool"] = rng.integers(0, 2, (5,)).astype(bool)
arrays["scalar"] = np.array(1.5, np.float32)
arrays["empty"] = np.zeros((0, 4), np.float32)

npz = dict(arrays)
npz["fortran"] = np.asfortranarray(rng.normal(size=(2, 3, 4)).astype(np.float32))
npz["big"] = rng.integers(-9, 9, (4,)).astype(">i4")
npz["fortran_big"] = np.asfortranarray(rng.normal(size=(3, 2)).astype(">f8"))
npz["text"] = np.array([["ant", "bee"], ["wasp", "müsli \U0001f41d"]])
np.savez_compressed(out / "arrays.npz", **npz)
for version in [(1, 0), (2, 0), (3, 0)]:
    b = io.BytesIO()
    npformat.write_array(b, npz["fortran"], version=version)
    (out / f"v{version[0]}.npy").write_bytes(b.getvalue())
save_file(arrays, out / "arrays.safetensors", metadata={"made": "by \"numpy\""})


def plain(a):
    # Floats as the bits of their double, so that inf and -0 survive JSON.
    a = a.astype(a.dtype.newbyteorder("="))
    if a.dtype.kind == "f":
        return [str(x) for x in a.astype(np.float64).reshape(-1).view(np.uint64)]
    return [str(x) for x in a.reshape(-1).tolist()]


(out / "arrays.json").write_text(json.dumps(
    {k: {"dtype": "string" if a.dtype.kind == "U" else a.dtype.newbyteorder("=").name, "shape": a.shape, "elements": plain(a)} for k, a in npz.items()}, indent=1))
