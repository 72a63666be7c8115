#!/usr/bin/python3
"""Step 4: run a program under the trained agent for several goals, beside the top clock. Noise and
run-to-run variation of the board are left on; the same seed meets all runs alike.
usage: run.py FOLDER [PROGRAM]. SPDX-License-Identifier: BSD-3-Clause"""
import os
import sys

import mete
from ml_agent import MlAgent

BOARD = "v100"


def main(folder, program="BlackScholes:5s"):
    model = os.path.join(folder, "model.json")
    top = mete.run(program, board=BOARD)
    rows = []
    print(f"{program}, replayed: at the top clock {top.seconds:.2f} s, {top['GPU_ENERGY']:.0f} J")
    for phi in (0, 0.25, 0.5, 0.75, 1):
        run = mete.run(program, board=BOARD, agent=MlAgent, model=model, policy={"GPU_PHI": phi},
                       report=os.path.join(folder, f"ml_agent.phi_{phi:g}.report"))
        slower = run.seconds / top.seconds - 1
        saved = 1 - run["GPU_ENERGY"] / top["GPU_ENERGY"]
        rows.append((phi, slower, saved))
        print(f"  phi {phi:4.2f}: {slower:+6.1%} time, {-saved:+6.1%} energy")
    return rows


if __name__ == "__main__":
    main(*sys.argv[1:])
