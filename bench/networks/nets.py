"""The networks that are differentiated whole, and how they are exported.

Weights are torchvision's random initialisation; dropout and stochastic depth are 0, so
that a step has one answer.  Pictures are small: the operators are the same.
"""
import contextlib
import dataclasses
import io
import warnings

import torch
import torchvision
from torch import nn
from torchvision import models

CLASSES = 10


@dataclasses.dataclass
class Net:
    build: callable
    size: int = 64  # pixels, both sides
    batch: int = 4
    dense: bool = False  # a class per pixel


class Out(nn.Module):
    """The first output of a network that returns several."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x)["out"]


class UNet(nn.Module):
    """Two levels of Ronneberger et al. (arXiv:1505.04597) with transposed convolutions,
    group normalisation and PReLU."""

    def __init__(self, classes=CLASSES):
        super().__init__()
        block = lambda i, o: nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.GroupNorm(4, o), nn.PReLU(o),
                                           nn.Conv2d(o, o, 3, padding=1), nn.InstanceNorm2d(o, affine=True), nn.LeakyReLU(0.1))
        self.down = nn.ModuleList([block(3, 16), block(16, 32)])
        self.middle = block(32, 64)
        self.up = nn.ModuleList([nn.ConvTranspose2d(64, 32, 2, 2), nn.ConvTranspose2d(32, 16, 3, 2, 1, 1)])
        self.join = nn.ModuleList([block(64, 32), block(32, 16)])
        self.head = nn.Conv2d(16, classes, 1)

    def forward(self, x):
        skips = []
        for d in self.down:
            x = d(x)
            skips.append(x)
            x = nn.functional.max_pool2d(x, 2)
        x = self.middle(x)
        for u, j, s in zip(self.up, self.join, reversed(skips)):
            x = j(torch.cat([u(x), s], 1))
        return self.head(x)


class Attention(nn.Module):
    """A small transformer over patches: nn.MultiheadAttention through
    scaled_dot_product_attention, an embedding table, a class token."""

    def __init__(self, width=32):
        super().__init__()
        self.patch = nn.Conv2d(3, width, 8, 8)
        self.token = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.place = nn.Embedding(17, width)
        self.layers = nn.ModuleList([nn.TransformerEncoderLayer(width, 4, 64, 0.0, "gelu", batch_first=True) for _ in range(2)])
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1)
        x = x + self.place(torch.arange(17))
        for layer in self.layers:
            x = layer(x)
        return self.head(x[:, 0])


def of(fn, **kw):
    weights = {} if fn is models.MaxVit else {"weights": None}
    return lambda: fn(num_classes=CLASSES, **weights, **kw)


NETS = {
    "resnet18": Net(of(models.resnet18)),
    "mobilenet_v2": Net(of(models.mobilenet_v2, dropout=0.0)),
    "mobilenet_v3_small": Net(of(models.mobilenet_v3_small, dropout=0.0)),
    "efficientnet_b0": Net(of(models.efficientnet_b0, dropout=0.0, stochastic_depth_prob=0.0)),
    "shufflenet_v2": Net(of(models.shufflenet_v2_x1_0)),
    "densenet121": Net(of(models.densenet121)),
    "convnext_tiny": Net(of(models.convnext_tiny, stochastic_depth_prob=0.0)),
    "vit_b_16": Net(of(models.vit_b_16, image_size=32), size=32),
    "deeplabv3_mobilenet_v3_large": Net(
        lambda: Out(models.segmentation.deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=CLASSES)), dense=True),
    # beyond those that are promised
    "squeezenet1_1": Net(of(models.squeezenet1_1, dropout=0.0)),
    "googlenet": Net(of(models.googlenet, aux_logits=False, init_weights=True, dropout=0.0)),
    "inception_v3": Net(of(models.inception_v3, aux_logits=False, init_weights=True, dropout=0.0), size=96),
    "alexnet": Net(of(models.alexnet, dropout=0.0), size=224),
    "vgg11_bn": Net(of(models.vgg11_bn, dropout=0.0), size=224, batch=2),
    "resnext50_32x4d": Net(of(models.resnext50_32x4d)),
    "wide_resnet50_2": Net(of(models.wide_resnet50_2)),
    "regnet_x_400mf": Net(of(models.regnet_x_400mf)),
    "regnet_y_400mf": Net(of(models.regnet_y_400mf)),
    "efficientnet_v2_s": Net(of(models.efficientnet_v2_s, dropout=0.0, stochastic_depth_prob=0.0)),
    "mobilenet_v3_large": Net(of(models.mobilenet_v3_large, dropout=0.0)),
    "swin_t": Net(of(models.swin_t)),
    "maxvit": Net(of(models.MaxVit, input_size=(64, 64), stem_channels=16, partition_size=4, block_channels=[16, 32], block_layers=[1, 2], head_dim=8, stochastic_depth_prob=0.0)),
    "swin": Net(lambda: models.SwinTransformer([4, 4], 32, [2, 2], [2, 4], [4, 4], stochastic_depth_prob=0.0, num_classes=CLASSES)),
    "mnasnet0_5": Net(of(models.mnasnet0_5, dropout=0.0)),
    "lraspp_mobilenet_v3_large": Net(
        lambda: Out(models.segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=CLASSES)), dense=True),
    "fcn_resnet50": Net(
        lambda: Out(models.segmentation.fcn_resnet50(weights=None, weights_backbone=None, num_classes=CLASSES)), batch=2, dense=True),
    "unet": Net(UNet, dense=True),
    "attention": Net(Attention, size=32),
}
EXPORTERS = ("script", "dynamo")


def build(name, train, fresh=False):
    """The network, float32, with its dropout at 0; train: BatchNorm by the batch.

    What torchvision sets to 0 and 1 (norms, biases) is moved a little, as training would:
    frozen statistics then do something, and the exporter finds no two parameters equal,
    which it would make one.  fresh: they are left.
    """
    torch.manual_seed(4)
    net = NETS[name].build()
    for m in net.modules():
        if isinstance(m, (nn.Dropout, torchvision.ops.StochasticDepth)):
            m.p = 0.0
        if isinstance(m, nn.modules.batchnorm._BatchNorm) and not fresh:
            nn.init.uniform_(m.running_var, 0.7, 1.4)
            nn.init.normal_(m.running_mean, 0, 0.1)
    with torch.no_grad():
        for p in net.parameters():
            if not fresh and (p.dim() < 2 or p.min() == p.max()):
                p.add_(torch.randn_like(p), alpha=0.02)
    return net.train(train)


def pictures(name, seed=4):
    """A batch and its classes."""
    n = NETS[name]
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n.batch, 3, n.size, n.size, generator=g)
    shape = (n.batch, n.size, n.size) if n.dense else (n.batch,)
    return x, torch.randint(0, CLASSES, shape, generator=g)


def export(net, x, exporter, path, dynamic=False):
    """Writes net, as it stands (training or not), to path.  dynamic: a symbolic batch."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        if exporter == "script":
            torch.onnx.export(net, (x,), path, dynamo=False, training=torch.onnx.TrainingMode.PRESERVE,
                              do_constant_folding=False, opset_version=17, input_names=["input"], output_names=["output"],
                              dynamic_axes={"input": {0: "N"}, "output": {0: "N"}} if dynamic else None)
        else:
            torch.onnx.export(net, (x,), path, dynamo=True, opset_version=18, input_names=["input"], output_names=["output"],
                              dynamic_shapes=({0: torch.export.Dim("N")},) if dynamic else None)
