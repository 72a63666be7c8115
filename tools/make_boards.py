#!/usr/bin/env python3
# Makes the built-in boards (boards/*.csv) from published measurements of real hardware. Deterministic: the
# same data gives the same bytes; --check says whether the committed files are what the data gives.
# SPDX-License-Identifier: BSD-3-Clause
"""Usage: tools/make_boards.py [--check] [--data FOLDER]

FOLDER (default: ../shared/data beside the project) holds v100-dvfs.csv and jetson-agx-square.tar.gz.
Exit code 0: written, or as committed. 1: --check found a difference. 2: the data is absent or not as expected.
Only the standard library of Python 3.8 or later is needed.
"""

import argparse
import collections
import csv
import io
import os
import re
import statistics
import sys
import tarfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

V100_HEADER = """\
# Tesla V100: 20 real kernels and 138 micro-benchmarks at 10 core clocks, memory clock 877 MHz.
# Source: NV-DVFS-Benchmark; Q. Wang and X. Chu, "GPGPU performance estimation with core and memory frequency
# scaling", IEEE ICPADS 2018. Time is milliseconds per kernel, power the mean of the whole GPU board in watts,
# activities are DCGM's fractions, here to 4 decimals. One row (shmembench input005, 600 MHz) has no activities.
# Made by tools/make_boards.py; the format is described in docs/formats/board.md.
"""

JETSON_HEADER = """\
# Jetson AGX Xavier: square GEMM of 3 element types and 16 sizes at 14 GPU clocks.
# Source: the JetsonEfficiencyTesting measurement set (AGX, July 2021, 30 s per run).
# Time: milliseconds per GEMM, N*N*(2N-1) / (the FLOP/s at the log's end); launch and synchronisation included.
# Power: watts of the whole board at the wall plug, settled: of a log's 1 Hz samples the first two, the last and
# those of 0 W are dropped (the meter lags by about 7.6 s and drops out), then the last ten are taken, those
# further than 25 % from their median left out, and the rest averaged. The study has no activity figures.
# Each value is the mean of two runs: the study's "tensor" and "nontensor" runs are the same kernel, because
# tensor cores were never switched on. Its half matrices held zeros only, so that power of half is too low.
# Each clock was measured in a sitting of its own: steps of 1-2 W between clocks are the sittings'.
# Made by tools/make_boards.py; the format is described in docs/formats/board.md.
"""

ACTIVITIES = ["sm_active", "sm_occupancy", "dram_active", "fp16_active", "fp32_active", "fp64_active",
              "tensor_active"]
V100_COLUMNS = ["set", "benchmark", "args", "kernel", "core_mhz", "memory_mhz", "time", "power_w"] + ACTIVITIES
JETSON_COLUMNS = ["set", "benchmark", "kernel", "core_mhz", "time", "power_w"]


class BadData(Exception):
    """The data is absent, or not what this script was written for."""


def short(value, decimals):
    """The number with at most so many decimals and no zeros at its end."""
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def to_csv(header, columns, rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return header + out.getvalue()


def make_v100(data):
    path = os.path.join(data, "v100-dvfs.csv")
    with open(path, newline="", encoding="utf-8") as file:
        source = list(csv.DictReader(file))
    if len(source) != 1580:
        raise BadData(f"{path}: expected 1580 rows, found {len(source)}")
    source.sort(key=lambda r: (r["set"], r["benchmark"], r["args"], r["kernel"], float(r["core_mhz"])))
    rows = []
    for r in source:
        head = [r["set"], r["benchmark"], r["args"], r["kernel"], short(float(r["core_mhz"]), 3),
                short(float(r["memory_mhz"]), 3), short(float(r["time"]), 6), short(float(r["power_w"]), 4)]
        rows.append(head + [short(float(r[a]), 4) if r[a] else "" for a in ACTIVITIES])
    return to_csv(V100_HEADER, V100_COLUMNS, rows)


def settled_watts(samples):
    """The settled power of a log's samples, by the rule in JETSON_HEADER."""
    kept = [w for w in samples[2:-1] if w > 0][-10:]
    median = statistics.median(kept)
    return statistics.fmean(w for w in kept if abs(w - median) <= 0.25 * median)


def read_jetson_log(name, text):
    """(settled watts, FLOP/s). The last line is FLOP/s, or FLOP/s,iterations,seconds; others are ms,watts."""
    lines = text.splitlines()
    if len(lines) < 20 or text.endswith("\n"):
        raise BadData(f"{name}: cut short: {len(lines)} lines")
    samples = [float(line.split(",")[1]) for line in lines[:-1]]
    return settled_watts(samples), float(lines[-1].split(",")[0])


def make_jetson(data):
    path = os.path.join(data, "jetson-agx-square.tar.gz")
    name_form = re.compile(r"AGX-(half|float|double)-(\d+)-(tensor|nontensor)-(\d+)\.data$")
    runs = collections.defaultdict(list)
    with tarfile.open(path) as archive:
        for member in sorted(archive.getmembers(), key=lambda m: m.name):
            match = name_form.search(member.name)
            if match is None:
                continue
            dtype, size, _, hertz = match.groups()
            text = archive.extractfile(member).read().decode("ascii")
            n = int(size)
            watts, flops = read_jetson_log(member.name, text)
            runs[(dtype, n, int(hertz))].append((n * n * (2 * n - 1) / flops * 1e3, watts))
    if len(runs) != 672 or any(len(twins) != 2 for twins in runs.values()):
        raise BadData(f"{path}: expected 672 configurations of two runs, found {len(runs)}")
    order = ["half", "float", "double"]
    rows = []
    for dtype, n, hertz in sorted(runs, key=lambda k: (order.index(k[0]), k[1], k[2])):
        twins = runs[(dtype, n, hertz)]
        rows.append(["gemm", f"gemm-{dtype}-{n}", f"gemm-{dtype}", short(hertz / 1e6, 6),
                     f"{statistics.fmean(t for t, _ in twins):.7g}",
                     short(statistics.fmean(w for _, w in twins), 3)])
    return to_csv(JETSON_HEADER, JETSON_COLUMNS, rows)


def main():
    parser = argparse.ArgumentParser(description="Makes boards/*.csv from published measurements.")
    parser.add_argument("--check", action="store_true", help="compare with the committed files; write nothing")
    parser.add_argument("--data", default=os.path.join(ROOT, "..", "shared", "data"), metavar="FOLDER",
                        help="where the measurements lie (default: ../shared/data)")
    args = parser.parse_args()
    different = False
    try:
        for name, make in (("v100", make_v100), ("jetson-agx", make_jetson)):
            text = make(args.data)
            path = os.path.join(ROOT, "boards", name + ".csv")
            if args.check:
                with open(path, newline="", encoding="utf-8") as file:
                    same = file.read() == text
                different = different or not same
                print(f"boards/{name}.csv: {'as made' if same else 'differs from what the data gives'}")
            else:
                with open(path, "w", newline="", encoding="utf-8") as file:
                    file.write(text)
                print(f"boards/{name}.csv: {len(text)} bytes")
    except (OSError, BadData) as error:
        print(f"make_boards.py: {error}", file=sys.stderr)
        return 2
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
