"""The fault campaign: broken pictures, huge pictures and broken requests.

Starts `bin/trilobite serve` and sends it everything that files.py, large.py and
protocol.py have; ends with status 1 where the server died, passed 1 GB, answered with
a 5xx or with nothing, or took more than 5 s for a file. The files are those under
hostile/ of TRILOBITE_DATA (default ../shared/data); without them that part is skipped.

Usage: run.py [files] [large] [protocol], all three by default. Linux only: memory is
read from /proc.
"""
import os
import pathlib
import sys

import files
import large
import protocol
from process import ROOT, Server

DATA = pathlib.Path(os.environ.get("TRILOBITE_DATA", ROOT.parent / "shared" / "data")) / "hostile"


def main():
    parts = sys.argv[1:] or ["files", "large", "protocol"]
    server, faults = Server(), []
    if "files" in parts:
        if DATA.is_dir():
            faults += files.run(server, DATA)
        else:
            print(f"{DATA} is not there: hostile files are skipped")
    if "large" in parts:
        faults += large.run(server)
    if "protocol" in parts:
        faults += protocol.run(server)
    peak = server.peak() if server.alive() else 0
    print(f"the server's peak resident memory over all of it: {peak:.0f} MB")
    if peak > 1000:
        faults.append(f"peak of {peak:.0f} MB")
    if server.panics():
        faults.append("panics in the log:\n" + "".join(server.panics()[:5]))
    if (status := server.stop()) != 0:
        faults.append(f"the server ended with status {status}")
    for f in faults:
        print("FAULT", f)
    print(f"{len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
