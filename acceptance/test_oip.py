"""The Open Inference Protocol with NVIDIA's tritonclient, over HTTP and gRPC: answers are those
of Python's onnxruntime for the same file and tensor."""

import contextlib

import numpy as np
import onnxruntime
import pytest
import tritonclient.grpc as tgrpc
import tritonclient.http as thttp
from tritonclient.grpc import model_config_pb2
from tritonclient.utils import InferenceServerException

import photos
from serving import Server, models_folder

MODELS = ["coco-ssd", "efficientnet-lite0"]


@contextlib.contextmanager
def connected(kind, server, **options):
    client = (thttp if kind == "http" else tgrpc).InferenceServerClient(server.address, **options)
    try:
        yield client
    finally:
        client.close()


@pytest.fixture(params=["http", "grpc"])
def kind(request):
    return request.param


@pytest.fixture
def client(kind, server):
    with connected(kind, server) as c:
        yield c


def module(kind):
    return thttp if kind == "http" else tgrpc


def onnx(name):
    """The model as Python's onnxruntime runs it."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(models_folder() / name / "1" / "model.onnx", options, providers=["CPUExecutionProvider"])


def close(got, want):
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)
    assert (got == want).mean() > 0.5  # most are the same bits: kernels sum in another order by the number of threads


@pytest.mark.smoke
def test_health_and_metadata(kind, client):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("coco-ssd") and client.is_model_ready("coco-ssd", "1")
    assert not client.is_model_ready("none") and not client.is_model_ready("coco-ssd", "9")
    server = client.get_server_metadata()
    model = client.get_model_metadata("efficientnet-lite0")
    if kind == "grpc":
        assert server.name == "trilobite" and "binary_tensor_data" in server.extensions
        inputs, platform, versions = {i.name: (i.datatype, list(i.shape)) for i in model.inputs}, model.platform, model.versions
    else:
        assert server["name"] == "trilobite" and "model_repository" in server["extensions"]
        inputs, platform, versions = {i["name"]: (i["datatype"], i["shape"]) for i in model["inputs"]}, model["platform"], model["versions"]
    session = onnx("efficientnet-lite0")
    assert inputs == {i.name: ("FP32", [d if isinstance(d, int) else -1 for d in i.shape]) for i in session.get_inputs()}
    assert platform == "onnxruntime_onnx" and "1" in versions


def test_config(kind, client):
    config = client.get_model_config("efficientnet-lite0")
    session = onnx("efficientnet-lite0")
    if kind == "grpc":
        config = config.config
        found = config.input[0].name, config.input[0].data_type, list(config.input[0].dims), config.output[0].name, config.max_batch_size
        fp32 = model_config_pb2.TYPE_FP32
    else:
        found = (config["input"][0]["name"], config["input"][0]["data_type"], list(map(int, config["input"][0]["dims"])), config["output"][0]["name"],
                 config["max_batch_size"])
        fp32 = "TYPE_FP32"
    first = session.get_inputs()[0]
    assert found == (first.name, fp32, [-1, *first.shape[1:]], session.get_outputs()[0].name, 0)


def test_what_is_not_offered_is_refused(kind, client):
    x = np.zeros((1, 3, 224, 224), np.float32)
    tensor = module(kind).InferInput("input", x.shape, "FP32")
    tensor.set_data_from_numpy(x)
    with pytest.raises(InferenceServerException, match="lassification"):
        client.infer("efficientnet-lite0", [tensor], outputs=[module(kind).InferRequestedOutput("logits", class_count=3)])
    tensor.set_shared_memory("region", x.nbytes)
    with pytest.raises(InferenceServerException, match="Shared memory is not offered"):
        client.infer("efficientnet-lite0", [tensor])
    for call in (lambda: client.register_system_shared_memory("region", "/region", x.nbytes),
                 lambda: client.get_inference_statistics("efficientnet-lite0")):
        with pytest.raises(InferenceServerException, match="not offered"):
            call()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("batch", [1, 3])
def test_raw_tensors(kind, client, name, batch):
    session = onnx(name)
    first = session.get_inputs()[0]
    x = np.random.default_rng(7).standard_normal([batch, *first.shape[1:]], dtype=np.float32)
    tensor = module(kind).InferInput(first.name, x.shape, "FP32")
    tensor.set_data_from_numpy(x)
    answer = client.infer(name, [tensor], request_id="42")
    for output, want in zip(session.get_outputs(), session.run(None, {first.name: x})):
        close(answer.as_numpy(output.name), want)


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
def test_json_and_binary_say_the_same(server, binary):
    x = np.linspace(-1, 1, 3 * 224 * 224, dtype=np.float32).reshape(1, 3, 224, 224)
    tensor = thttp.InferInput("input", x.shape, "FP32")
    tensor.set_data_from_numpy(x, binary_data=binary)
    wanted = thttp.InferRequestedOutput("logits", binary_data=binary)
    with connected("http", server) as client:
        answer = client.infer("efficientnet-lite0", [tensor], outputs=[wanted], model_version="1")
    close(answer.as_numpy("logits"), onnx("efficientnet-lite0").run(["logits"], {"input": x})[0])


@pytest.mark.smoke
def test_encoded_images(kind, client):
    """Files as BYTES pass the model's own preprocessing: two at once, the cat's scores say cat."""
    files = [photos.need(p[0]).read_bytes() for p in (photos.CAT, photos.MOTORCYCLE)]
    tensor = module(kind).InferInput("input", [2], "BYTES")
    tensor.set_data_from_numpy(np.array(files, dtype=np.object_))
    logits = client.infer("efficientnet-lite0", [tensor]).as_numpy("logits")
    assert logits.shape == (2, 1000)
    assert 281 <= logits[0].argmax() <= 285  # ImageNet's cats
    assert logits[1].argmax() in (665, 670)  # moped, motor scooter


def test_repository(kind, client):
    """Its models are not the pinned ones of DetectLabels alone: those cannot be unloaded."""
    index = client.get_model_repository_index()
    listed = {m["name"] for m in index} if kind == "http" else {m.name for m in index.models}
    assert set(MODELS) <= listed
    client.load_model("coco-ssd")
    with pytest.raises(InferenceServerException, match="take it off the setting"):
        client.unload_model("coco-ssd")


def test_load_and_unload(kind, home):
    with Server(home, "--models", "efficientnet-lite0") as server, connected(kind, server) as client:
        client.unload_model("coco-ssd")
        assert not client.is_model_ready("coco-ssd")
        client.load_model("coco-ssd")
        assert client.is_model_ready("coco-ssd")


@pytest.mark.parametrize(
    ("shape", "datatype", "name", "model", "says"),
    [
        ((1, 3, 224), "FP32", "input", "efficientnet-lite0", "it takes input float32"),
        ((1, 3, 224, 224), "INT32", "input", "efficientnet-lite0", "int32"),
        ((1, 3, 224, 224), "FP32", "image", "efficientnet-lite0", "is missing"),
        ((1, 3, 224, 224), "FP32", "input", "none", "No model"),
        ((1, 3, 224, 224), "FP32", "input", "../coco-ssd", "."),
    ],
    ids=["shape", "type", "name", "model", "traversal"],
)
def test_errors(kind, client, shape, datatype, name, model, says):
    tensor = module(kind).InferInput(name, shape, datatype)
    tensor.set_data_from_numpy(np.zeros(shape, np.float32 if datatype == "FP32" else np.int32))
    with pytest.raises(InferenceServerException, match=says):
        client.infer(model, [tensor])


def test_keys(kind, locked, key):
    x = np.zeros((1, 3, 224, 224), np.float32)
    tensor = module(kind).InferInput("input", x.shape, "FP32")
    tensor.set_data_from_numpy(x)
    bearer = {"authorization": f"Bearer {key.token}"}
    with connected(kind, locked) as client:
        with pytest.raises(InferenceServerException, match="API key"):
            client.infer("efficientnet-lite0", [tensor])
        assert client.infer("efficientnet-lite0", [tensor], headers=bearer).as_numpy("logits").shape == (1, 1000)
        with pytest.raises(InferenceServerException, match="serving.operators"):
            client.load_model("efficientnet-lite0", headers=bearer)
