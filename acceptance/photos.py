"""The pictures of the tests, and small ones that are made here."""

import os
import struct
import zlib
from pathlib import Path

import pytest

from serving import ROOT

DATA = Path(os.environ.get("TRILOBITE_DATA", ROOT.parent / "shared" / "data"))
SAMPLES = Path(os.environ.get("TRILOBITE_PACKAGES", ROOT / ".deps")) / "samples"

# Photographs and a thing on them that every client must name. The first two are of
# the reference data, the third is always there.
BICYCLE = (DATA / "photos_classic" / "dog.jpg", "Bicycle")
CAT = (SAMPLES / "chelsea.png", "Cat")
MOTORCYCLE = (SAMPLES / "motorcycle_left.png", "Motorcycle")


def need(path):
    """Returns path, or skips the test that needs it."""
    if not path.exists():
        pytest.skip(f"{path} is not here")
    return path


def png(width, height, rgb):
    """A PNG file of one colour."""
    return drawn(width, [bytes(rgb) * width] * height)


def drawn(width, rows, colours=2):
    """A PNG file of rows of bytes: signature, IHDR, IDAT, IEND (PNG specification, 5 and 11). colours
    is the colour type: 2 is RGB, 0 is grey."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, len(rows), 8, colours, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + r for r in rows))) + chunk(b"IEND", b"")


def padded(data, size):
    """The same picture in a file of size bytes: decoders stop at the file's end mark."""
    return data + bytes(size - len(data))
