#!/usr/bin/python3
"""Writes a sweep as the Python-agent tutorial would: reports and traces of several applications at several GPU
clocks, in GEOPM's formats, as large as asked for. Figures are made up; their shape (energy against clock, activity,
idle ends) is that of a real GPU. Same seed, same files.

    generate.py DIR --megabytes 220 [--apps 4] [--clocks 8] [--trials 3] [--seed 1] [--cells full|sensor|agent]

--cells full: GEOPM's platform trace, 17 digits wherever a figure has a fraction, as mete writes. --cells sensor: the
same in the resolution that the sensors have (NVML: mW, mJ, per cent; RAPL: 61 uJ; DCGM: six digits), which prints
shorter. --cells agent: the trace of the tutorial's own base_agent.py: its eight default signals of the board and the six
GPU signals that the tutorial asks for, no lines of metadata, each figure as Python prints a float.
"""
# SPDX-License-Identifier: BSD-3-Clause
import argparse
import os
import random

COLUMNS = ["TIME", "EPOCH_COUNT", "REGION_HASH", "REGION_HINT", "REGION_PROGRESS", "CPU_ENERGY", "DRAM_ENERGY",
           "CPU_POWER", "DRAM_POWER", "CPU_FREQUENCY_STATUS", "CPU_CYCLES_THREAD", "CPU_CYCLES_REFERENCE",
           "CPU_CORE_TEMPERATURE", "GPU_CORE_FREQUENCY_STATUS-gpu-0", "GPU_ENERGY-gpu-0", "GPU_POWER-gpu-0",
           "GPU_UTILIZATION-gpu-0", "GPU_CORE_ACTIVITY-gpu-0", "GPU_UNCORE_ACTIVITY-gpu-0"]
PERIOD = 0.05


def row_tail(rng, clock, app, active):
    """All cells of a row but TIME."""
    power = (60 + 180 * clock / 1.53e9 * (0.5 + 0.5 * app)) if active else 40.0
    noise = rng.uniform(0.97, 1.03)
    cells = ["-1", "0x%016x" % (0x725e8066 + app * 10), "0x0000000100000000", "0",
             repr(242598.26 + rng.uniform(0, 5000)), repr(31537.686 + rng.uniform(0, 500)),
             repr(100 * noise) if rng.random() > 0.001 else "nan", repr(20 * noise),
             repr(2.1e9 * noise), str(44306314967139 + rng.randrange(10**12)),
             str(44889410342036 + rng.randrange(10**12)), repr(60.18181818181818 * noise),
             repr(clock if active else 135e6), repr(1e6 + rng.uniform(0, 1e5)), repr(power * noise),
             repr(0.97 * noise if active else 0.0), repr(min(1.0, (0.9 - 0.2 * app) * noise) if active else 0.0),
             repr(min(1.0, (0.1 + 0.25 * app) * noise) if active else 0.01)]
    return "|".join(cells)


def sensor_tail(rng, clock, app, active):
    """The same in the resolution of the sensors."""
    power = (60 + 180 * clock / 1.53e9 * (0.5 + 0.5 * app)) if active else 40.0
    noise = rng.uniform(0.97, 1.03)
    core = min(1.0, (0.9 - 0.2 * app) * noise) if active else 0.0
    memory = min(1.0, (0.1 + 0.25 * app) * noise) if active else 0.01
    cells = ["-1", "0x%016x" % (0x725e8066 + app * 10), "0x0000000100000000", "0",
             repr(round((242598.26 + rng.uniform(0, 5000)) * 16384) / 16384),
             repr(round((31537.686 + rng.uniform(0, 500)) * 16384) / 16384),
             "%.6g" % (100 * noise) if rng.random() > 0.001 else "nan", "%.6g" % (20 * noise),
             str(round(2.1e9 * noise / 1e8) * 10**8), str(44306314967139 + rng.randrange(10**12)),
             str(44889410342036 + rng.randrange(10**12)), str(round(60 * noise)),
             str(int(clock if active else 135e6)), repr(round(1e6 + rng.uniform(0, 1e5), 3)),
             repr(round(power * noise, 3)), repr(round(0.97 * noise, 2) if active else 0),
             "%.6g" % core, "%.6g" % memory]
    return "|".join(cells)


AGENT_COLUMNS = ["TIME", "INSTRUCTIONS_RETIRED-board-0", "POWER_PACKAGE-board-0", "POWER_DRAM-board_memory-0",
                 "FREQUENCY-board-0", "MSR::UNCORE_PERF_STATUS:FREQ-board-0", "TEMPERATURE_CORE-board-0",
                 "ENERGY_DRAM-board-0", "ENERGY_PACKAGE-board-0", "GPU_FREQUENCY_STATUS-board_accelerator-0",
                 "GPU_ENERGY-board_accelerator-0", "GPU_POWER-board_accelerator-0",
                 "GPU_UTILIZATION-board_accelerator-0", "GPU_COMPUTE_ACTIVITY-board_accelerator-0",
                 "DCGM::DRAM_ACTIVE-board_accelerator-0"]


