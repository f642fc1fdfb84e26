"""Networks of other kinds than classifiers of pictures: text, sequences, several inputs
and outputs, volumes, and blocks as timm and others write them.

A kind is a module, its inputs, the loss and, for several outputs, which one.
"""
import dataclasses

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations

C = 5  # classes


@dataclasses.dataclass
class Kind:
    build: callable
    inputs: callable  # of a generator: a tuple
    loss: str = "cross-entropy"
    output: int = 0  # of several
    opset: int = 0  # 0: the usual of each exporter
    axis: int = 1  # of the classes
    batch: int | None = 0  # axis of the batch; None: cannot be symbolic


KINDS = {}


def kind(inputs, **kw):
    """Adds the decorated builder to KINDS."""
    def add(build):
        KINDS[build.__name__] = Kind(build, inputs, **kw)
        return build
    return add


def picture(channels=3, size=16, n=3):
    return lambda g: (torch.randn(n, channels, size, size, generator=g),)


def floats(*shapes):
    return lambda g: tuple(torch.randn(*s, generator=g) for s in shapes)


def words(t=7, n=3, vocabulary=11):
    return lambda g: (torch.randint(0, vocabulary, (n, t), generator=g),)


class Fn(nn.Module):
    """Modules by name and what is computed with them."""

    def __init__(self, fn, **parts):
        super().__init__()
        self.fn = fn
        for name, part in parts.items():
            setattr(self, name, nn.Parameter(part) if type(part) is torch.Tensor else part)

    def forward(self, *x):
        return self.fn(self, *x)


# text

def masked(g):
    ids = torch.randint(0, 11, (3, 7), generator=g)
    return ids, torch.arange(7)[None] >= torch.tensor([[7], [4], [5]])


def encoder(norm_first, activation="relu"):
    layer = nn.TransformerEncoderLayer(16, 4, 32, 0.0, activation, batch_first=True, norm_first=norm_first)
    return nn.TransformerEncoder(layer, 2, nn.LayerNorm(16) if norm_first else None, enable_nested_tensor=False)


@kind(masked)
def transformer_padding_mask():
    def fn(m, ids, padding):
        x = m.encoder(m.embed(ids) + m.place, src_key_padding_mask=padding)
        keep = (~padding).unsqueeze(-1).to(x.dtype)
        return m.head((x * keep).sum(1) / keep.sum(1))
    return Fn(fn, embed=nn.Embedding(11, 16), place=torch.randn(1, 7, 16) * 0.1, encoder=encoder(False), head=nn.Linear(16, C))


@kind(words(), axis=2)
def transformer_causal():
    def fn(m, ids):
        mask = nn.Transformer.generate_square_subsequent_mask(7, dtype=m.place.dtype)
        return m.head(m.encoder(m.embed(ids) + m.place, mask=mask, is_causal=True))
    return Fn(fn, embed=nn.Embedding(11, 16), place=torch.randn(1, 7, 16) * 0.1, encoder=encoder(True, "gelu"), head=nn.Linear(16, 11))


@kind(lambda g: (torch.randint(0, 11, (3, 7), generator=g), torch.randint(0, 11, (3, 5), generator=g)), axis=2)
def transformer_translate():
    def fn(m, source, target):
        mask = nn.Transformer.generate_square_subsequent_mask(5, dtype=m.embed.weight.dtype)
        return m.head(m.transformer(m.embed(source), m.embed(target), tgt_mask=mask))
    return Fn(fn, embed=nn.Embedding(11, 16), transformer=nn.Transformer(16, 4, 1, 1, 32, 0.0, batch_first=True), head=nn.Linear(16, 11))


@kind(lambda g: (torch.randn(3, 7, 16, generator=g), torch.randn(3, 5, 12, generator=g)), loss="mse")
def cross_attention():
    return Fn(lambda m, q, k: m.attention(q, k, k, need_weights=False)[0], attention=nn.MultiheadAttention(16, 4, kdim=12, vdim=12, batch_first=True))


@kind(floats((7, 3, 16)), loss="smooth-l1", output=1, batch=1)
def attention_weights():
    return Fn(lambda m, x: m.attention(x, x, x), attention=nn.MultiheadAttention(16, 4, bias=False, add_bias_kv=True, add_zero_attn=True))


