"""A training step of DeepLabV3+ on torchvision's ResNet-50 in PyTorch, for package nn.

Writes nn/testdata/deeplab_step.npz: weights by formula (formula.py) under the names of
package nn, four 64x64 images, masks with ignored pixels, batch statistics in every
BatchNorm; the cross-entropy, derivatives of some parameters (their first elements, and
the norm of all), and the loss after one step of SGD, in float64, and how far off float32 is.
Versions: torch 2.15.0, torchvision 0.29.2, numpy 2.4.6.
"""
import pathlib

import numpy as np
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from formula import noise, weights

torch.set_num_threads(2)
out = pathlib.Path(__file__).parent.parent / "nn" / "testdata"
N, SIZE, CLASSES, IGNORE, RATE, FIRST = 4, 64, 5, 255, 0.01, 256


def unit(inputs, outputs, kernel=3, rate=1, bias=False):
    conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2 * rate, dilation=rate, bias=bias)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU())


def upsample(x, size):
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool = unit(1024, 256, 1, bias=True)
        self.aspp = nn.ModuleList([unit(1024, 256, 1)] + [unit(1024, 256, 3, rate) for rate in (6, 12, 18)])
        self.project = unit(5 * 256, 256, 1)
        self.skip4 = unit(256, 48, 1)
        self.merge4 = nn.Sequential(unit(256 + 48, 256), unit(256, 256))
        self.classify = nn.Conv2d(256, CLASSES, 1)

    def forward(self, low, high, size):
        pooled = self.pool(high.mean((2, 3), keepdim=True)).expand(-1, -1, *high.shape[2:])
        x = self.project(torch.cat([pooled] + [m(high) for m in self.aspp], 1))
        x = self.merge4(torch.cat([upsample(x, low.shape[2:]), self.skip4(low)], 1))
        return self.classify(upsample(x, size))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = torchvision.models.resnet50(weights=None)
        del self.backbone.layer4, self.backbone.fc
        self.head = Head()

    def forward(self, x):
        net = self.backbone
        low = net.layer1(net.maxpool(net.relu(net.bn1(net.conv1(x)))))
        return self.head(low, net.layer3(net.layer2(low)), x.shape[2:])


NAMES = ("backbone.conv1.weight", "backbone.layer1.0.bn1.weight", "backbone.layer3.5.conv2.weight", "head.pool.0.weight",
         "head.aspp.2.0.weight", "head.project.1.bias", "head.skip4.0.weight", "head.merge4.1.0.weight",
         "head.classify.weight", "head.classify.bias")


def step(dtype):
    net = Net().train()
    net.load_state_dict({k: v if "num_batches" in k else weights(k, tuple(v.shape)) for k, v in net.state_dict().items()})
    net.to(dtype)
    images = torch.from_numpy(noise(N * 3 * SIZE * SIZE, 1).reshape(N, 3, SIZE, SIZE)).to(dtype)
    masks = torch.from_numpy(((noise(N * SIZE * SIZE, 2) + 1) * 3).astype(np.int64).reshape(N, SIZE, SIZE))  # 0 to 5
    masks[masks == CLASSES] = IGNORE
    optimizer = torch.optim.SGD(net.parameters(), RATE)
    arrays = {"learned": np.array(sum(p.numel() for p in net.parameters()))}
    for when in ("loss", "next"):
        loss = F.cross_entropy(net(images), masks, ignore_index=IGNORE)
        arrays[when] = loss.detach().numpy().copy()
        if when == "loss":
            loss.backward()
            for name, p in net.named_parameters():
                if name in NAMES:
                    arrays[name] = p.grad.flatten()[:FIRST].numpy().copy()
                    arrays[name + ".norm"] = p.grad.norm().numpy()
        optimizer.step()
    return arrays


exact, single = step(torch.float64), step(torch.float32)
# How far PyTorch's own float32 is from its float64: what rounding does to this step.
off = {k + ".off": np.array(np.abs(single[k] - v).max(), np.float32) for k, v in exact.items() if k != "learned"}
for k, v in exact.items():
    print(k, v if v.ndim == 0 else np.abs(v).max(), off.get(k + ".off"))
np.savez_compressed(out / "deeplab_step.npz", **{k: v if k == "learned" else v.astype(np.float32) for k, v in exact.items()}, **off)
