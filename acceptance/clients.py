"""The vendors' clients, pointed at a server in the ways that their documents give."""

import os
import subprocess
import sys
from pathlib import Path

import boto3
import grpc
from botocore.config import Config
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform, vision
from google.cloud.aiplatform_v1.services.prediction_service import PredictionServiceClient
from google.cloud.aiplatform_v1.services.prediction_service.transports import PredictionServiceGrpcTransport
from google.cloud.vision_v1.services.image_annotator.transports import ImageAnnotatorGrpcTransport

REGION = "eu-central-1"
ANYONE = ("anyone", "anything")  # an open server takes every signature


def rekognition(url, key=None, retries=None, **options):
    """boto3's client. retries are botocore's; without them nothing is sent twice."""
    key_id, secret = (key.id, key.secret) if key else ANYONE
    config = Config(retries=retries or {"total_max_attempts": 1}, read_timeout=60)
    session = boto3.session.Session()  # one per client: sessions are not for threads
    return session.client(
        "rekognition", endpoint_url=url, region_name=REGION,
        aws_access_key_id=key_id, aws_secret_access_key=secret, config=config, **options,
    )


def s3(url, key=None, ca=None, **options):
    """boto3's client of S3. options are botocore's Config's; ca is a certificate to trust."""
    key_id, secret = (key.id, key.secret) if key else ANYONE
    return boto3.session.Session().client(
        "s3", endpoint_url=url, region_name=REGION, aws_access_key_id=key_id, aws_secret_access_key=secret, verify=ca and str(ca),
        config=Config(retries={"total_max_attempts": 1}, read_timeout=60, **options),
    )


def aws(url, *args, key=None):
    """Runs `aws rekognition`, pointed here alone."""
    return _aws({"AWS_ENDPOINT_URL_REKOGNITION": url}, "rekognition", *args, key=key)


def aws_command(url, *args, key=None):
    """Runs `aws`, everything of it pointed here by one variable."""
    return _aws({"AWS_ENDPOINT_URL": url}, *args, key=key)


def _aws(endpoint, *args, key):
    """Runs the aws cli of this virtual environment and returns the finished process."""
    key_id, secret = (key.id, key.secret) if key else ANYONE
    env = {
        **os.environ, **endpoint, "AWS_DEFAULT_REGION": REGION, "AWS_PAGER": "", "PYTHONUTF8": "1",
        "AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": secret, "AWS_MAX_ATTEMPTS": "1",
    }
    program = Path(sys.executable).parent / "aws"
    return subprocess.run([sys.executable, program, *args], env=env, capture_output=True, text=True, timeout=120, check=False)


def curl(*args):
    """Runs curl and returns (status, body). It fails where there is no answer."""
    done = subprocess.run(["curl", "--silent", "--show-error", "--max-time", "60", "--write-out", "\n%{http_code}", *args],
                          capture_output=True, text=True, check=False)
    body, _, status = done.stdout.rpartition("\n")
    assert status != "000", done.stderr
    return int(status), body


def vision_rest(url, key=None):
    """google-cloud-vision over REST."""
    if key:
        return vision.ImageAnnotatorClient(transport="rest", client_options=ClientOptions(api_endpoint=url, api_key=key.token))
    return vision.ImageAnnotatorClient(transport="rest", credentials=AnonymousCredentials(), client_options=ClientOptions(api_endpoint=url))


def vision_grpc(address, certificate=None):
    """google-cloud-vision over gRPC, in plaintext or trusting a certificate (PEM). A key
    goes into each call's metadata."""
    unbounded = [("grpc.max_send_message_length", -1)]
    if certificate:
        channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(certificate), options=unbounded)
    else:
        channel = grpc.insecure_channel(address, options=unbounded)
    return vision.ImageAnnotatorClient(transport=ImageAnnotatorGrpcTransport(channel=channel))


VERTEX = "projects/p/locations/europe-west4/endpoints/"


def vertex(url, model):
    """google-cloud-aiplatform's endpoint of a model, over REST."""
    aiplatform.init(project="p", location="europe-west4", api_endpoint=url, api_transport="rest", credentials=AnonymousCredentials())
    return aiplatform.Endpoint(VERTEX + model)


def vertex_grpc(address):
    """Its generated client over gRPC, in plaintext."""
    return PredictionServiceClient(transport=PredictionServiceGrpcTransport(channel=grpc.insecure_channel(address)))
