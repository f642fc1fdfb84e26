"""Broken requests: each gets an error in its vendor's own shape, or its answer where it
is right after all, and the server goes on answering."""
import base64
import concurrent.futures
import datetime
import gzip
import json
import struct
import time
import zlib

from process import Home, Server
from wire import AWS, GOOGLE, Answer, exchange, request, send, sign

ANY = {**AWS, "Authorization": "AWS4-HMAC-SHA256 any"}
VISION = "/v1/images:annotate"


def picture(side=96):
    """A grey PNG, large enough for Rekognition."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = (b"\0" + b"\x80" * side) * side
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


PNG = base64.b64encode(picture()).decode()
LABELS = json.dumps({"Image": {"Bytes": PNG}}).encode()


def batch(n=1, content=PNG):
    one = {"image": {"content": content}, "features": [{"type": "LABEL_DETECTION"}]}
    return json.dumps({"requests": [one] * n}).encode()


def labels(a):
    """Rekognition's answer to a right request."""
    return a.status == 200 and "Labels" in (a.json() or {})


def annotated(a):
    return a.status == 200 and all("error" not in r for r in (a.json() or {}).get("responses", [{"error": 0}]))


def aws(name, status=400):
    """Rekognition's error of that name, in its shape."""
    def check(a):
        e = a.json() or {}
        return (a.status == status and e.get("__type") == e.get("Code") == name == a.headers.get("x-amzn-errortype")
                and e.get("Message") and e.get("Logref") == a.headers.get("x-amzn-requestid"))
    return check


def google(status, code=400):
    """Google's error of that status, in its shape."""
    def check(a):
        e = (a.json() or {}).get("error", {})
        return a.status == e.get("code") == code and e.get("status") == status and e.get("message")
    return check


def http(*statuses):
    """An answer of the HTTP layer, below either vendor's."""
    return lambda a: a.status in statuses


def rekognition_cases():
    yield "truncated JSON", request("/", LABELS[:40], ANY), aws("SerializationException")
    yield "no JSON", request("/", b"\0\xff\xfe", ANY), aws("SerializationException")
    yield "an empty body", request("/", b"", ANY), aws("SerializationException")
    yield "a list", request("/", b"[]", ANY), aws("SerializationException")
    yield "wrong base64", request("/", b'{"Image":{"Bytes":"!!not base64!!"}}', ANY), aws("SerializationException")
    yield "base64 of no picture", request("/", b'{"Image":{"Bytes":"aGVsbG8="}}', ANY), aws("InvalidImageFormatException")
    yield "no picture", request("/", b"{}", ANY), aws("ValidationException")
    yield "a number for a structure", request("/", b'{"Image":1e999}', ANY), aws("SerializationException")
    for deep in (b'{"Image":' * 100_000, b'{"x":' + b"[" * 1_000_000, b'{"Image":{"Bytes":' + b"{" * 1_000_000):
        yield f"JSON nested 100,000 deep: {deep[:18].decode()}", request("/", deep, ANY), aws("SerializationException")
    yield "an unknown target", request("/", LABELS, {**ANY, "X-Amz-Target": "RekognitionService.MakeCoffee"}), aws("UnknownOperationException")
    yield "a target of another service", request("/", LABELS, {**ANY, "X-Amz-Target": "DynamoDB_20120810.ListTables"}), aws("UnknownOperationException")
    yield "an operation not offered", request("/", b"{}", {**ANY, "X-Amz-Target": "RekognitionService.DetectFaces"}), aws("UnknownOperationException")
    yield "no target", request("/", LABELS, {**ANY, "X-Amz-Target": None}), aws("UnknownOperationException")
    yield "a body of 11 MB", request("/", b'{"x":"' + b"a" * 11_000_000 + b'"}', ANY), aws("RequestEntityTooLargeException", 413)
    yield "a picture of 6 MB", request("/", json.dumps({"Image": {"Bytes": "A" * 8_000_000}}).encode(), ANY), aws("ValidationException")
    yield "a Content-Length of 1 TB", request("/", LABELS, ANY, length=1 << 40), aws("RequestEntityTooLargeException", 413)
    yield "chunks without end, 11 MB", chunked("/", ANY, b"a" * 1_000_000, 11), aws("RequestEntityTooLargeException", 413)
    yield "a chunk of no length", request("/", b"zz\r\nx\r\n", {**ANY, "Content-Length": None, "Transfer-Encoding": "chunked"}), aws("SerializationException")
    yield "another host (DNS rebinding)", request("/", LABELS, {**ANY, "Host": "evil.example"}), aws("AccessDeniedException")
    yield "a web page's request", request("/", LABELS, {**ANY, "Origin": "https://evil.example"}), aws("AccessDeniedException")
    yield "a page without origin", request("/", LABELS, {**ANY, "Origin": "null"}), aws("AccessDeniedException")


