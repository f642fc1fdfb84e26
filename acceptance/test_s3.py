"""Amazon S3 by boto3 as it comes: buckets, objects, listings, multipart, checksums, presigned
URLs, and both styles of addresses, on a server that verifies every signature."""

import io
import os
import socket
import urllib.error
import urllib.request

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

import clients
from serving import Server

MIB = 1 << 20
CHECKSUMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]


@pytest.fixture(scope="module")
def locked_tls(home, certificate):
    """Asks for keys, over TLS: there the SDKs send aws-chunked bodies with trailers."""
    with Server(home, "--auth", "--tls-cert", certificate[0], "--tls-key", certificate[1], ca=certificate[0]) as s:
        yield s


@pytest.fixture(scope="module")
def other(home):
    """A key of another account."""
    return home.create_key("--account", "222222222222", "--name", "other")


@pytest.fixture
def s3(locked, key):
    return clients.s3(locked.url, key)


@pytest.fixture
def made(s3, request):
    """A bucket of the test's own, emptied and deleted after it."""
    name = request.node.name.lower().replace("_", "-").replace("[", "-").replace("]", "")[:63]
    s3.create_bucket(Bucket=name)
    yield name
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=name)
    for key in [o["Key"] for page in pages for o in page.get("Contents", [])]:
        s3.delete_object(Bucket=name, Key=key)
    s3.delete_bucket(Bucket=name)


def code(raised):
    return raised.value.response["Error"]["Code"]


@pytest.mark.smoke
def test_buckets(s3):
    s3.create_bucket(Bucket="of-mine", CreateBucketConfiguration={"LocationConstraint": clients.REGION})
    assert "of-mine" in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    assert s3.get_bucket_location(Bucket="of-mine")["LocationConstraint"] == clients.REGION
    s3.get_waiter("bucket_exists").wait(Bucket="of-mine")
    s3.put_object(Bucket="of-mine", Key="a", Body=b"1")
    with pytest.raises(ClientError) as raised:
        s3.delete_bucket(Bucket="of-mine")
    assert code(raised) == "BucketNotEmpty"
    s3.delete_object(Bucket="of-mine", Key="a")
    s3.delete_bucket(Bucket="of-mine")
    s3.get_waiter("bucket_not_exists").wait(Bucket="of-mine")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.list_objects_v2(Bucket="of-mine")


def test_name_of_the_configuration(s3):
    with pytest.raises(s3.exceptions.BucketAlreadyExists):
        s3.create_bucket(Bucket="photos")


@pytest.mark.smoke
def test_object(s3, made):
    data = os.urandom(100_000)
    put = s3.put_object(Bucket=made, Key="in a folder/ü+&.bin", Body=data, ContentType="image/png", Metadata={"by": "me"})
    head = s3.head_object(Bucket=made, Key="in a folder/ü+&.bin")
    assert (head["ContentLength"], head["ContentType"], head["Metadata"], head["ETag"]) == (100_000, "image/png", {"by": "me"}, put["ETag"])
    assert s3.get_object(Bucket=made, Key="in a folder/ü+&.bin")["Body"].read() == data
    for span, want in (("bytes=10-19", data[10:20]), ("bytes=99990-", data[99990:]), ("bytes=-7", data[-7:])):
        got = s3.get_object(Bucket=made, Key="in a folder/ü+&.bin", Range=span)
        assert got["Body"].read() == want and got["ResponseMetadata"]["HTTPStatusCode"] == 206, span
    with pytest.raises(ClientError) as raised:
        s3.get_object(Bucket=made, Key="in a folder/ü+&.bin", Range="bytes=100000-")
    assert code(raised) == "InvalidRange"
    with pytest.raises(ClientError) as raised:
        s3.get_object(Bucket=made, Key="in a folder/ü+&.bin", IfNoneMatch=put["ETag"])
    assert code(raised) == "304"
    with pytest.raises(ClientError) as raised:
        s3.put_object(Bucket=made, Key="in a folder/ü+&.bin", Body=b"", IfNoneMatch="*")
    assert code(raised) == "PreconditionFailed"
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=made, Key="nothing")


