"""Efficiency studies as pandas tables. SPDX-License-Identifier: BSD-3-Clause

    import mete.study
    runs = mete.study.load("agx.study.db")        # a row per run: what was asked for, what was found
    runs.attrs["units"]["frequency"]              # "Hz"
    samples = mete.study.samples("agx.study.db")  # every reading of the meter

Both take what `mete study import` and `mete bench -o` write, and a folder of the notebook's .data logs.
"""
import os

from . import _core
from ._errors import Error

UNITS = {"frequency": "Hz", "flops": "FLOP/s", "seconds": "s", "avg_power": "W", "settled_power": "W",
         "flops_per_watt": "FLOP/J", "settled_flops_per_watt": "FLOP/J"}


def load(path):
    """One row per run, in the order in which they were kept.

    device, dtype, tensor ("tensor" or "nontensor": asked for), tensor_observed, rows, depth, size
    (rows of a square product; NaN of another), frequency (Hz; 0: left as it was), trial (from 0),
    flops, iterations, seconds, samples (how many), avg_power (the mean of all samples, the
    notebook's rule), settled_power (without the meter's lag, zeros and spikes, as `mete study
    --rule settled`), flops_per_watt and settled_flops_per_watt, power_source, origin, oddities (a
    list of {"kind", "detail"}). What was not told is NaN. .attrs: units {column: SI unit}, and
    broken and left_out: files of a folder that could not be read, and those that are no logs.
    """
    pandas = _pandas()
    told = _core.read_study(os.fspath(path))
    table = pandas.DataFrame(told["runs"]).drop(columns=["power"])
    trial = table.groupby(["device", "dtype", "tensor", "rows", "depth", "frequency"]).cumcount()
    table.insert(list(table.columns).index("frequency") + 1, "trial", trial)
    table.insert(list(table.columns).index("frequency"), "size",
                 table["rows"].where(table["rows"] == table["depth"]))
    table["flops_per_watt"] = table["flops"] / table["avg_power"]
    table["settled_flops_per_watt"] = table["flops"] / table["settled_power"]
    table.attrs.update(units=UNITS, broken=told["broken"], left_out=told["left_out"])
    return table


def samples(path):
    """One row per reading of the meter: run (the row of `load`), time (s since its first), watts."""
    pandas = _pandas()
    runs = _core.read_study(os.fspath(path))["runs"]
    rows = [(number, time - run["power"][0][0], watts)
            for number, run in enumerate(runs) for time, watts in run["power"]]
    table = pandas.DataFrame(rows, columns=["run", "time", "watts"])
    table.attrs["units"] = {"time": "s", "watts": "W"}
    return table


def _pandas():
    try:
        import pandas
    except ImportError:
        raise Error("mete.study gives pandas tables, and this Python has no pandas: "
                    "apt install python3-pandas") from None
    return pandas
