#!/usr/bin/python3
"""Measures `mete process`: throughput and peak memory on a large sweep, and how much faster it is than the tutorial's
rules in pandas on a small one (and checks that --compat is equal to them).

    run.py [--mete build/release/bin/mete] [--megabytes 220] [--repeats 5] [--folder /tmp/mete-bench-process]

Each figure is the median of the repeats with its range. Throughput is told for one core; against pandas both may use all
cores (pandas uses one). Wall time counts; CPU time (user + system) is shown beside it,
because it tells the same on a busy machine.
"""
# SPDX-License-Identifier: BSD-3-Clause
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


KINDS = {"agent": "the trace of the tutorial's base_agent.py", "sensor": "platform trace, digits as sensors give them",
         "full": "platform trace, 17 digits"}


def measure(command):
    """(wall s, CPU s, peak MB) of one run."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def repeat(command, output, repeats):
    runs = []
    for _ in range(repeats):
        if os.path.exists(output):
            os.remove(output)
        runs.append(measure(command))
    return [list(column) for column in zip(*runs)]


def spread(values, unit, digits=3):
    return (f"{statistics.median(values):.{digits}f} {unit} "
            f"({min(values):.{digits}f} to {max(values):.{digits}f}, n={len(values)})")


def folder_bytes(folder, kind):
    return sum(entry.stat().st_size for entry in os.scandir(folder) if kind in entry.name)


def make_sweep(folder, megabytes, cells):
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["/usr/bin/python3", os.path.join(HERE, "generate.py"), folder, "--megabytes", str(megabytes),
                    "--cells", cells], check=True)


def throughput(args):
    sweep = os.path.join(args.folder, "large")
    output = os.path.join(args.folder, "large.h5")
    make_sweep(sweep, args.megabytes, "full")
    size = folder_bytes(sweep, ".trace-") / 1e6
    one_core = ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
    wall, cpu, memory = repeat(one_core + [args.mete, "process", sweep, "--jobs", "1", "-o", output], output,
                               args.repeats)
    all_wall, all_cpu, all_memory = repeat([args.mete, "process", sweep, "-o", output], output, args.repeats)
    print(f"large sweep, {size:.1f} MB of traces, 17 digits")
    print(" on one core (--jobs 1)")
    print(f"  wall            {spread(wall, 's')}")
    print(f"  CPU             {spread(cpu, 's')}")
    print(f"  throughput      {spread([size / t for t in wall], 'MB/s', 0)}  (bar: 200)")
    print(f"  .. per CPU time {spread([size / t for t in cpu], 'MB/s', 0)}")
    print(f"  peak memory     {max(memory):.0f} MB  (bar: 200)")
    print(f" on {len(os.sched_getaffinity(0))} cores")
    print(f"  wall            {spread(all_wall, 's')}")
    print(f"  CPU             {spread(all_cpu, 's')}")
    print(f"  throughput      {spread([size / t for t in all_wall], 'MB/s', 0)}")
    print(f"  peak memory     {max(all_memory):.0f} MB  (bar: 200)")


def against_pandas(args, cells):
    sweep = os.path.join(args.folder, "small")
    make_sweep(sweep, 22, cells)
    output = {name: os.path.join(args.folder, name + ".h5") for name in ("default", "compat", "pandas")}
    rules = ["/usr/bin/python3", os.path.join(HERE, "tutorial_rules.py"), "bench0", output["pandas"], sweep]
    # Turn by turn, so that a machine that others use too is equally busy for all of them.
    pandas, ours, compat = [], [], []
    for _ in range(args.repeats):
        pandas.append(repeat(rules, output["pandas"], 1))
        ours.append(repeat([args.mete, "process", sweep, "-o", output["default"]], output["default"], 3))
        compat.append(repeat([args.mete, "process", sweep, "--compat", "-o", output["compat"]], output["compat"], 1))
    pandas, ours, compat = ([sum(column, []) for column in zip(*turns)] for turns in (pandas, ours, compat))
    print(f"small sweep, {folder_bytes(sweep, '.trace-') / 1e6:.1f} MB of traces, "
          + KINDS[cells])
    for name, figures in (("pandas", pandas), ("mete", ours), ("mete --compat", compat)):
        file = output[{"pandas": "pandas", "mete": "default"}.get(name, "compat")]
        print(f"  {name:14}  wall {spread(figures[0], 's')}; CPU {spread(figures[1], 's')}; "
              f"{os.path.getsize(file) / 1e6:.0f} MB written")
    for name, figures, bar in (("mete", ours, 80), ("mete --compat", compat, 10)):
        ratios = [statistics.median(pandas[i]) / statistics.median(figures[i]) for i in (0, 1)]
        print(f"  {name:14}  {ratios[0]:.0f}x faster by wall time, {ratios[1]:.0f}x by CPU time  (bar: {bar})")
    subprocess.run(["/usr/bin/python3", os.path.join(HERE, "compare.py"), "bench0", output["compat"], sweep], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mete", default=os.path.join(HERE, "..", "..", "build", "release", "bin", "mete"))
    parser.add_argument("--megabytes", type=float, default=220)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", default="/tmp/mete-bench-process")
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    try:
        throughput(args)
        for cells in KINDS:
            against_pandas(args, cells)
    finally:
        shutil.rmtree(args.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