def vision_cases():
    bomb = gzip.compress(b'{"requests":[' + b" " * 1_000_000_000)
    wrong = google("INVALID_ARGUMENT")
    yield "truncated JSON", request(VISION, batch()[:60], GOOGLE), wrong
    yield "wrong base64", request(VISION, batch(content="!!!"), GOOGLE), wrong
    yield "an unknown field", request(VISION, b'{"pictures":[]}', GOOGLE), wrong
    yield "no requests", request(VISION, b"{}", GOOGLE), wrong
    yield "an empty body", request(VISION, b"", GOOGLE), wrong
    yield "17 pictures", request(VISION, batch(17), GOOGLE), wrong
    yield "16 pictures", request(VISION, batch(16), GOOGLE), annotated
    yield "1000 pictures", request(VISION, batch(1000, ""), GOOGLE), wrong
    yield "JSON of 11 MB", request(VISION, batch(content="A" * 11_000_000), GOOGLE), wrong
    yield "nested 1,000,000 deep", request(VISION, b'{"requests":' + b"[" * 1_000_000, GOOGLE), wrong
    yield "an unknown field nested deep", request(VISION, b'{"x":' + b'{"x":' * 1_000_000, GOOGLE), wrong
    yield f"a gzip bomb of {len(bomb) / 1e6:.1f} MB, 1 GB unpacked", request(VISION, bomb, {**GOOGLE, "Content-Encoding": "gzip"}), wrong
    yield "gzip cut short", request(VISION, gzip.compress(batch())[:-12], {**GOOGLE, "Content-Encoding": "gzip"}), wrong
    yield "gzip that is none", request(VISION, batch(), {**GOOGLE, "Content-Encoding": "gzip"}), wrong
    yield "gzip in order", request(VISION, gzip.compress(batch()), {**GOOGLE, "Content-Encoding": "gzip"}), annotated
    yield "an encoding nobody knows", request(VISION, batch(), {**GOOGLE, "Content-Encoding": "br"}), wrong
    yield "an unknown method", request("/v1/images:steal", batch(), GOOGLE), google("NOT_FOUND", 404)
    yield "a method not offered", request("/v1/files:annotate", b"{}", GOOGLE), google("UNIMPLEMENTED", 501)
    yield "a Host of somebody else", request(VISION, batch(), {**GOOGLE, "Host": "evil.example"}), google("PERMISSION_DENIED", 403)
    yield "no HTTP in the path", request("/v1/%00%ff/../../etc/passwd", b"", GOOGLE), http(301, 307, 400, 404)
    # A picture by URL is refused while no hosts are configured, whatever it names.
    inside = json.dumps({"requests": [{"image": {"source": {"imageUri": "http://169.254.169.254/latest/meta-data/"}},
                                       "features": [{"type": "LABEL_DETECTION"}]}]}).encode()
    yield "the cloud's metadata by URL", request(VISION, inside, GOOGLE), lambda a: a.status == 200 and a.json()["responses"][0]["error"]["code"] == 7


