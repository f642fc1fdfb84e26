"""Blocks of picture networks as timm and others write them, by hand."""
import math

import torch
import torch.nn.functional as F
from kinds_nets import C, Fn, floats, kind, picture
from torch import nn


def classifier(body, channels, **parts):
    """Pools what body makes and classifies it."""
    return Fn(lambda m, x: m.head(m.body(x).mean((2, 3))), body=body, head=nn.Linear(channels, C), **parts)


def stem(channels=8):
    return nn.Sequential(nn.Conv2d(3, channels, 3, 2, 1), nn.SiLU())


# images to images

@kind(picture(), loss="mse")
def super_resolution():
    """ESPCN: Conv, PixelShuffle, a bicubic skip."""
    def fn(m, x):
        return m.net(x) + F.interpolate(x, scale_factor=2, mode="bicubic", align_corners=False)
    return Fn(fn, net=nn.Sequential(nn.Conv2d(3, 8, 5, padding=2), nn.Tanh(), nn.Conv2d(8, 12, 3, padding=1), nn.PixelShuffle(2)))


@kind(picture(), loss="smooth-l1")
def autoencoder():
    return nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 12, 3, 2, 1), nn.ELU(), nn.Flatten(), nn.Linear(192, 10), nn.Linear(10, 192), nn.Unflatten(1, (12, 4, 4)),
                         nn.ConvTranspose2d(12, 8, 4, 2, 1), nn.PReLU(), nn.ConvTranspose2d(8, 3, 3, 2, 1, output_padding=1), nn.Sigmoid())


@kind(picture(), loss="cross-entropy")
def unet_bilinear():
    def fn(m, x):
        a = m.down(x)
        b = m.middle(F.avg_pool2d(a, 2))
        return m.head(torch.cat([a, F.interpolate(b, size=a.shape[2:], mode="bilinear", align_corners=True)], 1))
    block = lambda i, o: nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))
    return Fn(fn, down=block(3, 8), middle=block(8, 8), head=nn.ConvTranspose2d(16, C, 3, padding=1))


@kind(picture(), loss="bce")
def feature_pyramid():
    def fn(m, x):
        a = F.relu(m.one(x))
        b = F.relu(m.two(a))
        return m.out(m.lateral(a) + F.interpolate(m.top(b), scale_factor=2, mode="nearest"))
    return Fn(fn, one=nn.Conv2d(3, 8, 3, 2, 1), two=nn.Conv2d(8, 12, 3, 2, 1), lateral=nn.Conv2d(8, 6, 1), top=nn.Conv2d(12, 6, 1), out=nn.Conv2d(6, 1, 3, padding=1))


@kind(picture(), loss="bce")
def discriminator():
    """A score for each patch."""
    return nn.Sequential(nn.Conv2d(3, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 8, 4, 2, 1), nn.InstanceNorm2d(8), nn.LeakyReLU(0.2), nn.ReflectionPad2d(1), nn.Conv2d(8, 1, 3))


@kind(picture(), loss="mse")
def style_transfer():
    return nn.Sequential(nn.ReflectionPad2d(2), nn.Conv2d(3, 6, 5), nn.InstanceNorm2d(6, affine=True), nn.ReLU(), nn.ReplicationPad2d(1), nn.Conv2d(6, 6, 3, 2), nn.GroupNorm(3, 6), nn.Mish(),
                         nn.Upsample(scale_factor=2), nn.ZeroPad2d(1), nn.Conv2d(6, 3, 3), nn.Softplus())


# classifiers

@kind(picture(), loss="bce")
def multi_label():
    return nn.Sequential(stem(), nn.AdaptiveAvgPool2d((2, 2)), nn.Flatten(), nn.Linear(32, C), nn.Sigmoid())


@kind(picture())
def norms():
    return classifier(nn.Sequential(nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.InstanceNorm2d(8), nn.GELU(), nn.LocalResponseNorm(3), nn.Conv2d(8, 8, 3), nn.LayerNorm([8, 10, 10]), nn.Hardswish()), 8)


