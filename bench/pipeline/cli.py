"""Steps beside libvips' own command line (`vips`, of a distribution's libvips-tools), file to file: a JPEG of
12 megapixels in, raw pixels out, both below /dev/shm. Milliseconds, the best of five, by turns: the whole command, the same
less the start of the process (`vips --version`), ours within a process that runs, and the ratios to both.

Requirements: vips on the PATH, Go. Run from the root: python3 bench/pipeline/cli.py .deps/samples/chelsea.png [STEP...]"""
import os
import re
import subprocess
import sys
import tempfile
import time

commands = {
    "orient": ["rot", "IN", "OUT", "d90"],
    "crop": ["crop", "IN", "OUT", "500", "500", "3000", "2000"],
    "trim": ["find_trim", "IN", "--threshold", "10"],
    "resize": ["resize", "IN", "OUT", "0.256", "--kernel", "lanczos3"],
    "resize-512": ["thumbnail", "IN", "OUT", "512", "--height", "512"],
    "contrast": ["linear", "IN", "OUT", "1.5", "10", "--uchar"],
    "gamma": ["gamma", "IN", "OUT", "--exponent", "1.6667"],
    "equalise": ["hist_equal", "IN", "OUT"],
    "greyscale": ["colourspace", "IN", "OUT", "b-w"],
    "median": ["rank", "IN", "OUT", "3", "3", "4"],
    "gaussian": ["gaussblur", "IN", "OUT", "1.5", "--min-ampl", "0.01"],
    "sharpen": ["sharpen", "IN", "OUT", "--sigma", "1"],
}


def timed(args):
    start = time.perf_counter()
    subprocess.run(["vips", *args], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
    photo, out, test = folder + "/in.jpg", folder + "/out.v", folder + "/pipeline.test"
    subprocess.run(["vips", "resize", sys.argv[1], folder + "/large.v", "8.8692", "--vscale", "10"], check=True)
    subprocess.run(["vips", "crop", folder + "/large.v", photo + "[Q=90]", "0", "0", "4000", "3000"], check=True)
    os.remove(folder + "/large.v")
    subprocess.run(["go", "test", "-c", "-o", test, "./pipeline"], check=True)
    start = min(timed(["--version"]) for _ in range(5))
    print(f"start of vips {start * 1e3:.1f} ms, photo {os.path.getsize(photo)} bytes")
    for name, args in commands.items():
        if sys.argv[2:] and name not in sys.argv[2:]:
            continue
        args = [photo if a == "IN" else out if a == "OUT" else a for a in args]
        theirs, ours = 1e9, 1e9
        for _ in range(5):
            theirs = min(theirs, timed(args))
            run = subprocess.run([test, "-test.run", "xxx", "-test.bench", f"Files/^{name}$", "-test.benchtime", "1x"], check=True,
                                 cwd="pipeline", env={**os.environ, "PHOTO": photo}, stdout=subprocess.PIPE, text=True)
            ours = min(ours, float(re.search(r"(\d+) ns/op", run.stdout)[1]) * 1e-9)
        print(f"| {name} | {theirs * 1e3:.0f} | {(theirs - start) * 1e3:.0f} | {ours * 1e3:.0f} | {ours / theirs:.2f} | {ours / (theirs - start):.2f} |", flush=True)
