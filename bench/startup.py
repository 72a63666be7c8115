#!/usr/bin/env python3
"""How long mete takes to start: whole-process wall time of verbs that must feel instant.

usage: startup.py BUILD [RUNS]. Bar: `mete --help` and `mete read TIME` at most 20 ms (median).
"""
import statistics
import subprocess
import sys
import time

BAR = 0.020


def measure(command, runs):
    times = []
    for i in range(runs + 3):
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        if i >= 3:  # the first runs fill the page cache
            times.append(time.perf_counter() - start)
    return sorted(times)


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build/release"
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 41
    mete = f"{build}/bin/mete"
    # What starting any process costs here, for comparison.
    for name, command in [("(true)", ["true"]), ("mete --help", [mete, "--help"]), ("mete read TIME", [mete, "read", "TIME"]),
                          ("mete read GPU_POWER gpu 0 --board v100", [mete, "read", "GPU_POWER", "gpu", "0", "--board", "v100"])]:
        t = measure(command, runs)
        bar = "" if name == "(true)" else f"   bar {BAR * 1e3:.0f} ms: {'met' if statistics.median(t) <= BAR else 'MISSED'}"
        print(f"{name:40s} median {statistics.median(t) * 1e3:5.1f} ms, min {t[0] * 1e3:5.1f}, max {t[-1] * 1e3:5.1f}, n {len(t)}{bar}")


if __name__ == "__main__":
    main()
