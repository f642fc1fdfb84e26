"""Small files of every format imageio reads, and their pixels: imageio/testdata/formats.npz.

For each name there is "NAME file", the bytes, and "NAME rgb", what Pillow makes of
them: upright (ImageOps.exif_transpose), alpha laid on white, sRGB by ImageCms where a
profile is embedded; where "NAME rgb" is missing it equals "png rgb". The picture is 32 x 24, smooth, so that lossy codecs stay close.

Requirements: numpy==1.26.4 pillow==13.0.0
Run: python golden/formats.py
"""
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

W, H = 32, 24
UNDO = {2: Image.FLIP_LEFT_RIGHT, 3: Image.ROTATE_180, 4: Image.FLIP_TOP_BOTTOM, 5: Image.TRANSPOSE,
        6: Image.ROTATE_90, 7: Image.TRANSVERSE, 8: Image.ROTATE_270}


def picture():
    y, x = np.mgrid[0:H, 0:W].astype(np.float64)
    rgb = np.stack([40 + 200 * x / W, 30 + 210 * y / H, 128 + 90 * np.sin(x / 9) * np.cos(y / 8)], -1)
    return Image.fromarray(np.rint(rgb).astype(np.uint8))


def wide_profile():
    """A matrix profile with the primaries of Adobe RGB, made from sRGB's own."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(data[128:132], "big")
    tags = {bytes(data[132 + 12 * i:136 + 12 * i]): int.from_bytes(data[136 + 12 * i:140 + 12 * i], "big")
            for i in range(count)}
    xyz = {b"rXYZ": (0.60974, 0.31111, 0.01947), b"gXYZ": (0.20528, 0.62567, 0.06087), b"bXYZ": (0.14919, 0.06322, 0.74457)}
    for tag, values in xyz.items():
        for i, v in enumerate(values):
            at = tags[tag] + 8 + 4 * i
            data[at:at + 4] = int(round(v * 65536)).to_bytes(4, "big")
    return bytes(data).replace(b"s\0R\0G\0B", b"A\0R\0G\0B").replace(b"sRGB", b"ARGB")


def decode(data):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    profile = image.info.get("icc_profile")
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    image = image.convert("RGB")
    if profile:
        image = ImageCms.profileToProfile(
            image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION)
    return np.asarray(image)


def main():
    rgb = picture()
    alpha = Image.fromarray(np.tile(np.linspace(0, 255, W).astype(np.uint8), (H, 1)))
    rgba = rgb.copy()
    rgba.putalpha(alpha)
    grey = rgb.convert("L")
    la = Image.merge("LA", (grey, alpha))
    deep = Image.fromarray((np.asarray(grey).astype(np.uint16) << 8) + 77)
    frames = [rgb.quantize(16), ImageOps.invert(rgb).quantize(16)]
    files = {
        "jpeg": (rgb, "JPEG", {"quality": 95}),
        "jpeg progressive": (rgb, "JPEG", {"quality": 95, "progressive": True}),
        "jpeg grey": (grey, "JPEG", {"quality": 95}),
        "jpeg profile": (rgb, "JPEG", {"quality": 95, "icc_profile": wide_profile()}),
        "png": (rgb, "PNG", {}),
        "png alpha": (rgba, "PNG", {}),
        "png grey alpha": (la, "PNG", {}),
        "png palette": (frames[0], "PNG", {"transparency": 3}),
        "png 16 bit": (deep, "PNG", {}),
        "png 1 bit": (rgb.convert("1"), "PNG", {}),
        "webp": (rgb, "WEBP", {"quality": 95}),
        "webp lossless alpha": (rgba, "WEBP", {"lossless": True, "exact": True}),
        "gif": (frames[0], "GIF", {}),
        "gif animated": (frames[0], "GIF", {"save_all": True, "append_images": frames[1:]}),
        "tiff": (rgb, "TIFF", {"compression": "tiff_lzw"}),
        "tiff 16 bit": (deep, "TIFF", {}),
        "bmp": (rgb, "BMP", {}),
        "bmp palette": (rgb.quantize(40), "BMP", {}),
        "bmp 1 bit": (rgb.convert("1"), "BMP", {}),
        "avif": (rgb, "AVIF", {"quality": 95, "subsampling": "4:4:4"}),
    }
    for o in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = o
        stored = rgb.transpose(UNDO[o]) if o in UNDO else rgb
        files[f"orientation {o}"] = (stored, "PNG", {"exif": exif})
    out = {"png rgb": np.asarray(rgb)}
    for name, (image, kind, options) in files.items():
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        out[f"{name} file"] = np.frombuffer(buffer.getvalue(), dtype=np.uint8)
        pixels = decode(buffer.getvalue())
        if not np.array_equal(pixels, out["png rgb"]):
            out[f"{name} rgb"] = pixels
    path = Path(__file__).parent.parent / "imageio/testdata/formats.npz"
    np.savez_compressed(path, **out)
    print(path.name, path.stat().st_size, "bytes,", len(files), "files")


if __name__ == "__main__":
    main()
