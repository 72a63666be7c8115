#!/usr/bin/env python3
"""How much slower a compute-bound program runs under `mete run` at 1 kHz: slowdown.py [BUILD] [PAIRS=9].

Pairs of runs, one bare and one observed, in random order within the pair; prints the median of the relative changes.
Bar: 0.5 %. Meaningful on an idle machine only: the load average is printed. SPDX-License-Identifier: BSD-3-Clause
"""
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

WORK = "sum(i * i for i in range(20_000_000))"


def seconds(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build/release"
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 9
    bare = [sys.executable, "-c", WORK]
    with tempfile.TemporaryDirectory() as folder:
        observed = [f"{build}/bin/mete", "run", "--period", "1ms", "--record", folder, "--"] + bare
        seconds(bare)
        changes = []
        for pair in range(pairs):
            order = [("bare", bare), ("observed", observed)]
            random.Random(pair).shuffle(order)
            took = {name: seconds(command) for name, command in order}
            changes.append(took["observed"] / took["bare"] - 1)
    print(f"slow-down at 1 kHz: median {statistics.median(changes):.3%}, lowest {min(changes):.3%}, highest "
          f"{max(changes):.3%} of {pairs} pairs; bar 0.5 %; load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
