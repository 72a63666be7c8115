#!/usr/bin/python3
"""Compares a file of `mete process --compat` with the tutorial's rules in pandas, cell by cell, to the last digit.

    compare.py NODE FILE.h5 DIR..        exit code 0: equal

pandas reads the traces with float_precision='round_trip' here: its default is faster and off by one unit in the last
place for about one number in ten.
"""
# SPDX-License-Identifier: BSD-3-Clause
import sys
import warnings

import pandas as pd

import tutorial_rules


def main():
    warnings.simplefilter("ignore")
    node, path, folders = sys.argv[1], sys.argv[2], sys.argv[3:]
    want = tutorial_rules.process(node, folders, precision="round_trip")
    got = pd.read_hdf(path, f"{node}_training_data")
    problems = []
    if list(want.columns) != list(got.columns):
        problems.append(f"columns: {list(got.columns)}, expected {list(want.columns)}")
    if len(want) != len(got) or not (want.index == got.index).all():
        problems.append(f"rows: {len(got)}, expected {len(want)}")
    for name in [] if problems else want.columns:
        both_missing = want[name].isna().values & got[name].isna().values
        wrong = ~((want[name].values == got[name].values) | both_missing)
        if wrong.any():
            problems.append(f"{name}: {wrong.sum()} cells differ, first {got[name][wrong].iloc[0]!r}, "
                            f"expected {want[name][wrong].iloc[0]!r}")
    with pd.HDFStore(path, "r") as store:
        if store.keys() != [f"/{node}_training_data"]:
            problems.append(f"keys: {store.keys()}")
    for problem in problems:
        print(problem)
    print(f"{len(got)} rows, {len(got.columns)} columns: {'DIFFERENT' if problems else 'equal'}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
