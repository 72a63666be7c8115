"""Sessions: a command, or a board's program, under observation. SPDX-License-Identifier: BSD-3-Clause"""
import math
import os
import shlex

from . import _agent_host, _core
from ._errors import Error


class Run:
    """What a session found. `run["GPU_ENERGY"]`: a figure by its name in the report."""

    def __init__(self, told):
        self._told = told
        self.command = told["command"]
        self.seconds = told["seconds"]
        self.exit_code = told["exit_code"]
        self.replayed = told["replayed"]  #: figures are a board's: measured elsewhere
        self.report = told["report"] or None
        self.trace = told["trace"] or None
        self.loop = told["loop"]
        self.warnings = told["notices"] + told["warnings"]
        if not told["outputs_complete"]:
            raise Error("; ".join(self.warnings))

    def __getitem__(self, name):
        """A signal's figure: "GPU_POWER@gpu-0", or "GPU_ENERGY" summed over all its parts."""
        totals = self._told["totals"]
        if name in totals:
            value = totals[name]["value"]
            return math.nan if value is None else value
        parts = [key for key in totals if key.split("@")[0] == name]
        if not parts:
            raise KeyError(f"{name}; there are {', '.join(totals)}")
        return sum(self[part] for part in parts)

    @property
    def totals(self):
        """A table by name: value, unit, source (where the value comes from), faults."""
        import pandas
        return pandas.DataFrame.from_dict(self._told["totals"], orient="index")

    def __repr__(self):
        where = ", replayed" if self.replayed else ""
        return f"<mete.Run {self.command!r}: {self.seconds:.4g} s, exit code {self.exit_code}{where}>"


def _words(command, board):
    if isinstance(command, (str, os.PathLike)):
        command = os.fspath(command)
        return [command] if board else shlex.split(command)
    return [os.fspath(word) for word in command]


def _policy(policy):
    if policy is None or isinstance(policy, str):
        return policy or ""
    return ",".join(f"{name}={float(value)!r}" for name, value in policy.items())


def _setting(value):
    return value if isinstance(value, str) else repr(float(value))


def _agent(agent):
    """(name, object, label): a name for the C++ side, or something with a step()."""
    if agent is None:
        return "monitor", None, ""
    if not isinstance(agent, str):
        kind = agent if isinstance(agent, type) else type(agent)
        return None, agent, kind.__qualname__
    path, colon, class_name = agent.rpartition(".py:")
    if not colon and not agent.endswith(".py"):
        return agent, None, ""
    path = path + ".py" if colon else agent
    try:
        found = _agent_host.load(path, class_name if colon else "")
    except _agent_host.Refused as refused:
        error = Error(f"{path}: {refused}")
        error.code = "invalid"
        raise error from None
    return None, found, f"{path}:{found.__name__}"


def _names(signals):
    if signals is None:
        return []
    return [signals] if isinstance(signals, str) else list(signals)


def run(command, *, board=None, gpus=1, board_option=None, seed=1, agent=None, policy=None,
        model=None, frequency_map=None, set=None, signals=None, period=None, report=None, trace=None,
        append_trace=False, profile=None):
    """Runs a command (text or a list of words), or with `board` a kernel or program, to its end.

    agent     a built-in's name, "FILE.py:CLASS", "FILE.so", or a class or object with a step()
    policy    {"GPU_PHI": 0.5}, or text as --policy takes it
    set       {"GPU_CORE_FREQUENCY_MAX_CONTROL": 1.2e9}: set before the start, given back after the end
    signals   names, "NAME@domain": sampled besides the usual ones
    period    s between samples (a number), or text with a unit; the agent's own if not given
    report, trace   files to write, in GEOPM's formats

    A workload that fails is a result: look at Run.exit_code. Ctrl-C ends the workload, gives the
    controls back, and raises KeyboardInterrupt.
    """
    name, made, label = _agent(agent)
    told = _core.run({
        "command": _words(command, board), "board": board, "gpus": gpus,
        "board_option": board_option, "seed": seed, "agent": name, "policy": _policy(policy),
        "model": None if model is None else os.fspath(model),
        "frequency_map": None if frequency_map is None else os.fspath(frequency_map),
        "set": [f"{control}={_setting(value)}" for control, value in (set or {}).items()],
        "signals": _names(signals),
        "period": None if period is None else _setting(period),
        "report": None if report is None else os.fspath(report),
        "trace": None if trace is None else os.fspath(trace),
        "append_trace": append_trace, "profile": profile}, made, label)
    return Run(told)
