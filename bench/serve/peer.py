"""A plain detection server as people write it: FastAPI, Pillow and ONNX Runtime.

MODEL is the path of a COCO-SSD graph with input `image` (N, 3, 300, 300) and outputs
`scores` and `boxes`, THREADS the threads of one inference (0: ONNX Runtime chooses).
POST / takes {"Image": {"Bytes": base64}} and answers labels above 0.5 with boxes.
There is no suppression of duplicates and no taxonomy.

Run: MODEL=model.onnx THREADS=2 uvicorn peer:app --port 8000
"""
import base64
import io
import os

import numpy as np
import onnxruntime
from fastapi import FastAPI
from PIL import Image

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(os.environ.get("THREADS", "0"))
session = onnxruntime.InferenceSession(
    os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
app = FastAPI()


@app.get("/readyz")
def ready():
    return {}


@app.post("/")
def detect(body: dict):
    photo = base64.b64decode(body["Image"]["Bytes"])
    image = Image.open(io.BytesIO(photo)).convert("RGB").resize((300, 300), Image.BILINEAR)
    pixels = np.asarray(image, np.float32).transpose(2, 0, 1)[None] / 127.5 - 1
    scores, boxes = session.run(["scores", "boxes"], {"image": pixels})
    scores, boxes = scores[0], boxes.reshape(-1, 4)
    labels = []
    for index in np.flatnonzero(scores.max(1) > 0.5):
        best = int(scores[index].argmax())
        labels.append({"Name": str(best),
                       "Confidence": float(scores[index, best]) * 100,
                       "Box": boxes[index].tolist()})
    return {"Labels": labels}