def http_cases():
    yield "80 KB of headers", request("/", LABELS, {**ANY, "X-Long": "a" * 80_000}), http(431)
    yield "10,000 headers", request("/", LABELS, {**ANY, **{f"X-{i}": "a" for i in range(10_000)}}), http(431)
    yield "a request line of 100 KB", request("/" + "a" * 100_000, b""), http(400, 414, 431)
    yield "no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64), http(400)
    yield "two Content-Lengths", request("/", LABELS, {**ANY, "Content-length": 3}), http(400)
    yield "length and chunks (smuggling)", request("/", b"0\r\n\r\n", {**ANY, "Transfer-Encoding": "chunked"}, length=99), http(400)
    yield "a negative length", request("/", LABELS, ANY, length=-1), http(400)
    yield "two Hosts", request("/", LABELS, {**ANY, "host": "evil.example"}), http(400)
    yield "a line break in a header", request("/", LABELS, {**ANY, "X-Bad": "a\rb"}), http(400)
    yield "HTTP/9.9", b"POST / HTTP/9.9\r\nHost: localhost\r\n\r\n", http(400, 505)
    yield "HTTP/1.1 without Host", b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", http(400)


def chunked(path, headers, piece, n):
    head = request(path, b"", {**headers, "Content-Length": None, "Transfer-Encoding": "chunked"})
    return head + (b"%x\r\n" % len(piece) + piece + b"\r\n") * n + b"0\r\n\r\n"


def auth_cases(key, other):
    """Signatures and keys, against a server that asks for them."""
    now = datetime.datetime.now(datetime.timezone.utc)
    good = sign(LABELS, key["id"], key["secret"])
    bearer = {**GOOGLE, "Authorization": f"Bearer {key['id']}.{key['secret']}"}
    yield "a right signature", request("/", LABELS, good), labels
    yield "the same again, within its window", request("/", LABELS, good), labels
    yield "its body changed", request("/", LABELS + b" ", good), aws("InvalidSignatureException")
    yield "its target changed", request("/", LABELS, {**good, "X-Amz-Target": "RekognitionService.DetectFaces"}), aws("UnknownOperationException")
    for name, when in {"6 minutes old": now - datetime.timedelta(minutes=6), "from yesterday": now - datetime.timedelta(days=1),
                       "from the year 2000": now.replace(year=2000, day=1), "6 minutes early": now + datetime.timedelta(minutes=6)}.items():
        yield f"a signature {name}", request("/", LABELS, sign(LABELS, key["id"], key["secret"], when=when)), aws("InvalidSignatureException")
    yield "an old signature under a new date", request("/", LABELS, {
        **sign(LABELS, key["id"], key["secret"], when=now - datetime.timedelta(hours=1)), "X-Amz-Date": good["X-Amz-Date"]}), aws("InvalidSignatureException")
    yield "a forged signature", request("/", LABELS, sign(LABELS, key["id"], "not the secret")), aws("InvalidSignatureException")
    yield "another key's secret", request("/", LABELS, sign(LABELS, key["id"], other["secret"])), aws("InvalidSignatureException")
    yield "a key that is not", request("/", LABELS, sign(LABELS, "AKIAIOSFODNN7EXAMPLE", key["secret"])), aws("UnrecognizedClientException")
    yield "a signature for S3", request("/", LABELS, sign(LABELS, key["id"], key["secret"], service="s3")), aws("InvalidSignatureException")
    yield "no signature", request("/", LABELS, AWS), aws("MissingAuthenticationTokenException")
    yield "half a signature", request("/", LABELS, {**good, "Authorization": good["Authorization"][:60]}), aws("IncompleteSignatureException")
    yield "64 KB of nonsense for one", request("/", LABELS, {**good, "Authorization": "AWS4-HMAC-SHA256 " + "=,/;" * 12_000}), aws("IncompleteSignatureException")
    yield "a right key for Google", request(VISION, batch(), bearer), annotated
    yield "a right key in the query", request(f"{VISION}?key={key['id']}.{key['secret']}", batch(), GOOGLE), annotated
    yield "no key", request(VISION, batch(), GOOGLE), google("PERMISSION_DENIED", 403)
    yield "a wrong secret", request(VISION, batch(), {**GOOGLE, "X-Goog-Api-Key": f"{key['id']}.wrong"}), google("INVALID_ARGUMENT")
    yield "a key without a secret", request(VISION, batch(), {**GOOGLE, "X-Goog-Api-Key": key["id"]}), google("INVALID_ARGUMENT")


def run_cases(api, port, cases):
    faults, n, slowest = [], 0, (0, "")
    for name, text, ok in cases:
        n += 1
        begin = time.monotonic()
        answer = send(port, text)
        slowest = max(slowest, (time.monotonic() - begin, name))
        if not ok(answer):
            faults.append(f"{api}, {name}: {answer}")
    print(f"{api}: {n} broken requests, {len(faults)} answered wrongly, slowest {slowest[0]:.2f} s ({slowest[1]})")
    return faults


