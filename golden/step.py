"""Training steps by PyTorch, for package step: writes step/testdata/steps.npz.

The network is conv1 (3 to 4, 3×3, padding 1), bn, ReLU, conv2 (4 to 4), the same bn once
more, ReLU, mean over the pixels, fc (4 to 3); the loss is cross-entropy. init.NAME are its
weights and statistics, x (STEPS, 4, 3, 5, 5) and y (STEPS, 4) the batches. Each case CASE is
CASE.loss (STEPS) and CASE.NAME, all tensors after the last step. Computed in float64. The
cases are repeated in step/step_test.go.

Versions: torch 2.15.0, numpy 2.4.6; stored with the seed in the file.

    python golden/step.py
"""

import copy
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from torch.optim.swa_utils import get_ema_avg_fn

SEED, STEPS = 6, 6
torch.manual_seed(SEED)
torch.set_default_dtype(torch.float64)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.bn = torch.nn.BatchNorm2d(4, momentum=0.3)
        self.conv2 = torch.nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.fc = torch.nn.Linear(4, 3)

    def forward(self, x):
        x = F.relu(self.bn(self.conv1(x)))
        x = F.relu(self.bn(self.conv2(x)))
        return self.fc(x.mean((2, 3)))


first = Net()
with torch.no_grad():
    for p in first.parameters():
        p.copy_(torch.randn_like(p) * 0.5 + (p.dim() == 1))
    first.bn.running_mean.normal_(0, 0.3)
    first.bn.running_var.uniform_(0.5, 2)
    for t in first.state_dict().values():
        t.copy_(t.float())  # the graph takes float32
x, y = torch.randn(STEPS, 4, 3, 5, 5).float().double(), torch.randint(3, (STEPS, 4))
out = {"torch": np.array([int(p) for p in torch.__version__.split("+")[0].split(".")]), "seed": np.array([SEED]),
       "x": x.float().numpy(), "y": y.numpy()}


def store(prefix, net):
    for name, t in net.state_dict().items():
        if name != "bn.num_batches_tracked":
            out[f"{prefix}.{name}"] = t.numpy().astype(np.float32)


def case(name, make, train=True, clip=0.0, ema=0.0, micro=1, only=""):
    net = copy.deepcopy(first).train(train)
    for n, p in net.named_parameters():
        p.requires_grad_(n.startswith(only))
    trained = [p for p in net.parameters() if p.requires_grad]
    averages = [p.detach().clone() for p in trained]
    opt, losses = make(trained), []
    for step in range(STEPS):
        loss = F.cross_entropy(net(x[step]), y[step])
        (loss / micro).backward()
        losses.append(loss.item())
        if (step + 1) % micro:
            continue
        if clip:
            torch.nn.utils.clip_grad_norm_(trained, clip)
        opt.step()
        opt.zero_grad()
        averages = [get_ema_avg_fn(ema)(a, p.detach(), step) for a, p in zip(averages, trained)]
    out[f"{name}.loss"] = np.array(losses)
    store(name, net)
    if ema:
        for (n, _), a in zip(net.named_parameters(), averages):
            out[f"{name}.{n}.ema"] = a.numpy().astype(np.float32)
    print(name, losses)


O = torch.optim
store("init", first)
case("train", lambda p: O.AdamW(p, lr=2**-5))
case("frozen", lambda p: O.SGD(p, lr=2**-4, momentum=0.9), train=False)
case("clipped", lambda p: O.AdamW(p, lr=2**-5), clip=0.25, ema=0.8)
case("micro", lambda p: O.AdamW(p, lr=2**-5), clip=0.5, micro=2)
case("last", lambda p: O.SGD(p, lr=2**-3), only="fc.")

path = pathlib.Path(__file__).parent.parent / "step" / "testdata" / "steps.npz"
np.savez_compressed(path, **out)
print(path.name, path.stat().st_size)
assert path.stat().st_size <= 50_000
