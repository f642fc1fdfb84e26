"""The contracts of SageMaker's and Vertex AI's containers, by calls of the documented shape, in the
folder that the Dockerfile's steps lay out; and SageMaker's runtime client against the server."""

import base64
import json
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import boto3
import botocore.exceptions
import numpy as np
import pytest
from botocore.config import Config

import photos
from clients import ANYONE, REGION
from serving import ROOT, models_folder


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    """What the image holds in its folder /trilobite, and the environment that it sets."""
    root = tmp_path_factory.mktemp("image") / "trilobite"
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "RUN make build\nRUN scripts/image /trilobite\n" in dockerfile and 'ENTRYPOINT ["trilobite"]\nCMD ["serve"]' in dockerfile
    subprocess.run([ROOT / "scripts" / "image", root], check=True, capture_output=True)
    return root, {k: v.replace("/trilobite", str(root)) for k, v in re.findall(r"^ENV (\w+)=(.*)$", dockerfile, re.M)}


class Container:
    """The image's program, started as a cloud does; env is what the cloud sets."""

    def __init__(self, image, *args, **env):
        root, ours = image
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        env = {**ours, **{k: str(v).format(port=self.port) for k, v in env.items()}}
        self.process = subprocess.Popen([root / "bin" / "trilobite", *args], env=env, stderr=subprocess.PIPE, text=True)

    def call(self, path, body=None, **header):
        """(status, type, body); waits for a container that is starting."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=body, headers={k.replace("_", "-"): v for k, v in header.items()})
        for _ in range(200):
            try:
                with urllib.request.urlopen(request, timeout=30) as r:
                    return r.status, r.headers["Content-Type"], r.read()
            except urllib.error.HTTPError as e:
                return e.code, e.headers["Content-Type"], e.read()
            except OSError:
                assert self.process.poll() is None, self.process.stderr.read()
                time.sleep(0.05)
        raise TimeoutError(path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(40) == 0


def model_in(folder, name):
    """Unpacks a model as SageMaker unpacks model.tar.gz."""
    shutil.copytree(models_folder() / name / "1", folder)
    return folder


@pytest.fixture(scope="session")
def sagemaker(image, tmp_path_factory):
    ml = tmp_path_factory.mktemp("ml")
    model_in(ml / "model", "efficientnet-lite0")
    with Container(image, "serve", "--ml-dir", str(ml), SAGEMAKER_BIND_TO_PORT="{port}") as c:
        yield c


def test_sagemaker_serving(sagemaker, sample):
    assert sagemaker.call("/ping")[0] == 200
    status, kind, body = sagemaker.call("/invocations", sample, Content_Type="application/x-image", Accept="application/json")
    assert (status, kind) == (200, "application/json")
    assert json.loads(body)["classes"][0]["label"] in ("moped", "motor scooter")
    x = np.zeros((1, 3, 224, 224), np.float32)
    head = json.dumps({"inputs": [{"name": "input", "shape": x.shape, "datatype": "FP32", "parameters": {"binary_data_size": x.nbytes}}]}).encode()
    kind = f"application/vnd.sagemaker-triton.binary+json;json-header-size={len(head)}"
    status, _, body = sagemaker.call("/invocations", head + x.tobytes(), Content_Type=kind)
    assert status == 200 and json.loads(body)["outputs"][0]["shape"] == [1, 1000]
    assert sagemaker.call("/invocations", b"hello", Content_Type="image/png")[0] == 422


@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics", "/api/v1/models", "/v2/health/live", "/endpoints/x/invocations"])
def test_nothing_else_is_open(sagemaker, path):
    assert sagemaker.call(path)[0] == 404


def test_vertex_serving(image, tmp_path, sample):
    model_in(tmp_path / "artifacts", "coco-ssd")
    with Container(image, "serve", AIP_HTTP_PORT="{port}", AIP_HEALTH_ROUTE="/health", AIP_PREDICT_ROUTE="/v1/endpoints/1:predict",
                   AIP_STORAGE_URI=f"file://{tmp_path}/artifacts") as c:
        assert c.call("/health")[0] == 200
        image_bytes = {"b64": base64.b64encode(sample).decode()}
        body = json.dumps({"instances": [image_bytes, {"image": image_bytes}], "parameters": {"min_score": 0.7}}).encode()
        status, kind, body = c.call("/v1/endpoints/1:predict", body, Content_Type="application/json")
        first, second = json.loads(body)["predictions"]
        assert (status, kind) == (200, "application/json") and first == second
        assert [d["label"] for d in first["detections"]] == ["motorcycle"]
        status, _, body = c.call("/v1/endpoints/1:predict", b'{"instances": [{}]}', Content_Type="application/json")
        assert status == 400 and "Instance 0" in json.loads(body)["error"]


def colours(folder, pictures):
    """A folder of pictures for each of three colours."""
    for c, name in enumerate(["blue", "green", "red"]):
        (folder / name).mkdir(parents=True)
        for i in range(pictures):
            rgb = [20 * i] * 3
            rgb[2 - c] += 130
            (folder / name / f"{i}.png").write_bytes(photos.png(64, 48, rgb))


def train(image, ml, hyperparameters):
    root, env = image
    (ml / "input" / "config").mkdir(parents=True)
    (ml / "input" / "config" / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    home = ml / "home"
    shutil.copytree(env["TRILOBITE_HOME"], home)
    return subprocess.run([root / "bin" / "trilobite", "train", "--ml-dir", ml], env={**env, "TRILOBITE_HOME": str(home)},
                          capture_output=True, text=True, timeout=120)


def test_sagemaker_training(image, tmp_path):
    """What is trained is served by the same image; SageMaker's Python package writes values as JSON once more."""
    for channel, n in (("training", 5), ("validation", 2)):
        colours(tmp_path / "input" / "data" / channel, n)
    done = train(image, tmp_path, {"epochs": "4", "name": '"colours"', "sagemaker_region": '"eu-central-1"'})
    assert done.returncode == 0, done.stderr
    assert {p.name for p in (tmp_path / "model").iterdir()} == {"card.yaml", "labels.json", "model.onnx"}
    assert not (tmp_path / "output" / "failure").exists()
    with Container(image, "serve", "--ml-dir", str(tmp_path), SAGEMAKER_BIND_TO_PORT="{port}") as c:
        red = next((tmp_path / "input" / "data" / "validation" / "red").iterdir()).read_bytes()
        status, _, body = c.call("/invocations", red, Content_Type="image/png")
        assert status == 200 and json.loads(body)["classes"][0]["label"] == "red"


