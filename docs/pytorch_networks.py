"""The networks that `trilobite train` makes, in PyTorch, for the weights that
`trilobite export NAME -o NAME.safetensors` writes:

    net = DeepLabV3Plus(classes=11)                        # or UNet, SemanticFPN, FCOS
    net.load_state_dict(safetensors.torch.load_file("road.safetensors"))
    logits = net.eval()(x)                                 # (N, classes, H, W)

Versions: torch 2.15.0, torchvision 0.29.2, efficientnet_lite_pytorch 0.1.0. Sizes are those of
`trilobite train`; give others where a model file does. A backbone is a module that returns its
feature maps by stride and has parameters as its publisher names them: EfficientNetLite here, ResNet
below it. H and W are multiples of 32.
"""

import torch
import torchvision
from efficientnet_lite_pytorch import EfficientNet
from torch import nn
from torch.nn import functional as F
from torchvision.ops import FeaturePyramidNetwork


class EfficientNetLite(EfficientNet):
    """EfficientNet-Lite0 up to its last block; EfficientNetLite.from_name("efficientnet-lite0") makes it."""

    channels = {2: 16, 4: 24, 8: 40, 16: 112, 32: 320}
    last = {2: 0, 4: 2, 8: 4, 16: 10, 32: 15}  # the block that ends a stride

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        del self._conv_head, self._bn1, self._fc

    def forward(self, x):
        x, maps = self._swish(self._bn0(self._conv_stem(x))), {}
        for i, block in enumerate(self._blocks):
            x = block(x)
            maps.update({stride: x for stride, end in self.last.items() if end == i})
        return maps


class ResNet(torchvision.models.ResNet):
    """torchvision's ResNet-18 or -34 up to its last block: ResNet(BasicBlock, [2, 2, 2, 2])."""

    channels = {2: 64, 4: 64, 8: 128, 16: 256, 32: 512}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        del self.fc

    def forward(self, x):
        maps = {2: self.relu(self.bn1(self.conv1(x)))}
        x = self.maxpool(maps[2])
        for stride, layer in zip((4, 8, 16, 32), (self.layer1, self.layer2, self.layer3, self.layer4)):
            x = maps[stride] = layer(x)
        return maps


def lite0():
    return EfficientNetLite.from_name("efficientnet-lite0")


def unit(inputs, outputs, kernel=1, rate=1, bias=False):
    conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2 * rate, dilation=rate, bias=bias)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU())


def separable(inputs, outputs, rate=1):
    each = nn.Conv2d(inputs, inputs, 3, padding=rate, dilation=rate, groups=inputs, bias=False)
    return nn.Sequential(nn.Sequential(each, nn.Conv2d(inputs, outputs, 1, bias=False)), nn.BatchNorm2d(outputs), nn.ReLU())


def enlarge(x, like):
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


class DeepLabV3Plus(nn.Module):
    """Strides 16 and 32 pooled, 8 and 4 merged."""

    def __init__(self, classes, backbone=None, channels=128, rates=(3, 6, 9)):
        super().__init__()
        self.backbone, self.head = backbone or lite0(), nn.Module()
        c, h = self.backbone.channels, self.head
        both = c[16] + c[32]
        h.pool = unit(both, channels, bias=True)
        h.aspp = nn.ModuleList([unit(both, channels), *(separable(both, channels, r) for r in rates)])
        h.project = unit((2 + len(rates)) * channels, channels)
        for stride in (8, 4):
            h.add_module(f"skip{stride}", unit(c[stride], 48))
            h.add_module(f"merge{stride}", nn.Sequential(separable(channels + 48, channels), separable(channels, channels)))
        h.classify = nn.Conv2d(channels, classes, 1)

    def forward(self, image):
        maps, h = self.backbone(image), self.head
        x = torch.cat([maps[16], enlarge(maps[32], maps[16])], 1)
        pooled = h.pool(x.mean((2, 3), keepdim=True)).expand(-1, -1, *x.shape[2:])
        x = h.project(torch.cat([pooled, *(branch(x) for branch in h.aspp)], 1))
        for stride in (8, 4):
            skip = h.get_submodule(f"skip{stride}")(maps[stride])
            x = h.get_submodule(f"merge{stride}")(torch.cat([enlarge(x, skip), skip], 1))
        return enlarge(h.classify(x), image)


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1, self.conv2 = unit(inputs, outputs, 3), unit(outputs, outputs, 3)