def run_connections(server):
    """Faults of the connection rather than the request, all at once: several wait."""
    post = request("/", LABELS, ANY)
    cut = len(post) - len(LABELS)

    def dripping():
        pieces = [post[:cut]] + [post[i:i + 1] for i in range(cut, len(post) - 1)]
        begin = time.monotonic()
        return send(server.port, *pieces[:200], pause=0.3), time.monotonic() - begin

    def stalled(text):
        begin = time.monotonic()
        return send(server.port, text), time.monotonic() - begin

    def pipelined():
        two = post.replace(b"Connection: close\r\n", b"") + b"\x00\xff garbage \r\n\r\n" * 10
        return exchange(server.port, two)

    faults = []
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        drip = pool.submit(dripping)
        stall = {name: pool.submit(stalled, text) for name, text in {
            "Rekognition": post[:cut + 30], "Vision": request(VISION, batch(), GOOGLE)[:200]}.items()}
        silent = pool.submit(stalled, b"POST / HT")
        whole = pool.submit(send, server.port, post, half_close=True)
        whole_vision = pool.submit(send, server.port, request(VISION, batch(4), GOOGLE), half_close=True)
        part = pool.submit(send, server.port, post[:cut + 30], half_close=True)
        garbage = pool.submit(pipelined)

        answer, seconds = drip.result()
        if not aws("RequestTimeoutException", 408)(answer) or seconds > 40:
            faults.append(f"a dripping body: {answer} after {seconds:.0f} s")
        print(f"a body that drips 3 bytes a second: {answer.status} after {seconds:.0f} s")
        for api, check in (("Rekognition", aws("RequestTimeoutException", 408)), ("Vision", google("DEADLINE_EXCEEDED", 408))):
            answer, seconds = stall[api].result()
            print(f"a body that stops, {api}: {answer.status} after {seconds:.0f} s")
            if not check(answer) or seconds > 15:
                faults.append(f"a stalled body, {api}: {answer} after {seconds:.0f} s")
        answer, seconds = silent.result()
        if answer.status not in (0, 400, 408) or seconds > 15:
            faults.append(f"a header that stops: {answer} after {seconds:.0f} s")
        if not labels(whole.result()):
            faults.append(f"half-closed after a whole request: {whole.result()}")
        if not annotated(whole_vision.result()):
            faults.append(f"half-closed after a whole request of Vision: {whole_vision.result()}")
        if not aws("SerializationException")(part.result()):
            faults.append(f"half-closed within a body: {part.result()}")
        raw = garbage.result()
        first, second = Answer(raw), raw[raw.find(b"HTTP/1.1", 1):]
        if first.status != 200 or not second.startswith(b"HTTP/1.1 400"):
            faults.append(f"garbage pipelined after a request: {raw[:300]}")
    return faults


def log_faults(server):
    """The id that a client reads is in the log."""
    answer = send(server.port, request("/", b"{", ANY))
    found = server.lines("request", answer.headers.get("x-amzn-requestid"))
    return [] if any(r["msg"] == "request" for r in found) else [f"request id of {answer.headers} is not in the log"]


def still_answering(server):
    return [] if server.alive() and labels(send(server.port, request("/", LABELS, ANY))) else ["the server no longer answers"]


def run(server):
    faults = run_cases("Rekognition", server.port, rekognition_cases())
    faults += run_cases("Vision", server.port, vision_cases())
    faults += run_cases("HTTP", server.port, http_cases())
    faults += run_connections(server) + log_faults(server) + still_answering(server)
    home = Home()
    try:
        key, other = home.key("--name", "hostile"), home.key("--account", "111122223333")
        locked = Server("--home", home.path, "--auth")
        faults += run_cases("keys", locked.port, auth_cases(key, other))
        if any(secret in line for line in locked.log for secret in (key["secret"], other["secret"])):
            faults.append("a secret is in the log")
        if locked.panics() or locked.stop() != 0:
            faults.append("the server with keys panicked or died")
    finally:
        home.remove()
    return faults