@pytest.mark.parametrize("algorithm", CHECKSUMS)
def test_checksum_in_a_header(s3, made, algorithm):
    put = s3.put_object(Bucket=made, Key="a", Body=b"some bytes", ChecksumAlgorithm=algorithm)
    name = f"Checksum{algorithm}"
    got = s3.get_object(Bucket=made, Key="a", ChecksumMode="ENABLED")  # which boto3 verifies
    assert got["Body"].read() == b"some bytes"
    assert got[name] == put[name]
    wrong = "A" * (len(put[name]) - put[name].count("=")) + "=" * put[name].count("=")
    with pytest.raises(ClientError) as raised:
        s3.put_object(Bucket=made, Key="b", Body=b"some bytes", **{name: wrong})
    assert code(raised) == "BadDigest"
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=made)["Contents"]] == ["a"], "what was refused is there"


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("algorithm", CHECKSUMS)
def test_checksum_in_a_trailer(locked_tls, key, certificate, algorithm, signed):
    """Over TLS a stream is sent in chunks, its checksum after it."""
    s3 = clients.s3(locked_tls.url, key, ca=certificate[0], s3={"payload_signing_enabled": signed})
    sent = []
    s3.meta.events.register("before-send.s3.*", lambda request, **_: sent.append(dict(request.headers)) and None)
    name = f"trailer-{algorithm.lower()}-{'signed' if signed else 'unsigned'}"
    s3.create_bucket(Bucket=name)
    data = os.urandom(3 * MIB + 7)
    s3.put_object(Bucket=name, Key="a", Body=io.BytesIO(data), ChecksumAlgorithm=algorithm)
    headers = {k.lower(): v.decode() if isinstance(v, bytes) else v for k, v in sent[-1].items()}
    assert headers["x-amz-trailer"] == f"x-amz-checksum-{algorithm.lower()}"
    assert headers["x-amz-content-sha256"].startswith("STREAMING-")
    assert s3.get_object(Bucket=name, Key="a")["Body"].read() == data
    s3.delete_object(Bucket=name, Key="a")
    s3.delete_bucket(Bucket=name)


def test_list(s3, made):
    keys = ["a b", "a/1", "a/2", "a/b/3", "c", "ä", "z+%"]
    for key in keys:
        s3.put_object(Bucket=made, Key=key, Body=key.encode())
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=made, PaginationConfig={"PageSize": 2}))
    assert len(pages) == 4
    assert [o["Key"] for p in pages for o in p["Contents"]] == sorted(keys, key=str.encode)
    top = s3.list_objects_v2(Bucket=made, Delimiter="/")
    assert [p["Prefix"] for p in top["CommonPrefixes"]] == ["a/"]
    assert [o["Key"] for o in top["Contents"]] == ["a b", "c", "z+%", "ä"]
    below = s3.list_objects_v2(Bucket=made, Prefix="a/", Delimiter="/")
    assert ([o["Key"] for o in below["Contents"]], [p["Prefix"] for p in below["CommonPrefixes"]]) == (["a/1", "a/2"], ["a/b/"])
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=made, StartAfter="c")["Contents"]] == ["z+%", "ä"]
    first = s3.list_objects(Bucket=made, MaxKeys=3)
    assert first["IsTruncated"] and [o["Key"] for o in s3.list_objects(Bucket=made, Marker=first["Contents"][-1]["Key"])["Contents"]] == ["a/b/3", "c", "z+%", "ä"]


def test_multipart(s3, made, tmp_path):
    data = os.urandom(13 * MIB)
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    s3.upload_fileobj(io.BytesIO(data), made, "whole", Config=config)
    assert s3.head_object(Bucket=made, Key="whole")["ETag"].endswith('-3"')
    s3.download_file(made, "whole", str(tmp_path / "got"), Config=config)
    assert (tmp_path / "got").read_bytes() == data

    upload = s3.create_multipart_upload(Bucket=made, Key="copied")["UploadId"]
    source = {"Bucket": made, "Key": "whole"}
    first = s3.upload_part_copy(Bucket=made, Key="copied", UploadId=upload, PartNumber=1, CopySource=source, CopySourceRange=f"bytes=0-{6 * MIB - 1}")
    second = s3.upload_part(Bucket=made, Key="copied", UploadId=upload, PartNumber=2, Body=b"end")
    assert [p["PartNumber"] for p in s3.list_parts(Bucket=made, Key="copied", UploadId=upload)["Parts"]] == [1, 2]
    assert [u["Key"] for u in s3.list_multipart_uploads(Bucket=made)["Uploads"]] == ["copied"]
    parts = [{"PartNumber": 1, "ETag": first["CopyPartResult"]["ETag"]}, {"PartNumber": 2, "ETag": second["ETag"]}]
    s3.complete_multipart_upload(Bucket=made, Key="copied", UploadId=upload, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=made, Key="copied")["Body"].read() == data[:6 * MIB] + b"end"

    upload = s3.create_multipart_upload(Bucket=made, Key="given up")["UploadId"]
    s3.upload_part(Bucket=made, Key="given up", UploadId=upload, PartNumber=1, Body=b"x")
    s3.abort_multipart_upload(Bucket=made, Key="given up", UploadId=upload)
    with pytest.raises(s3.exceptions.NoSuchUpload):
        s3.list_parts(Bucket=made, Key="given up", UploadId=upload)