class UNet(nn.Module):
    """Strides 32 to 4, named as in segmentation_models.pytorch."""

    def __init__(self, classes, backbone=None, channels=(128, 64, 48)):
        super().__init__()
        self.backbone, self.decoder = backbone or lite0(), nn.Module()
        c, inputs, blocks = self.backbone.channels, self.backbone.channels[32], []
        for stride, outputs in zip((16, 8, 4), channels):
            blocks.append(Block(inputs + c[stride], outputs))
            inputs = outputs
        self.decoder.blocks = nn.ModuleList(blocks)
        self.segmentation_head = nn.Sequential(nn.Conv2d(inputs, classes, 3, padding=1))

    def forward(self, image):
        maps = self.backbone(image)
        x = maps[32]
        for stride, block in zip((16, 8, 4), self.decoder.blocks):
            x = F.interpolate(x, size=maps[stride].shape[2:], mode="nearest")
            x = block.conv2(block.conv1(torch.cat([x, maps[stride]], 1)))
        return enlarge(self.segmentation_head(x), image)


class SemanticFPN(nn.Module):
    """Strides 4 to 32, each enlarged and summed."""

    def __init__(self, classes, backbone=None, neck=128, channels=96):
        super().__init__()
        self.backbone, self.head = backbone or lite0(), nn.Module()
        self.fpn = FeaturePyramidNetwork([self.backbone.channels[s] for s in (4, 8, 16, 32)], neck)
        for stride, count in ((4, 1), (8, 1), (16, 2), (32, 3)):
            self.head.add_module(f"scale{stride}", nn.ModuleList(unit(neck if j == 0 else channels, channels, 3) for j in range(count)))
        self.head.predictor = nn.Conv2d(channels, classes, 1)

    def forward(self, image):
        maps, total = self.backbone(image), 0
        for stride, x in self.fpn({str(s): maps[s] for s in (4, 8, 16, 32)}).items():
            for layer in self.head.get_submodule(f"scale{stride}"):
                x = layer(x)
                if stride != "4":
                    x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            total = total + x
        return enlarge(self.head.predictor(total), image)


class Tower(nn.Module):
    """Convolutions that all levels share, each level with BatchNorms of its own."""

    def __init__(self, channels, convs, levels, **last):
        super().__init__()
        self.conv = nn.ModuleDict()
        for i in range(convs):
            self.conv[str(3 * i)] = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
            self.conv[str(3 * i + 1)] = nn.ModuleList(nn.BatchNorm2d(channels) for _ in range(levels))
        for name, outputs in last.items():
            self.add_module(name, nn.Conv2d(channels, outputs, 3, padding=1))

    def forward(self, x, level):
        for i in range(len(self.conv) // 2):
            x = F.relu(self.conv[str(3 * i + 1)][level](self.conv[str(3 * i)](x)))
        return x


class FCOS(nn.Module):
    """Strides 8, 16 and 32. Answers logits (N, A, classes), boxes (N, A, 4), xyxy in pixels of the input, and
    quality (N, A); a class's score is the root of sigmoid(logit) times sigmoid(quality)."""

    strides = (8, 16, 32)

    def __init__(self, classes, backbone=None, channels=96, convs=2):
        super().__init__()
        self.backbone, self.head = backbone or lite0(), nn.Module()
        self.fpn = FeaturePyramidNetwork([self.backbone.channels[s] for s in self.strides], channels)
        self.head.classification_head = Tower(channels, convs, 3, cls_logits=classes)
        self.head.regression_head = Tower(channels, convs, 3, bbox_reg=4, bbox_ctrness=1)

    def forward(self, image):
        maps, found = self.backbone(image), []
        classes, regression = self.head.classification_head, self.head.regression_head
        for level, (stride, x) in enumerate(self.fpn({str(s): maps[s] for s in self.strides}).items()):
            def flat(y):
                return y.permute(0, 2, 3, 1).flatten(1, 2)
            y = regression(x, level)
            sides = flat(F.relu(regression.bbox_reg(y))) * int(stride)
            rows, columns = (torch.arange(n, device=x.device) * int(stride) + int(stride) / 2 for n in x.shape[2:])
            cy, cx = (v.flatten() for v in torch.meshgrid(rows, columns, indexing="ij"))
            boxes = torch.stack([cx - sides[..., 0], cy - sides[..., 1], cx + sides[..., 2], cy + sides[..., 3]], -1)
            found.append((flat(classes.cls_logits(classes(x, level))), boxes, flat(regression.bbox_ctrness(y))[..., 0]))
        return tuple(torch.cat(part, 1) for part in zip(*found))
