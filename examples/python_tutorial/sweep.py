#!/usr/bin/python3
"""Step 1: run several programs at every clock, with reports and traces named as the tutorial names
them. usage: sweep.py FOLDER [PROGRAM..]. SPDX-License-Identifier: BSD-3-Clause"""
import os
import sys

import mete

BOARD = "v100"
CLOCK = "GPU_CORE_FREQUENCY_MAX_CONTROL"
# One that computes, two that wait for memory, and two between: different answers to a clock.
PROGRAMS = ["matrixMul", "binomialOptions", "BlackScholes", "transpose", "vectorAdd"]
SECONDS = 2


def main(folder, programs):
    os.makedirs(folder, exist_ok=True)
    host = os.uname().nodename
    clocks = mete.controls(board=BOARD).loc[CLOCK, "supported"]
    for program in programs:
        for clock in clocks:
            name = os.path.join(folder, f"agent_monitor.{program}.gpufreq_{clock / 1e6:.0f}.trial_1")
            mete.run(f"{program}:{SECONDS}s", board=BOARD, set={CLOCK: clock}, period=0.05,
                     profile=program, report=f"{name}.report", trace=f"{name}.trace-{host}")
        print(f"{program}: {len(clocks)} clocks, {clocks[0] / 1e6:.0f} to {clocks[-1] / 1e6:.0f} MHz")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:] or PROGRAMS)
