"""The servers that the tests share, one per configuration, each started on first use."""

import shutil

import pytest

import certificates
import photos
from serving import BINARY, Home, Server


def pytest_configure(config):
    config.addinivalue_line("markers", "smoke: each client once, in under a minute")
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not there: run make build", returncode=1)


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """A data folder; its keys are those of the server `locked`."""
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def bucket(tmp_path_factory):
    """A folder that the servers offer as the bucket "photos", with the samples in it; of
    the bucket "private", only account 111111111111 may read."""
    folder = tmp_path_factory.mktemp("bucket")
    for path in (photos.CAT[0], photos.MOTORCYCLE[0]):
        shutil.copy(path, folder)
    if photos.BICYCLE[0].exists():
        shutil.copy(photos.BICYCLE[0], folder)
    (folder / "notes.txt").write_text("no picture")
    return folder


def buckets(folder):
    return ["--buckets", f"photos=file://{folder}", "--buckets", f"111111111111:private=file://{folder}"]


@pytest.fixture(scope="session")
def server(home, bucket):
    """Open to everyone on this machine: how `trilobite serve` starts."""
    with Server(home, *buckets(bucket)) as s:
        yield s


@pytest.fixture(scope="session")
def locked(home, bucket):
    """Asks for keys."""
    with Server(home, "--auth", *buckets(bucket)) as s:
        yield s


@pytest.fixture(scope="session")
def key(home):
    """A key of account 111111111111."""
    return home.create_key("--account", "111111111111", "--name", "acceptance")


@pytest.fixture(params=[photos.BICYCLE, photos.MOTORCYCLE, photos.CAT], ids=["bicycle", "motorcycle", "cat"])
def photo(request):
    """(path, what every client must see on it)."""
    photos.need(request.param[0])
    return request.param


@pytest.fixture(scope="session")
def sample():
    """The bytes of a photograph that is always there."""
    return photos.need(photos.MOTORCYCLE[0]).read_bytes()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """(certificate, key): PEM files, self-signed for 127.0.0.1 and localhost."""
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "cert.pem", folder / "key.pem"
    certificates.self_signed(*files)
    return files


@pytest.fixture(scope="session")
def tls(home, certificate):
    """Open, over TLS."""
    with Server(home, "--tls-cert", certificate[0], "--tls-key", certificate[1], ca=certificate[0]) as s:
        yield s