class GPTBlock(nn.Module):
    """Pre-norm, one product for q, k and v, causal scaled_dot_product_attention."""

    def __init__(self, width=16, heads=4):
        super().__init__()
        self.heads = heads
        self.n1, self.n2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU("tanh"), nn.Linear(4 * width, width))

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = (z.view(n, t, self.heads, c // self.heads).transpose(1, 2) for z in self.qkv(self.n1(x)).split(c, -1))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(y.transpose(1, 2).reshape(n, t, c))
        return x + self.mlp(self.n2(x))


@kind(words(), axis=2)
def gpt_tied():
    """The embedding's table is the head's matrix too."""
    def fn(m, ids):
        x = m.embed(ids) + m.place(torch.arange(ids.shape[1]))
        return m.head(m.norm(m.blocks(x)))
    m = Fn(fn, embed=nn.Embedding(11, 16), place=nn.Embedding(7, 16), blocks=nn.Sequential(GPTBlock(), GPTBlock()), norm=nn.LayerNorm(16), head=nn.Linear(16, 11, bias=False))
    m.head.weight = m.embed.weight
    return m


class RMSNorm(nn.Module):
    """Zhang and Sennrich's (arXiv:1910.07467); tracing has no operator for nn.RMSNorm."""

    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight


@kind(words(), axis=2)
def llama():
    """Rotary positions, RMSNorm, grouped queries, SwiGLU."""
    def rotate(x):
        t, d = x.shape[-2:]
        angle = torch.arange(t, dtype=x.dtype)[:, None] * 10000.0 ** (-torch.arange(0, d, 2, dtype=x.dtype) / d)
        a, b = x[..., ::2], x[..., 1::2]
        return torch.stack([a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()], -1).flatten(-2)

    def fn(m, ids):
        x = m.embed(ids)
        n, t, c = x.shape
        y = m.n1(x)
        q = rotate(m.q(y).view(n, t, 4, 4).transpose(1, 2))
        k = rotate(m.k(y).view(n, t, 2, 4).transpose(1, 2)).repeat_interleave(2, 1)
        v = m.v(y).view(n, t, 2, 4).transpose(1, 2).repeat_interleave(2, 1)
        x = x + m.o(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(n, t, c))
        y = m.n2(x)
        return m.head(x + m.down(F.silu(m.gate(y)) * m.up(y)))
    linear = lambda i, o: nn.Linear(i, o, bias=False)
    return Fn(fn, embed=nn.Embedding(11, 16), n1=RMSNorm(16), n2=RMSNorm(16), q=linear(16, 16), k=linear(16, 8), v=linear(16, 8),
              o=linear(16, 16), gate=linear(16, 24), up=linear(16, 24), down=linear(24, 16), head=linear(16, 11))


@kind(words())
def lstm_classifier():
    return Fn(lambda m, ids: m.head(m.lstm(m.embed(ids))[0][:, -1]), embed=nn.Embedding(11, 8, padding_idx=None), lstm=nn.LSTM(8, 6, 2, batch_first=True, bidirectional=True), head=nn.Linear(12, C))


@kind(words())
def gru_classifier():
    return Fn(lambda m, ids: m.head(m.gru(m.embed(ids))[1][-1]), embed=nn.Embedding(11, 8), gru=nn.GRU(8, 6, batch_first=True), head=nn.Linear(6, C))


@kind(words())
def text_cnn():
    def fn(m, ids):
        x = m.embed(ids).transpose(1, 2)
        return m.head(torch.cat([F.relu(c(x)).amax(2) for c in m.convs], 1))
    return Fn(fn, embed=nn.Embedding(11, 8), convs=nn.ModuleList([nn.Conv1d(8, 6, k) for k in (2, 3, 4)]), head=nn.Linear(18, C))


@kind(words())
def bag_of_words():
    return Fn(lambda m, ids: m.head(m.embed(ids).mean(1)), embed=nn.Embedding(11, 8), head=nn.Linear(8, C))


# sequences, tables, volumes

@kind(floats((3, 4, 20)))
def tcn():
    """Causal dilated convolutions under weight norm."""
    def fn(m, x):
        for c, d in zip(m.convs, (1, 2, 4)):
            x = x + F.relu(c(F.pad(x, (2 * d, 0))))
        return m.head(x[:, :, -1])
    convs = [parametrizations.weight_norm(nn.Conv1d(4, 4, 3, dilation=d)) for d in (1, 2, 4)]
    return Fn(fn, convs=nn.ModuleList(convs), head=nn.Linear(4, C))


@kind(floats((3, 4, 20)))
def bn_sequence():
    return nn.Sequential(nn.Conv1d(4, 8, 3, 2), nn.BatchNorm1d(8), nn.GELU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ELU(), nn.Linear(8, C))


@kind(floats((2, 2, 6, 8, 8)))
def volume():
    return nn.Sequential(nn.Conv3d(2, 6, 3, padding=1, bias=False), nn.BatchNorm3d(6), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(6, 8, (1, 3, 3), groups=2), nn.SiLU(),
                         nn.ConvTranspose3d(8, 4, 2, 2), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(4, C))


@kind(lambda g: (torch.randn(4, 6, generator=g), torch.randint(0, 5, (4,), generator=g), torch.randint(0, 7, (4, 2), generator=g)), loss="bce")
def factorisation():
    """A table's numbers and categories."""
    def fn(m, dense, a, b):
        e = torch.cat([m.a(a)[:, None], m.b(b), m.dense(dense)[:, None]], 1)
        cross = 0.5 * (e.sum(1) ** 2 - (e**2).sum(1)).sum(1, keepdim=True)
        return cross + m.head(e.flatten(1))
    return Fn(fn, a=nn.Embedding(5, 4), b=nn.Embedding(7, 4), dense=nn.Linear(6, 4), head=nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 1)))


@kind(lambda g: (torch.randn(2, 6, 5, generator=g), torch.rand(2, 6, 6, generator=g).softmax(-1)))
def graph_convolution():
    return Fn(lambda m, x, a: m.head((a @ F.relu(m.two(a @ F.relu(m.one(a @ x))))).amax(1)), one=nn.Linear(5, 8), two=nn.Linear(8, 8), head=nn.Linear(8, C))


@kind(floats((4, 3, 16, 16), (4, 3, 16, 16)), loss="mse")
def siamese():
    """One network for both inputs."""
    def fn(m, a, b):
        return F.cosine_similarity(m.net(a), m.net(b))
    return Fn(fn, net=nn.Sequential(nn.Conv2d(3, 6, 3, 2), nn.BatchNorm2d(6), nn.Tanh(), nn.Flatten(), nn.Linear(294, 8)))


@kind(lambda g: (torch.randn(3, 3, 16, 16, generator=g), torch.randn(3, 4, generator=g)), output=1)
def inputs_and_outputs():
    def fn(m, image, table):
        f = torch.cat([m.image(image), m.table(table)], 1)
        return m.box(f), m.label(f)
    return Fn(fn, image=nn.Sequential(nn.Conv2d(3, 6, 3, 2), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten()), table=nn.Linear(4, 6), box=nn.Linear(12, 4), label=nn.Linear(12, C))
