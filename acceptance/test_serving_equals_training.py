"""A mask is the same whichever way it is asked for, bit for bit, and it is the one that the
training's own evaluation counted: the native API, the Open Inference Protocol's scores, both
clouds' containers, InvokeEndpoint and the command."""

import base64
import io
import json
import shutil
import urllib.request

import numpy as np
import pytest
import tritonclient.grpc as tgrpc
import tritonclient.http as thttp
from PIL import Image

import clients
from frameworks import blocks
from serving import Home, Server
from test_container import Container, image, runtime  # noqa: F401, a fixture

WIDTH, HEIGHT = 150, 110  # no multiple of what networks work with, so that scores are interpolated


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(home, folder of the pictures that the evaluation saw, its confusion)"""
    root = tmp_path_factory.mktemp("equals")
    train, val = blocks(root / "train", 16, WIDTH, HEIGHT), blocks(root / "val", 8, WIDTH, HEIGHT, seed=2)
    (root / "home").mkdir()
    home = Home(root / "home", models=False)
    said = home.run("train", train, "--val", val, "--name", "road", "--epochs", "3", "--json", timeout=300).stdout.splitlines()
    run = json.loads(said[-1])["run"]
    evaluation = json.loads((home.path / "runs" / run / "evaluation.json").read_text())
    return home, val, np.array(evaluation["confusion"])


def test_every_door_answers_the_evaluations_mask(trained, image, tmp_path):  # noqa: F811
    home, val, confusion = trained
    home.run("segment", val / "images", "--model", "road", "--masks", tmp_path)
    ml = tmp_path / "ml"
    shutil.copytree(home.path / "models" / "road" / "1", ml / "model")
    counted = np.zeros_like(confusion)
    with Server(home, "--models", "") as server, Container(image, "serve", "--ml-dir", str(ml), SAGEMAKER_BIND_TO_PORT="{port}", AIP_PREDICT_ROUTE="/predict") as c:
        for path in sorted((val / "images").iterdir()):
            masks = {name: door(server, c, path.read_bytes()) for name, door in DOORS.items()}
            want = np.array(Image.open(tmp_path / path.name))
            for name, got in masks.items():
                assert got.shape == want.shape and (got == want).all(), f"{name} differs in {(got != want).sum()} pixels of {path.name}"
            truth = np.array(Image.open(val / "masks" / path.name))
            np.add.at(counted, (truth.ravel(), want.ravel()), 1)
    assert (counted.sum(0) > 0).sum() > 2, "one class everywhere shows nothing"
    assert (counted == confusion).all(), f"{counted}\n{confusion}"


def test_a_pipeline_set_over_http(trained, tmp_path):
    home, val, _ = trained
    dusk = tmp_path / "dusk.yaml"
    dusk.write_text("steps:\n  - crop: {box: [10, 5, 140, 105]}\n  - gamma: 0.7\n  - tile: {width: 80, height: 64, overlap: 32}\n")
    with Server(home, "--models", "") as server:
        url = server.url + "/api/v1/models/road/pipeline"

        def called(*args):
            status, text = clients.curl(*args)
            return status, json.loads(text)

        status, answer = called("--request", "PUT", "--data-binary", f"@{dusk}", url + "?source=dusk.yaml")
        assert (status, answer["revision"], answer["text"]) == (200, 1, dusk.read_text())
        home.run("segment", val / "images", "--model", "road", "--masks", tmp_path)
        for path in sorted((val / "images").iterdir()):
            got = native("image/png")(server, None, path.read_bytes())
            assert (got == np.array(Image.open(tmp_path / path.name))).all(), path.name
            assert not got[:, :10].any() and not got[105:].any(), "what the crop leaves out is class 0"
        assert "dusk.yaml" in home.run("models", "pipeline", "road", "--history").stdout
        status, answer = called("--request", "PUT", "--data-binary", "steps: [greyscale, gama: 2]", url)
        assert status == 400 and answer["detail"] == 'request: line 1: unknown step "gama"; did you mean "gamma"?'
        assert called("--request", "POST", url + "/rollback")[1]["revision"] == 0
        assert called(url)[1]["pipeline"].get("steps") is None


def native(accept):
    def ask(server, _, data):
        request = urllib.request.Request(f"{server.url}/api/v1/models/road/segment", data=data, headers={"Content-Type": "image/png", "Accept": accept})
        with urllib.request.urlopen(request, timeout=60) as r:
            return mask_in(r.read(), accept)
    return ask


def mask_in(body, accept):
    """The mask of an answer that is the picture alone, or JSON with it."""
    return np.array(Image.open(io.BytesIO(body if accept == "image/png" else base64.b64decode(json.loads(body)["mask"]))))


def triton(module):
    def ask(server, _, data):
        tensor = module.InferInput("input", [1], "BYTES")
        tensor.set_data_from_numpy(np.array([data], dtype=np.object_))
        client = module.InferenceServerClient(server.address)
        scores = client.infer("road", [tensor]).as_numpy("logits")[0]
        client.close()
        return enlarged(scores).argmax(0)
    return ask


def enlarged(scores):
    """PyTorch's interpolate of (C, h, w), bilinear, align_corners False, in float32."""
    def around(n, size):
        at = np.clip((np.arange(n) + 0.5) * (size / n) - 0.5, 0, size - 1)
        a = at.astype(int)
        return a, np.minimum(a + 1, size - 1), (at - a).astype(np.float32)

    a, b, t = around(HEIGHT, scores.shape[1])
    rows = scores[:, a] + (scores[:, b] - scores[:, a]) * t[:, None]
    a, b, t = around(WIDTH, scores.shape[2])
    return rows[:, :, a] + (rows[:, :, b] - rows[:, :, a]) * t


def sagemaker(_, container, data):
    status, _, body = container.call("/invocations", data, Content_Type="image/png", Accept="image/png")
    assert status == 200, body
    return mask_in(body, "image/png")


def vertex(_, container, data):
    asked = json.dumps({"instances": [{"b64": base64.b64encode(data).decode()}], "parameters": {"outputs": ["mask", "confidence"]}}).encode()
    status, _, body = container.call("/predict", asked, Content_Type="application/json")
    assert status == 200, body
    return mask_in(json.dumps(json.loads(body)["predictions"][0]), "application/json")


def invoke_endpoint(server, _, data):
    answer = runtime(server.url).invoke_endpoint(EndpointName="road", Body=data, ContentType="image/png", Accept="image/png")
    return mask_in(answer["Body"].read(), "image/png")


DOORS = {
    "the native API": native("image/png"), "the native API's JSON": native("application/json"),
    "tritonclient over HTTP": triton(thttp), "tritonclient over gRPC": triton(tgrpc),
    "SageMaker's container": sagemaker, "Vertex AI's container": vertex, "InvokeEndpoint": invoke_endpoint,
}
