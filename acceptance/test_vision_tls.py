"""google-cloud-vision over gRPC as it is without a test's help: TLS and an API key, both
from its options. Only the certificate to trust comes from gRPC's own variable."""

import os
import subprocess
import sys

import photos
from serving import Server

PROGRAM = """
import sys
from google.api_core.client_options import ClientOptions
from google.cloud import vision

client = vision.ImageAnnotatorClient(client_options=ClientOptions(api_endpoint=sys.argv[1], api_key=sys.argv[2]))
image = vision.Image(content=open(sys.argv[3], "rb").read())
print([l.description for l in client.label_detection(image=image).label_annotations])
"""


def test_api_key_over_tls(home, certificate):
    path = photos.need(photos.CAT[0])
    with Server(home, "--auth", "--tls-cert", certificate[0], "--tls-key", certificate[1], ca=certificate[0]) as s:
        env = {**os.environ, "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(certificate[0])}
        address = s.address.replace("127.0.0.1", "localhost")
        done = subprocess.run([sys.executable, "-c", PROGRAM, address, home.create_key().token, path], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "Cat" in done.stdout
