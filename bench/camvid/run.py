"""Training a segmentation beside PyTorch: camvid, from its pictures to a trained model.

`trilobite train` against peer.py with as many threads, one after the other, both measured
on the validation part at 384 x 288.  Bars: mIoU 0.57, with --unfreeze 0.60, pixel accuracy
0.89, at most half of PyTorch's time with the backbone frozen.  Ours is the training's own
time: pictures decoded, features of six versions of each computed, trained, evaluated after
each epoch; the peer decodes before its clock starts and evaluates after it.

--sushi trains on sushi_seg instead, four folds for each network, to a bar of 0.93 for the
foreground's IoU at the masks' own size; --folds 1 is quick.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("TRILOBITE_DATA", ROOT.parent / "shared" / "data"))
FOLDS = 4


def run(args, home, *command):
    command = [ROOT / "bin" / "trilobite", *command, "--json", "--home", home, "--packages", ROOT / ".deps", "--ort-threads", str(args.threads)]
    out = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE).stdout.decode().splitlines()
    return json.loads(out[-1])


def train(args, home, data, name, *more):
    if args.epochs:
        more += ("--epochs", args.epochs)
    return run(args, home, "train", data, "--name", name, "--seed", args.seed, *more)


def camvid(args):
    bar = 0.60 if args.unfreeze else 0.57
    with tempfile.TemporaryDirectory() as home:
        end = train(args, home, DATA / "camvid", "bench", *(("--unfreeze", args.unfreeze) if args.unfreeze else ()))
        own = run(args, home, "eval", "bench", DATA / "camvid")["segmentation"]
    best = end["best"]["metrics"]
    ok = best["mIoU"] >= bar and best["pixel accuracy"] >= 0.89
    print(f"Trilobite: mIoU {best['mIoU']:.4f} (bar {bar}), pixel accuracy {best['pixel accuracy']:.4f} (bar 0.89), {end['seconds']:.1f} s; "
          f"at the masks' own size {own['miou']:.4f}, {own['pixel_accuracy']:.4f}")
    if not args.alone:
        command = [sys.executable, pathlib.Path(__file__).with_name("peer.py"), DATA / "camvid", "--threads", str(args.threads), "--seed", str(args.seed)]
        line = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        share = end["seconds"] / line["seconds"]
        ok &= share <= 0.5 or bool(args.unfreeze)
        print(f"PyTorch:   mIoU {line['miou']:.4f}, pixel accuracy {line['accuracy']:.4f}, {line['seconds']:.1f} s; ours is {share:.2f} of it (bar 0.5)")
    return ok


def fold(data, to, k):
    """Copies sushi_seg with every fourth picture, from the k-th on, in val/."""
    for i, picture in enumerate(sorted((data / "resized_images").iterdir())):
        part = to / ("val" if i % FOLDS == k else "train")
        for kind, path in ("images", picture), ("masks", data / "resized_masks" / f"{picture.stem}.png"):
            (part / kind).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, part / kind)


def sushi(args):
    ok = True
    for network in args.networks.split(","):
        shares = []
        for k in range(args.folds):
            with tempfile.TemporaryDirectory() as folder:
                home, data = pathlib.Path(folder, "home"), pathlib.Path(folder, "data")
                fold(DATA / "sushi_seg", data, k)
                train(args, home, data, "bench", "--network", network)
                seen = run(args, home, "eval", "bench", data)["segmentation"]["classes"]
            shares.append(seen[1]["iou"])
            print(f"{network}, fold {k + 1}: foreground IoU {shares[-1]:.4f}", flush=True)
        mean = sum(shares) / len(shares)
        ok &= mean >= 0.93
        print(f"{network}: foreground IoU {mean:.4f} (bar 0.93) {'ok' if mean >= 0.93 else 'TOO LOW'}")
    return ok


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--threads", type=int, default=os.cpu_count())
    args.add_argument("--epochs", type=int, help="of ours, in place of the recipe's own")
    args.add_argument("--unfreeze", help="as trilobite train's")
    args.add_argument("--seed", type=int, default=0)
    args.add_argument("--alone", action="store_true", help="without the peer: accuracy alone")
    args.add_argument("--sushi", action="store_true")
    args.add_argument("--folds", type=int, default=FOLDS, choices=range(1, FOLDS + 1))
    args.add_argument("--networks", default="deeplabv3plus,unet")
    args = args.parse_args()
    if not DATA.is_dir():
        print("no reference data (TRILOBITE_DATA): skipped")
        return 0
    return 0 if (sushi if args.sushi else camvid)(args) else 1


if __name__ == "__main__":
    sys.exit(main())
