#!/usr/bin/python3
"""The rules of GEOPM's tutorial script process_gpu_frequency_sweep.py, written anew in pandas from their description.
An independent judge for `mete process --compat`, and the time to compare with.

    tutorial_rules.py NODE OUTPUT.h5 DIR..

Rules: gpu-frequency and trial from the file names, one app-config per folder, memratio and precision; relative runtime
against the fastest run, relative energy against the mean at the folder's highest clock; energy_weightN is the clock of
the one run with the smallest objective; a row is of interest between the first and the last with activity above 0.05;
rows are repeated for the eleven values of phi, folder by folder.

The work is the tutorial's too, neither more nor less: a read_csv of every trace, one concat per folder, one left merge
for each of the twelve chosen clocks, eleven copies, one concat of all copies, one to_hdf of the whole in pandas' default
format ("fixed"). Three things differ: files are taken in the order of their names, so that the answer does not depend
on the order of a folder; rows are numbered through; a signal is found under the names of all generations.
"""
# SPDX-License-Identifier: BSD-3-Clause
import glob
import os
import sys
import warnings

import pandas as pd
import yaml

THRESHOLD = 0.05
# One quantity under the names of all generations, newest first.
ACTIVITY = ["GPU_CORE_ACTIVITY-gpu-0", "GPU_COMPUTE_ACTIVITY-gpu-0", "GPU_COMPUTE_ACTIVITY-board_accelerator-0",
            "DCGM::SM_ACTIVE-gpu-0", "DCGM::SM_ACTIVE-board_accelerator-0"]
UTILIZATION = ["GPU_UTILIZATION-gpu-0", "GPU_UTILIZATION-board_accelerator-0",
               "NVML::UTILIZATION_ACCELERATOR-board_accelerator-0"]
ENERGY = ["GPU_ENERGY@gpu-0", "GPU_ENERGY-gpu-0", "GPU_ENERGY-board_accelerator-0",
          "NVML::TOTAL_ENERGY_CONSUMPTION-board_accelerator-0", "gpu-energy (J)"]
RUNTIME = ["runtime (s)", "runtime (sec)", "TIME"]


def first_of(mapping, names):
    return next(name for name in names if name in mapping)


def parse_name(path, extension):
    stem = os.path.basename(path)
    stem = stem[:stem.rindex(extension)]
    fields = dict(piece.split("_", 1) for piece in stem.split(".") if "_" in piece)
    config = ""
    for key in ("memratio", "precision"):
        if key in fields:
            config += "-" + fields[key]
    return int(fields["gpufreq"]) * 1e6, int(fields["trial"]), config


def read_reports(folder, index, node):
    rows = []
    for path in sorted(glob.glob(os.path.join(folder, "*.report"))):
        frequency, trial, config = parse_name(path, ".report")
        with open(path) as text:
            report = yaml.safe_load(text)
        totals = report["Hosts"][node]["Application Totals"]
        rows.append({"app-config": f"{index}{config}", "gpu-frequency": frequency, "trial": trial,
                     "runtime": float(totals[first_of(totals, RUNTIME)]),
                     "energy": float(totals[first_of(totals, ENERGY)])})
    return pd.DataFrame(rows)


def choose(reports):
    """One row per app-config: Min-Energy GPU Frequency and the eleven energy_weightN."""
    top = reports["gpu-frequency"].max()
    chosen = []
    for config, runs in reports.groupby("app-config", sort=False):
        runtime = runs["runtime"] / runs["runtime"].min()
        energy = runs["energy"] / runs.loc[runs["gpu-frequency"] == top, "energy"].mean()
        row = {"app-config": config,
               "Min-Energy GPU Frequency": runs.groupby("gpu-frequency")["energy"].mean().idxmin()}
        for weight in range(0, 101, 10):
            w = weight / 100
            objective = (1 - w) * runtime + w * energy
            row[f"energy_weight{weight}"] = runs.loc[objective.idxmin(), "gpu-frequency"]
        chosen.append(row)
    return pd.DataFrame(chosen)


def read_traces(folder, index, node, precision=None):
    traces = []
    for path in sorted(glob.glob(os.path.join(folder, f"*.trace-{node}"))):
        frequency, trial, config = parse_name(path, ".trace-")
        trace = pd.read_csv(path, sep="|", comment="#", float_precision=precision)
        active = trace.index[trace[first_of(trace, ACTIVITY)] > THRESHOLD]
        if len(active) == 0:
            active = trace.index[trace[first_of(trace, UTILIZATION)] > THRESHOLD]
        trace["node"] = node
        trace["app-index"] = index
        trace["gpu-frequency"] = frequency
        trace["trial"] = trial
        trace["app-config"] = f"{index}{config}"
        trace["is-roi"] = False
        trace.loc[active[0]:active[-1], "is-roi"] = True
        traces.append(trace)
    return pd.concat(traces, ignore_index=True)


def process(node, folders, precision=None):
    copies = []
    for index, folder in enumerate(folders):
        chosen = choose(read_reports(folder, index, node)).set_index("app-config")
        rows = read_traces(folder, index, node, precision)
        for name in chosen.columns:
            rows = rows.merge(chosen[name], how="left", on="app-config")
        for weight in range(0, 101, 10):
            copy = rows.copy()
            copy["phi"] = weight / 100
            copy["phi-freq"] = copy[f"energy_weight{weight}"]
            copies.append(copy)
    return pd.concat(copies, ignore_index=True)


def main():
    warnings.simplefilter("ignore")
    node, output, folders = sys.argv[1], sys.argv[2], sys.argv[3:]
    process(node, folders).to_hdf(output, f"{node}_training_data", mode="w")


if __name__ == "__main__":
    main()
