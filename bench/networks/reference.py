"""What PyTorch says: loss, derivatives, running statistics and losses under AdamW."""
import copy

import torch
import torch.fx.experimental.optimization as fx
from torch import nn


def fused(net):
    """net with each BatchNorm behind a Conv folded into it, as the dynamo exporter folds."""
    return fx.fuse(net.eval())


def in_precision(net, matches, dtype):
    """A copy of net in a precision, with the elements that the file has."""
    twin = copy.deepcopy(net).to(dtype).requires_grad_(True)
    names = {p: n for n, p in net.named_parameters()}
    params = dict(twin.named_parameters())
    groups = [[params[names[p]] for p in m.parameters] for m in matches]
    with torch.no_grad():
        for m, group in zip(matches, groups):
            for p in group:
                p.copy_(m.like_torch(torch.tensor(m.value)))
    return twin, groups


def derivatives(net, matches, x, target, dtype):
    """The loss and its derivative by each matched parameter, in the file's shapes."""
    net, groups = in_precision(net, matches, dtype)
    loss = nn.functional.cross_entropy(net(x.to(dtype)), target)
    loss.backward()
    total = lambda group: sum(torch.zeros_like(p) if p.grad is None else p.grad for p in group)
    return loss.item(), {m.name: m.like_file(total(group)).double() for m, group in zip(matches, groups)}


def curve(net, matches, x, target, steps, lr, dtype):
    """The losses before each of some steps of AdamW, on one batch."""
    net, groups = in_precision(net, matches, dtype)
    rule = torch.optim.AdamW([p for group in groups for p in group], lr)
    losses = []
    for _ in range(steps):
        rule.zero_grad()
        loss = nn.functional.cross_entropy(net(x.to(dtype)), target)
        loss.backward()
        rule.step()
        losses.append(loss.item())
    return losses


def statistics(net, matches, x):
    """The running statistics after a batch in training mode, in float64."""
    twin, _ = in_precision(net, matches, torch.float64)
    with torch.no_grad():
        twin(x.double())
    return {n: b for n, b in twin.named_buffers() if b.dtype == torch.float64 and "running" in n}