def test_copy_and_delete_many(s3, made):
    s3.put_object(Bucket=made, Key="from ü", Body=b"1", ContentType="text/plain", Metadata={"a": "b"})
    s3.copy_object(Bucket=made, Key="same", CopySource={"Bucket": made, "Key": "from ü"})
    s3.copy_object(Bucket=made, Key="new", CopySource=f"{made}/same", MetadataDirective="REPLACE", Metadata={"c": "d"})
    assert s3.head_object(Bucket=made, Key="same")["Metadata"] == {"a": "b"}
    assert s3.head_object(Bucket=made, Key="new")["Metadata"] == {"c": "d"}
    with pytest.raises(ClientError) as raised:
        s3.copy_object(Bucket=made, Key="x", CopySource=f"{made}/nothing")
    assert code(raised) == "NoSuchKey"
    gone = s3.delete_objects(Bucket=made, Delete={"Objects": [{"Key": "from ü"}, {"Key": "same"}, {"Key": "was never"}]})
    assert sorted(d["Key"] for d in gone["Deleted"]) == ["from ü", "same", "was never"] and "Errors" not in gone
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=made)["Contents"]] == ["new"]


def fetch(url, data=None, method=None):
    request = urllib.request.Request(url, data=data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


def test_presigned(s3, made):
    put = s3.generate_presigned_url("put_object", {"Bucket": made, "Key": "a b"}, ExpiresIn=60)
    assert fetch(put, b"by URL", "PUT")[0] == 200
    get = s3.generate_presigned_url("get_object", {"Bucket": made, "Key": "a b", "ResponseContentType": "text/x"}, ExpiresIn=60)
    assert fetch(get) == (200, b"by URL")
    assert fetch(get.replace("a%20b", "a%20c"))[0] == 403
    assert b"SignatureDoesNotMatch" in fetch(get.replace("text", "html"))[1]
    assert fetch(get, b"", "PUT")[0] == 403


def test_virtual_hosts(locked, key, monkeypatch):
    """BUCKET.localhost, whatever this machine's resolver knows of it (RFC 6761, section 6.3)."""
    asked, find = [], socket.getaddrinfo

    def local(host, *rest, **named):
        asked.append(host)
        return find("127.0.0.1" if host.endswith(".localhost") else host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", local)
    port = locked.address.rsplit(":", 1)[1]
    s3 = clients.s3(f"http://localhost:{port}", key, s3={"addressing_style": "virtual"})
    s3.create_bucket(Bucket="by-host")
    s3.put_object(Bucket="by-host", Key="folder/a b", Body=b"1")
    assert "by-host.localhost" in asked
    assert [o["Key"] for o in s3.list_objects_v2(Bucket="by-host")["Contents"]] == ["folder/a b"]
    assert fetch(s3.generate_presigned_url("get_object", {"Bucket": "by-host", "Key": "folder/a b"})) == (200, b"1")
    assert clients.s3(locked.url, key).get_object(Bucket="by-host", Key="folder/a b")["Body"].read() == b"1"
    s3.delete_object(Bucket="by-host", Key="folder/a b")
    s3.delete_bucket(Bucket="by-host")


def test_tenants(s3, locked, other, made):
    s3.put_object(Bucket=made, Key="secret", Body=b"1")
    they = clients.s3(locked.url, other)
    assert made not in [b["Name"] for b in they.list_buckets().get("Buckets", [])]
    for call in (lambda: they.get_object(Bucket=made, Key="secret"), lambda: they.put_object(Bucket=made, Key="x", Body=b""),
                 lambda: they.delete_object(Bucket=made, Key="secret"), lambda: they.list_objects_v2(Bucket=made),
                 lambda: they.delete_bucket(Bucket=made), lambda: they.copy_object(Bucket=made, Key="y", CopySource=f"{made}/secret")):
        with pytest.raises(ClientError) as raised:
            call()
        assert code(raised) == "NoSuchBucket"
    seen = clients.rekognition(locked.url, other)
    with pytest.raises(seen.exceptions.InvalidS3ObjectException):
        seen.detect_labels(Image={"S3Object": {"Bucket": made, "Name": "secret"}})
    they.create_bucket(Bucket=made)  # a name is an account's own
    assert "Contents" not in they.list_objects_v2(Bucket=made)
    they.delete_bucket(Bucket=made)
    assert s3.get_object(Bucket=made, Key="secret")["Body"].read() == b"1"


def test_no_way_out(s3, made):
    for key in ("../up", "a/../../up", "a//../b", "./here"):
        with pytest.raises(ClientError) as raised:
            s3.put_object(Bucket=made, Key=key, Body=b"")
        assert code(raised) in ("InvalidURI", "SignatureDoesNotMatch"), key
    for name in ("..", "UPPER", "a", "x" * 64):
        assert fetch(f"{s3.meta.endpoint_url}/{name}/k")[0] in (400, 403, 404), name


def test_wrong_secret(locked, key):
    forged = clients.s3(locked.url, type(key)(key.id, key.secret[::-1], key.account))
    with pytest.raises(ClientError) as raised:
        forged.list_buckets()
    assert code(raised) == "SignatureDoesNotMatch"
