#!/usr/bin/python3
"""Step 2: reports and traces into one table. For every program and phi it holds the clock that phi
would have chosen ("phi-freq"). usage: process.py FOLDER. SPDX-License-Identifier: BSD-3-Clause"""
import os
import sys

import mete


def main(folder):
    output = os.path.join(folder, "sweep.h5")
    summary = mete.process(folder, output)
    for problem in summary["problems"]:
        print(problem, file=sys.stderr)
    print(f"{output}: {summary['runs']} runs, {summary['rows']} rows of node {summary['node']}")
    return 1 if summary["problems"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