def agent_tail(rng, clock, app, active):
    """Energies and instructions are those of one period, as base_agent.py writes them."""
    power = (60 + 180 * clock / 1.53e9 * (0.5 + 0.5 * app)) if active else 40.0
    noise = rng.uniform(0.97, 1.03)
    package = round(100 * noise * PERIOD * 16384) / 16384
    memory = round(20 * noise * PERIOD * 16384) / 16384
    cells = [float(round(2e8 * noise)), package / PERIOD, memory / PERIOD, 2.1e9, 2.4e9,
             round(60 * noise * 20) / 20, memory, package, clock if active else 135e6,
             round(power * noise * PERIOD, 3), round(power * noise, 3), round(0.97 * noise, 2) if active else 0.0,
             float("%.6g" % (min(1.0, (0.9 - 0.2 * app) * noise) if active else 0.0)),
             float("%.6g" % (min(1.0, (0.1 + 0.25 * app) * noise) if active else 0.01))]
    return "|".join(repr(cell) for cell in cells)


PREAMBLE = ("# geopm_version: 3.1.0\n# start_time: Thu Mar 10 08:19:34 2022\n# profile_name: bench app{app}\n"
            "# node_name: bench0\n# agent: monitor\n")
# How each kind of trace is written: its cells, its columns, what stands before them, about how long a row is in bytes.
KINDS = {"full": (row_tail, COLUMNS, PREAMBLE, 282), "sensor": (sensor_tail, COLUMNS, PREAMBLE, 195),
         "agent": (agent_tail, AGENT_COLUMNS, "", 150)}


def write_report(path, rng, app, clock, rows):
    bound = 0.15 + 0.25 * app  # share of the time that does not scale with the clock
    runtime = rows * PERIOD * (bound + (1 - bound) * 1.53e9 / clock) * rng.uniform(0.99, 1.01)
    energy = runtime * (60 + 180 * (clock / 1.53e9) ** 2.2) * rng.uniform(0.99, 1.01)
    with open(path, "w") as out:
        out.write(f"""GEOPM Version: 3.1.0
Start Time: Thu Mar 10 08:19:34 2022
Profile: "bench app{app}"
Agent: monitor
Policy: {{}}

Hosts:
  bench0:
    Application Totals:
      runtime (s): {runtime!r}
      count: 0
      sync-runtime (s): {runtime!r}
      package-energy (J): {runtime * 100!r}
      GPU_ENERGY@gpu-0: {energy!r}
""")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--megabytes", type=float, default=220)
    parser.add_argument("--apps", type=int, default=4)
    parser.add_argument("--clocks", type=int, default=8)
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cells", choices=list(KINDS), default="full")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    os.makedirs(args.folder, exist_ok=True)
    files = args.apps * args.clocks * args.trials
    clocks = [705e6 + i * (1530e6 - 705e6) / max(1, args.clocks - 1) for i in range(args.clocks)]
    tail, columns, preamble, row_bytes = KINDS[args.cells]
    rows = max(20, int(args.megabytes * 1e6 / files / row_bytes))
    idle = max(2, rows // 50)

    def time(row, rng):
        if args.cells == "agent":  # base_agent.py writes the time since the last row
            return repr(PERIOD + (rng.random() - 0.5) * 1e-3)
        at = row * PERIOD + rng.random() * 1e-3
        return repr(at if args.cells == "full" else round(at, 9))

    written = 0
    for app in range(args.apps):
        for clock in clocks:
            # Rows are drawn from a pool: making every one afresh would take longer than the measurement.
            hertz = round(clock / 1e6) * 1e6
            busy = [tail(rng, hertz, app, True) for _ in range(min(rows, 2000))]
            still = [tail(rng, hertz, app, False) for _ in range(min(rows, 100))]
            for trial in range(1, args.trials + 1):
                stem = (f"agent_monitor.app{app}.gpufreq_{round(clock / 1e6)}.memratio_{app}"
                        f".precision_double.trial_{trial}")
                with open(os.path.join(args.folder, stem + ".trace-bench0"), "w") as out:
                    out.write(preamble.format(app=app) + "|".join(columns) + "\n")
                    for row in range(rows):
                        active = idle <= row < rows - idle
                        pool = busy if active else still
                        out.write(f"{time(row, rng)}|{pool[(row + trial * 7) % len(pool)]}\n")
                    written += out.tell()
                write_report(os.path.join(args.folder, stem + ".report"), rng, app, hertz, rows)
    print(f"{args.folder}: {files} traces of {rows} rows, {written / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
