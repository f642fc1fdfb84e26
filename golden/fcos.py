"""torchvision's FCOS: outputs, losses, derivatives and detections, for packages nn, loss and detect.

Writes nn/testdata/fcos.npz: ResNet-18, strides 8, 16 and 32, a pyramid and a head of 64
channels with two convolutions a branch, weights by formula (formula.py) under the names of
package nn, two 96x64 images with boxes; the channels' means of the outputs, the three
losses, derivatives of their sum (first elements, and the norm) in float64 and how far off
PyTorch's float32 is, and the targets of every location.
Writes detect/testdata/fcos.npz: outputs of the first image and the detections, rows of
class, score, x1, y1, x2, y2.
Versions: torch 2.15.0, torchvision 0.29.2, numpy 2.4.6.
"""
import pathlib

import numpy as np
import torch
import torchvision
from torchvision.models.detection.fcos import FCOS, AnchorGenerator, FCOSHead
from torchvision.ops import FeaturePyramidNetwork

from formula import noise, weights

torch.set_num_threads(2)
root = pathlib.Path(__file__).parent.parent
WIDTH, HEIGHT, CHANNELS, CLASSES, FIRST = 96, 64, 64, 3, 128


class Backbone(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = torchvision.models.resnet18(weights=None)
        del self.net.fc
        self.fpn = FeaturePyramidNetwork([128, 256, 512], CHANNELS)
        self.out_channels = CHANNELS

    def forward(self, x):
        net = self.net
        c2 = net.layer1(net.maxpool(net.relu(net.bn1(net.conv1(x)))))
        c3 = net.layer2(c2)
        c4 = net.layer3(c3)
        return self.fpn({"8": c3, "16": c4, "32": net.layer4(c4)})


def ours(name):
    return name.replace("backbone.net.", "backbone.").replace("backbone.fpn.", "fpn.")


def build(dtype):
    anchors = AnchorGenerator(((8,), (16,), (32,)), ((1.0,),) * 3)
    model = FCOS(Backbone(), CLASSES, anchor_generator=anchors, head=FCOSHead(CHANNELS, 1, CLASSES, num_convs=2),
                 min_size=HEIGHT, max_size=WIDTH, image_mean=[0.0] * 3, image_std=[1.0] * 3)
    model.load_state_dict({k: v if "num_batches" in k else weights(ours(k), tuple(v.shape)) for k, v in model.state_dict().items()})
    return model.to(dtype).eval()


BOXES = [
    [[3.0, 5, 40, 60], [20, 10, 33, 22], [50, 2, 90, 30], [60, 40, 61.5, 41], [0, 0, 96, 64], [50, 2, 90, 30]],
    [[10, 12, 30, 30], [70.5, 33.25, 88, 61]],
]
LABELS = [[0, 1, 2, 1, 0, 1], [2, 0]]
NAMES = ("backbone.layer4.1.conv2.weight", "fpn.inner_blocks.2.0.weight", "fpn.layer_blocks.0.0.weight",
         "head.classification_head.conv.0.weight", "head.classification_head.conv.1.weight", "head.classification_head.cls_logits.bias",
         "head.regression_head.conv.3.weight", "head.regression_head.bbox_reg.weight", "head.regression_head.bbox_ctrness.weight")


def run(dtype):
    model = build(dtype)
    images = torch.from_numpy(noise(2 * 3 * HEIGHT * WIDTH, 1).reshape(2, 3, HEIGHT, WIDTH)).to(dtype)
    features = list(model.backbone(images).values())
    outputs = model.head(features)
    anchors = model.anchor_generator(torchvision.models.detection.image_list.ImageList(images, [(HEIGHT, WIDTH)] * 2), features)
    targets = [{"boxes": torch.tensor(b, dtype=dtype), "labels": torch.tensor(l)} for b, l in zip(BOXES, LABELS)]
    matched = []
    original = model.head.compute_loss
    model.head.compute_loss = lambda t, o, a, m: (matched.extend(m), original(t, o, a, m))[1]
    losses = model.compute_loss(targets, outputs, anchors, [f.shape[2] * f.shape[3] for f in features])
    sum(losses.values()).backward()
    arrays = {
        "class": losses["classification"], "box": losses["bbox_regression"], "quality": losses["bbox_ctrness"],
        "logits": outputs["cls_logits"].mean(1), "centerness": outputs["bbox_ctrness"].mean(1),
        "boxes": model.box_coder.decode(outputs["bbox_regression"], torch.stack(anchors)).mean(1),
    }
    for name, p in model.named_parameters():
        if ours(name) in NAMES:
            arrays[ours(name)] = p.grad.flatten()[:FIRST]
            arrays[ours(name) + ".norm"] = p.grad.norm()
    return {k: v.detach().numpy().copy() for k, v in arrays.items()}, torch.stack(matched).numpy()


(exact, matched), (single, _) = run(torch.float64), run(torch.float32)
off = {k + ".off": np.array(np.abs(single[k] - v).max(), np.float32) for k, v in exact.items()}
for k, v in exact.items():
    print(k, v if v.size < 7 else np.abs(v).max(), off[k + ".off"])
print("matched", (matched >= 0).sum(1), [np.bincount(m[m >= 0]) for m in matched])
np.savez_compressed(root / "nn/testdata/fcos.npz", matched=matched, **{k: v.astype(np.float32) for k, v in exact.items()}, **off)

with torch.no_grad():
    model = build(torch.float32)
    image = torch.from_numpy(noise(3 * HEIGHT * WIDTH, 1).reshape(1, 3, HEIGHT, WIDTH))
    features = list(model.backbone(image).values())
    outputs = model.head(features)
    anchors = model.anchor_generator(torchvision.models.detection.image_list.ImageList(image, [(HEIGHT, WIDTH)]), features)
    found = model(list(image))[0]
    rows = torch.cat([found["labels"][:, None].float(), found["scores"][:, None], found["boxes"]], 1).numpy()
    print(len(rows), "detections", rows[:3], rows[-1], np.bincount(found["labels"]))
    np.savez_compressed(
        root / "detect/testdata/fcos.npz", rows=rows, logits=outputs["cls_logits"].numpy(), quality=outputs["bbox_ctrness"].numpy()[..., 0],
        boxes=model.box_coder.decode(outputs["bbox_regression"], torch.stack(anchors)).numpy())