@pytest.mark.parametrize(
    ("hyperparameters", "channel", "says"),
    [({"lr": "0.1"}, "training", "hyperparameter"), ({"epochs": "many"}, "training", "epochs"), ({}, "elsewhere/deep", "class")],
    ids=["unknown", "no number", "no data"],
)
def test_sagemaker_training_fails(image, tmp_path, hyperparameters, channel, says):
    (tmp_path / "input" / "data" / channel).mkdir(parents=True)
    done = train(image, tmp_path, hyperparameters)
    assert done.returncode != 0
    assert says in (tmp_path / "output" / "failure").read_text()


def runtime(url, key=None):
    key_id, secret = (key.id, key.secret) if key else ANYONE
    return boto3.session.Session().client(
        "sagemaker-runtime", endpoint_url=url, region_name=REGION, aws_access_key_id=key_id, aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.mark.smoke
def test_invoke_endpoint(server, sample):
    answer = runtime(server.url).invoke_endpoint(EndpointName="coco-ssd", Body=sample, ContentType="image/png", Accept="application/json",
                                                 TargetVariant="1", CustomAttributes="min_score=0.7")
    assert answer["InvokedProductionVariant"] == "1" and answer["ContentType"] == "application/json"
    assert [d["label"] for d in json.loads(answer["Body"].read())["detections"]] == ["motorcycle"]


def test_invoke_endpoint_errors(server, sample):
    client = runtime(server.url)
    with pytest.raises(client.exceptions.ModelError) as failed:
        client.invoke_endpoint(EndpointName="coco-ssd", Body=b"hello", ContentType="image/png")
    assert failed.value.response["OriginalStatusCode"] == 422
    with pytest.raises(botocore.exceptions.ClientError, match="Endpoint none of account 000000000000 not found"):
        client.invoke_endpoint(EndpointName="none", Body=sample, ContentType="image/png")


def test_invoke_endpoint_keys(locked, key, sample):
    assert runtime(locked.url, key).invoke_endpoint(EndpointName="coco-ssd", Body=sample, ContentType="image/png")["Body"].read()
    with pytest.raises(botocore.exceptions.ClientError, match="UnrecognizedClientException"):
        runtime(locked.url).invoke_endpoint(EndpointName="coco-ssd", Body=sample, ContentType="image/png")