@kind(picture())
def squeeze_excitation():
    def fn(m, x):
        x = m.body(x)
        x = x * F.hardsigmoid(m.up(F.relu(m.down(x.mean((2, 3), keepdim=True)))))
        y = m.eca(x.mean((2, 3))[:, None]).transpose(1, 2).unsqueeze(-1)
        x = x * torch.sigmoid(y)
        both = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return m.head((x * torch.sigmoid(m.place(both))).mean((2, 3)))
    return Fn(fn, body=stem(), down=nn.Conv2d(8, 2, 1), up=nn.Conv2d(2, 8, 1), eca=nn.Conv1d(1, 1, 3, padding=1, bias=False), place=nn.Conv2d(2, 1, 7, padding=3), head=nn.Linear(8, C))


@kind(picture())
def standardised_convolution():
    """BiT's and NFNet's: weights less their mean, by their deviation; generalised mean pooling."""
    def fn(m, x):
        w = m.conv.weight
        var, mean = torch.var_mean(w, (1, 2, 3), keepdim=True, unbiased=False)
        x = F.conv2d(x, (w - mean) * torch.rsqrt(var + 1e-5) * m.gain, m.conv.bias, 2, 1)
        x = F.gelu(x).clamp(min=1e-6).pow(m.p).mean((2, 3)).pow(1 / m.p)
        return m.head(x)
    return Fn(fn, conv=nn.Conv2d(3, 8, 3), gain=torch.ones(8, 1, 1, 1) * 1.1, p=torch.tensor([3.0]), head=nn.Linear(8, C))


@kind(picture())
def blur_pool():
    blur = torch.tensor([1.0, 2, 1])
    m = Fn(lambda m, x: m.head(F.conv2d(F.pad(m.body(x), (1, 1, 1, 1), mode="reflect"), m.blur, stride=2, groups=8).flatten(1)), body=stem(), head=nn.Linear(128, C))
    m.register_buffer("blur", (blur[:, None] * blur / 16).expand(8, 1, 3, 3).contiguous())
    return m


@kind(picture())
def mixer():
    """MLP-Mixer with ResMLP's affine scale."""
    def fn(m, x):
        x = m.patch(x).flatten(2).transpose(1, 2)
        x = x + m.scale * m.tokens(m.n1(x).transpose(1, 2)).transpose(1, 2)
        x = x + m.channels(m.n2(x))
        return m.head(x.mean(1))
    mlp = lambda w: nn.Sequential(nn.Linear(w, 2 * w), nn.GELU(), nn.Linear(2 * w, w))
    return Fn(fn, patch=nn.Conv2d(3, 12, 4, 4), n1=nn.LayerNorm(12), n2=nn.LayerNorm(12), tokens=mlp(16), channels=mlp(12), scale=torch.full((12,), 0.1) + 0.01 * torch.randn(12), head=nn.Linear(12, C))


@kind(picture())
def conv_mixer():
    block = nn.Sequential(nn.Conv2d(8, 8, 5, groups=8, padding="same"), nn.GELU(), nn.BatchNorm2d(8))
    return classifier(Fn(lambda m, x: m.point((lambda y: y + m.block(y))(m.stem(x))), stem=nn.Conv2d(3, 8, 2, 2), block=block, point=nn.Conv2d(8, 8, 1)), 8)


@kind(picture())
def channels_last_norm():
    """ConvNeXt's: permute, LayerNorm, Linear, layer scale; V2's response normalisation."""
    def fn(m, x):
        x = m.stem(x)
        y = m.depth(x).permute(0, 2, 3, 1)
        y = F.gelu(m.up(m.norm(y)))
        g = torch.linalg.vector_norm(y, 2, (1, 2), keepdim=True)
        y = m.gamma * (y * (g / (g.mean(-1, keepdim=True) + 1e-6))) + m.beta + y
        return m.head((x + m.down(y).permute(0, 3, 1, 2)).mean((2, 3)))
    return Fn(fn, stem=stem(), depth=nn.Conv2d(8, 8, 7, padding=3, groups=8), norm=nn.LayerNorm(8), up=nn.Linear(8, 16), down=nn.Linear(16, 8), gamma=torch.randn(16) * 0.1, beta=torch.randn(16) * 0.1, head=nn.Linear(8, C))


