"""The same training steps in PyTorch, for one network and one memory format.

Prints one JSON line: the median seconds of a step, two steps of warm-up left out, the
process's peak resident memory in MB and the loss before each step.
"""
import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F
import torchvision
from torch import nn

CLASSES, WARM_UP = 12, 2


def conv_bn_relu(inputs, outputs, kernel, rate=1, bias=False):
    conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2 * rate, dilation=rate, bias=bias)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Backbone(nn.Module):
    """ResNet-50 up to layer3, with the taps of strides 4 and 16."""

    def __init__(self):
        super().__init__()
        resnet = torchvision.models.resnet50(weights=None)
        self.stem = nn.Sequential(resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool)
        self.layer1, self.layer2, self.layer3 = resnet.layer1, resnet.layer2, resnet.layer3

    def forward(self, x):
        low = self.layer1(self.stem(x))
        return low, self.layer3(self.layer2(low))


class Head(nn.Module):
    """DeepLabV3+ (Chen et al., arXiv:1802.02611, figure 2): ASPP and decoder."""

    def __init__(self):
        super().__init__()
        self.pool = conv_bn_relu(1024, 256, 1, bias=True)
        self.aspp = nn.ModuleList([conv_bn_relu(1024, 256, 1)] + [conv_bn_relu(1024, 256, 3, r) for r in (6, 12, 18)])
        self.project = conv_bn_relu(5 * 256, 256, 1)
        self.skip = conv_bn_relu(256, 48, 1)
        self.merge = nn.Sequential(conv_bn_relu(256 + 48, 256, 3), conv_bn_relu(256, 256, 3))
        self.classify = nn.Conv2d(256, CLASSES, 1)

    def forward(self, low, high, size):
        pooled = self.pool(high.mean((2, 3), keepdim=True)).expand(-1, -1, *high.shape[2:])
        x = self.project(torch.cat([pooled] + [branch(high) for branch in self.aspp], 1))
        x = self.merge(torch.cat([upsample(x, low.shape[2:]), self.skip(low)], 1))
        return self.classify(upsample(x, size))


def upsample(x, size):
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


def lite0():
    from efficientnet_lite_pytorch import EfficientNet
    net = EfficientNet.from_name("efficientnet-lite0")
    net._dropout = nn.Identity()  # the Go network has no random masks here
    for module in net.modules():
        if hasattr(module, "drop_connect_rate"):
            module.drop_connect_rate = 0
    net._global_params = net._global_params._replace(drop_connect_rate=0.0)
    return net


def classifier(name):
    net = torchvision.models.get_model(name, weights=None)
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return net


def network(name, layout):
    """Returns the trained module and a function that computes its loss."""
    to = dict(memory_format=layout)
    if name not in ("head", "whole"):
        net = (lite0() if name == "lite0" else classifier(name)).to(**to)
        images, target = torch.randn(16, 3, 224, 224).to(**to), torch.randint(0, 1000, (16,))
        return net, lambda: F.cross_entropy(net(images), target)
    size = (256, 256)
    backbone, head = Backbone().to(**to), Head().to(**to)
    images, target = torch.randn(4, 3, *size).to(**to), torch.randint(0, CLASSES, (4, *size))
    if name == "head":
        with torch.no_grad():
            low, high = backbone.eval()(images)
        return head, lambda: F.cross_entropy(head(low, high, size), target)
    return nn.ModuleList([backbone, head]), lambda: F.cross_entropy(head(*backbone(images), size), target)


def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", help="head, whole, lite0 or a classifier of torchvision")
    parser.add_argument("layout", choices=("contiguous_format", "channels_last"))
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(4)
    module, loss_of = network(args.network, getattr(torch, args.layout))
    module.train()
    optimizer = torch.optim.AdamW(module.parameters(), 1e-3)
    losses, seconds = [], []
    for _ in range(WARM_UP + args.steps):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds": statistics.median(seconds[WARM_UP:]), "peak": peak(), "losses": losses}))


if __name__ == "__main__":
    main()
