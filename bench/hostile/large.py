"""Eight clients that each send 100-megapixel pictures: answered or throttled, never killed."""
import collections
import concurrent.futures
import io
import json
import random
import time

from PIL import Image

import files

SIDE = 10_000


def pictures():
    """Encoded 10000x10000 pictures, each made when asked for: a photograph-like pattern
    small enough for the vendors' limits on bytes."""
    tile = Image.frombytes("RGB", (64, 64), random.Random(7).randbytes(64 * 64 * 3))
    picture = tile.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    for name, options in {
        "JPEG": {"format": "JPEG", "quality": 50},
        "progressive JPEG": {"format": "JPEG", "quality": 30, "progressive": True},
    }.items():
        yield name, encoded(picture, **options)
    flat = picture.resize((100, 100)).quantize(8).resize((SIDE, SIDE))  # blocks, which deflate well
    yield "palette PNG", encoded(flat, format="PNG", compress_level=6)
    yield "RGB PNG", encoded(flat.convert("RGB"), format="PNG", compress_level=6)
    yield "interlaced PNG header over nothing", interlaced_header()
    yield "GIF", encoded(flat, format="GIF")


def encoded(picture, **options):
    out = io.BytesIO()
    picture.save(out, **options)
    return out.getvalue()


def interlaced_header():
    """A PNG that says it is 10000x10000 and interlaced, which is decoded whole, and ends early."""
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 16, 6, 0, 0, 1))
            + chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + chunk(b"IEND", b""))


def judge_rekognition(status, headers, body):
    answer = json.loads(body)
    if status == 400 and answer.get("__type") == "ThrottlingException":
        return "throttled", None
    return files.judge_rekognition(status, headers, body)


def judge_vision(status, headers, body):
    if status == 429:
        return "throttled", None
    answer = json.loads(body)
    if status == 200 and answer["responses"][0].get("error", {}).get("code") == 8:
        return "throttled", None
    return files.judge_vision(status, headers, body)


def run(server):
    faults = []
    for name, data in pictures():
        for api, call, judge in (("Rekognition", files.rekognition, judge_rekognition),
                                 ("Vision", files.vision, judge_vision)):
            begin, answers = time.monotonic(), collections.Counter()
            with concurrent.futures.ThreadPoolExecutor(files.CLIENTS) as pool:
                calls = [pool.submit(call, server.port, data) for _ in range(2 * files.CLIENTS)]
                for c in calls:
                    try:
                        answer, fault = judge(*c.result())
                    except (OSError, ValueError) as e:
                        answer, fault = "no answer", repr(e)
                    answers[answer] += 1
                    if fault:
                        faults.append(f"{name} to {api}: {fault}")
            print(f"{2 * files.CLIENTS} × 100-megapixel {name} of {len(data) / 1e6:.1f} MB to {api}, {files.CLIENTS} clients: "
                  + ", ".join(f"{n} {a}" for a, n in answers.items())
                  + f", {time.monotonic() - begin:.1f} s, peak {server.peak():.0f} MB")
            if not server.alive():
                return faults + [f"the server died of {name}"]
    return faults
