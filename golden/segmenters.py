"""Segmentation networks in PyTorch, written out module by module, for package nn.

Writes nn/testdata/segmenters.npz: weights by formula (formula.py) under the names of
package nn, a 64x64 input, and for each network every fourth logit of each row and column
and the number of parameters.  "unet" is milesial's Pytorch-UNet (bilinear, but without
aligned corners) of width 8; the others stand on torchvision's ResNet-18: "unet_resnet18"
is segmentation_models.pytorch's decoder, "fpn" the semantic branch of arXiv:1901.02446 with
torchvision's FeaturePyramidNetwork, "deeplab" pools strides 16 and 32 and merges 8 and 4,
"deeplab_separable" does so by depthwise and 1x1 convolutions.
Versions: torch 2.15.0, torchvision 0.29.2, numpy 2.4.6.
"""
import pathlib

import numpy as np
import torch
import torchvision
from torch import nn
from torch.nn import functional as F
from torchvision.ops import FeaturePyramidNetwork

from formula import noise, weights

torch.set_num_threads(2)
out = pathlib.Path(__file__).parent.parent / "nn" / "testdata"
SIZE, CLASSES = 64, 4


def unit(inputs, outputs, kernel=3, rate=1, bias=False):
    conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2 * rate, dilation=rate, bias=bias)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU())


def upsample(x, size):
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


class Encoder(torchvision.models.ResNet):
    def __init__(self):
        super().__init__(torchvision.models.resnet.BasicBlock, [2, 2, 2, 2])
        del self.fc

    def forward(self, x):
        maps = [self.relu(self.bn1(self.conv1(x)))]
        x = self.maxpool(maps[0])
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            maps.append(x)
        return maps  # strides 2 to 32


class DoubleConv(nn.Module):
    def __init__(self, inputs, middle, outputs):
        super().__init__()
        self.double_conv = nn.Sequential(*unit(inputs, middle), *unit(middle, outputs))

    def forward(self, x):
        return self.double_conv(x)


class Down(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), DoubleConv(inputs, outputs, outputs))

    def forward(self, x):
        return self.maxpool_conv(x)


class Up(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = DoubleConv(inputs, inputs // 2, outputs)

    def forward(self, x, skip):
        return self.conv(torch.cat([skip, upsample(x, skip.shape[2:])], 1))


class Out(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, CLASSES, 1)

    def forward(self, x):
        return self.conv(x)


class UNet(nn.Module):
    def __init__(self, w=8):
        super().__init__()
        self.inc = DoubleConv(3, w, w)
        self.down1, self.down2, self.down3, self.down4 = Down(w, 2 * w), Down(2 * w, 4 * w), Down(4 * w, 8 * w), Down(8 * w, 8 * w)
        self.up1, self.up2, self.up3, self.up4 = Up(16 * w, 4 * w), Up(8 * w, 2 * w), Up(4 * w, w), Up(2 * w, w)
        self.outc = Out(w)

    def forward(self, x):
        x1 = self.inc(x)
        x2 = self.down1(x1)
        x3 = self.down2(x2)
        x4 = self.down3(x3)
        x = self.up1(self.down4(x4), x4)
        return self.outc(self.up4(self.up3(self.up2(x, x3), x2), x1))


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1, self.conv2 = unit(inputs, outputs), unit(outputs, outputs)

    def forward(self, x, skip):
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        return self.conv2(self.conv1(x if skip is None else torch.cat([x, skip], 1)))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Block(512 + 256, 256), Block(256 + 128, 128), Block(128 + 64, 64), Block(64 + 64, 32), Block(32, 16)])

    def forward(self, maps):
        x = maps[-1]
        for block, skip in zip(self.blocks, maps[-2::-1] + [None]):
            x = block(x, skip)
        return x


class EncodedUNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone, self.decoder = Encoder(), Decoder()
        self.segmentation_head = nn.Sequential(nn.Conv2d(16, CLASSES, 3, padding=1))

    def forward(self, x):
        return self.segmentation_head(self.decoder(self.backbone(x)))


class SemanticFPN(nn.Module):
    def __init__(self, neck=32, channels=24):
        super().__init__()
        self.backbone, self.fpn, self.head = Encoder(), FeaturePyramidNetwork([64, 128, 256, 512], neck), nn.Module()
        for stride, count in ((4, 1), (8, 1), (16, 2), (32, 3)):
            self.head.add_module(f"scale{stride}", nn.ModuleList(unit(neck if j == 0 else channels, channels) for j in range(count)))
        self.head.predictor = nn.Conv2d(channels, CLASSES, 1)

    def forward(self, x):
        levels = self.fpn({str(s): v for s, v in zip((4, 8, 16, 32), self.backbone(x)[1:])})
        total = 0
        for stride, x in levels.items():
            for layer in self.head.get_submodule("scale" + stride):
                x = layer(x)
                if stride != "4":
                    x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            total = total + x
        return upsample(self.head.predictor(total), SIZE)


def separable(inputs, outputs, rate=1):
    each = nn.Conv2d(inputs, inputs, 3, padding=rate, dilation=rate, groups=inputs, bias=False)
    every = nn.Conv2d(inputs, outputs, 1, bias=False)
    return nn.Sequential(nn.Sequential(each, every), nn.BatchNorm2d(outputs), nn.ReLU())


class DeepLab(nn.Module):
    def __init__(self, c=24, conv=lambda inputs, outputs, rate=1: unit(inputs, outputs, 3, rate)):
        super().__init__()
        self.backbone, self.head = Encoder(), nn.Module()
        h = self.head
        h.pool = unit(768, c, 1, bias=True)
        h.aspp = nn.ModuleList([unit(768, c, 1)] + [conv(768, c, rate) for rate in (1, 2)])
        h.project = unit(4 * c, c, 1)
        h.skip8, h.merge8 = unit(128, 16, 1), nn.Sequential(conv(c + 16, c))
        h.skip4, h.merge4 = unit(64, 48, 1), nn.Sequential(conv(c + 48, c), conv(c, c))
        h.classify = nn.Conv2d(c, CLASSES, 1)

    def forward(self, x):
        _, f4, f8, f16, f32 = self.backbone(x)
        h = self.head
        x = torch.cat([f16, upsample(f32, f16.shape[2:])], 1)
        pooled = h.pool(x.mean((2, 3), keepdim=True)).expand(-1, -1, *x.shape[2:])
        x = h.project(torch.cat([pooled] + [m(x) for m in h.aspp], 1))
        x = h.merge8(torch.cat([upsample(x, f8.shape[2:]), h.skip8(f8)], 1))
        x = h.merge4(torch.cat([upsample(x, f4.shape[2:]), h.skip4(f4)], 1))
        return upsample(h.classify(x), SIZE)


arrays = {}
with torch.no_grad():
    for name, net in {"unet": UNet(), "unet_resnet18": EncodedUNet(), "fpn": SemanticFPN(), "deeplab": DeepLab(), "deeplab_separable": DeepLab(conv=separable)}.items():
        net.eval().load_state_dict({k: v if "num_batches" in k else weights(k, tuple(v.shape)) for k, v in net.state_dict().items()})
        logits = net(torch.from_numpy(noise(3 * SIZE * SIZE, 1).reshape(1, 3, SIZE, SIZE))).numpy()[0]
        arrays[name] = np.ascontiguousarray(logits[:, ::4, ::4])
        arrays[name + ".learned"] = np.array([sum(p.numel() for p in net.parameters())])
        print(name, arrays[name + ".learned"], logits.shape, logits.min(), logits.max(), logits.std((1, 2)))
np.savez_compressed(out / "segmenters.npz", **arrays)