@kind(picture())
def shifted_windows():
    """Swin's: roll, windows, a table of relative positions."""
    index = torch.arange(4)
    relative = ((index[:, None] // 2 - index // 2) + 1) * 3 + (index[:, None] % 2 - index % 2) + 1

    def fn(m, x):
        x = torch.roll(m.stem(x).permute(0, 2, 3, 1), (-1, -1), (1, 2))
        n, h, w, c = x.shape
        x = x.view(n, h // 2, 2, w // 2, 2, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, c)
        q, k, v = m.qkv(x).reshape(-1, 4, 3, 2, c // 2).permute(2, 0, 3, 1, 4).unbind(0)
        a = (q * (c // 2) ** -0.5) @ k.transpose(-2, -1) + m.table[relative.view(-1)].view(4, 4, 2).permute(2, 0, 1)
        x = (a.softmax(-1) @ v).transpose(1, 2).reshape(-1, 4, c)
        x = torch.roll(x.view(n, h // 2, w // 2, 2, 2, c).permute(0, 1, 3, 2, 4, 5).reshape(n, h, w, c), (1, 1), (1, 2))
        x = torch.cat([x[:, i::2, j::2] for i in (0, 1) for j in (0, 1)], -1)
        return m.head(m.merge(x).mean((1, 2)))
    return Fn(fn, stem=stem(), qkv=nn.Linear(8, 24), table=torch.randn(9, 2) * 0.1, merge=nn.Linear(32, 12, bias=False), head=nn.Linear(12, C))


@kind(picture(), opset=18)
def unfolded_patches():
    """MobileViT's fold and unfold, T2T's soft split."""
    def fn(m, x):
        x = m.stem(x)
        y = m.mix(F.unfold(x, 3, padding=1).transpose(1, 2)).transpose(1, 2)
        return m.head(torch.cat([x, F.fold(y, (9, 9), 2)[:, :, :8, :8]], 1).flatten(1))
    return Fn(fn, stem=stem(), mix=nn.Linear(72, 8), head=nn.Linear(640, C))


@kind(picture())
def split_and_shuffle():
    """Res2Net's scales, ShuffleNet's shuffle, GhostNet's cheap half."""
    def fn(m, x):
        a, b, c, d = m.stem(x).chunk(4, 1)
        b = m.two(b)
        c = m.three(b + c)
        x = torch.cat([a, b, c, d], 1)
        n, ch, h, w = x.shape
        x = x.view(n, 2, ch // 2, h, w).transpose(1, 2).reshape(n, ch, h, w)
        return m.head(torch.cat([x, m.cheap(x)], 1).mean((2, 3)))
    return Fn(fn, stem=stem(8), two=nn.Conv2d(2, 2, 3, padding=1), three=nn.Conv2d(2, 2, 3, padding=1), cheap=nn.Conv2d(8, 8, 3, padding=1, groups=8), head=nn.Linear(16, C))


@kind(picture())
def selective_kernels():
    def fn(m, x):
        x = m.stem(x)
        u = torch.stack([m.one(x), m.two(x)], 1)
        a = m.choose(u.sum(1).mean((2, 3))).view(-1, 2, 8, 1, 1).softmax(1)
        y = (u * a).sum(1)
        q = y.flatten(2)
        attention = torch.softmax(q.transpose(1, 2) @ q, -1)
        return m.head((y + m.gamma * (q @ attention.transpose(1, 2)).view_as(y)).mean((2, 3)))
    return Fn(fn, stem=stem(), one=nn.Conv2d(8, 8, 3, padding=1), two=nn.Conv2d(8, 8, 3, padding=2, dilation=2), choose=nn.Linear(8, 16), gamma=torch.tensor([0.3]), head=nn.Linear(8, C))


@kind(picture(), batch=None)
def dynamic_convolution():
    """Kernels mixed for each picture, run as one grouped convolution."""
    def fn(m, x):
        x = m.stem(x)
        a = m.route(x.mean((2, 3))).softmax(1)
        w = (a @ m.kernels.flatten(1)).view(-1, 8, 3, 3)
        y = F.conv2d(x.reshape(1, -1, 8, 8), w, padding=1, groups=x.shape[0]).view(x.shape[0], -1, 8, 8)
        return m.head(y.mean((2, 3)))
    return Fn(fn, stem=stem(), route=nn.Linear(8, 3), kernels=torch.randn(3, 8, 8, 3, 3) * 0.2, head=nn.Linear(8, C))


@kind(picture(), opset=20)
def spatial_transformer():
    def fn(m, x):
        theta = torch.tanh(m.where(x.flatten(1))).view(-1, 2, 3)
        return m.head(m.body(F.grid_sample(x, F.affine_grid(theta, x.shape, align_corners=False), align_corners=False)).mean((2, 3)))
    return Fn(fn, where=nn.Linear(768, 6), body=stem(), head=nn.Linear(8, C))


@kind(picture())
def pyramid_pooling():
    def fn(m, x):
        x = m.stem(x)
        pools = [x] + [F.interpolate(F.adaptive_avg_pool2d(x, s), size=(8, 8), mode="bilinear", align_corners=False) for s in (1, 2, 4)]
        pools += [F.max_pool2d(x, k, 1, k // 2) for k in (3, 5)] + [F.avg_pool2d(x, 3, 1, 1, count_include_pad=False), F.max_pool2d(x, 3, 2, 1, ceil_mode=True).repeat(1, 1, 2, 2)[:, :, :8, :8]]
        return m.head(m.mix(torch.cat(pools, 1)).flatten(1))
    return Fn(fn, stem=stem(), mix=nn.Conv2d(64, 4, 1), head=nn.Linear(256, C))


@kind(picture())
def cosine_head():
    """ArcFace's: a scaled cosine; MaxOut and CReLU before it."""
    def fn(m, x):
        x = m.stem(x)
        x = torch.cat([F.relu(x), F.relu(-x)], 1).mean((2, 3))
        x = torch.maximum(*m.out(x).chunk(2, 1))
        return m.scale * F.linear(F.normalize(x), F.normalize(m.head))
    return Fn(fn, stem=nn.Conv2d(3, 8, 3, 2, 1), out=nn.Linear(16, 12), head=torch.randn(C, 6), scale=torch.tensor(8.0))


@kind(picture())
def many_activations():
    acts = [nn.ReLU6(), nn.CELU(), nn.SELU(), nn.Hardtanh(), nn.Softsign(), nn.LogSigmoid(), nn.Tanhshrink(), nn.Softshrink(), nn.GLU(1), nn.Hardsigmoid()]
    layers = []
    for a in acts:
        layers += [nn.Conv2d(8 if layers else 3, 16 if isinstance(a, nn.GLU) else 8, 1), a]
    return classifier(nn.Sequential(*layers), 8)


@kind(picture(n=2))
def token_pruning():
    """EViT's: the best tokens by a score, in order."""
    def fn(m, x):
        x = m.patch(x).flatten(2).transpose(1, 2)
        s = m.score(x).squeeze(-1)
        _, i = s.topk(6, 1)
        x = x.gather(1, i.unsqueeze(-1).expand(-1, -1, 12)) * torch.sigmoid(s.gather(1, i)).unsqueeze(-1)
        return m.head(x.mean(1))
    return Fn(fn, patch=nn.Conv2d(3, 12, 4, 4), score=nn.Linear(12, 1), head=nn.Linear(12, C))


@kind(picture())
def learned_positions():
    """A table of positions, resized bicubically to the picture's, and heads by einsum."""
    def fn(m, x):
        place = F.interpolate(m.place, size=(4, 4), mode="bicubic", align_corners=False, antialias=False)
        x = torch.einsum("nchw,dc->nhwd", m.patch(x) + place, m.up)
        a = torch.einsum("nhwd,nijd->nhwij", x, x).flatten(3).softmax(-1) / math.sqrt(2)
        return m.head(torch.einsum("nhwk,nkd->nhwd", a, x.flatten(1, 2)).mean((1, 2)))
    return Fn(fn, patch=nn.Conv2d(3, 8, 4, 4), place=torch.randn(1, 8, 6, 6), up=torch.randn(8, 8) * 0.3, head=nn.Linear(8, C))
