"""mete from Python: read signals, run things under observation, open the results.

    import mete
    mete.signals(board="v100")                    # a pandas table of what can be read
    mete.read_signal("CPU_UTILIZATION", "cpu", 0)
    run = mete.run("BlackScholes:5s", board="v100", agent=MyAgent, policy={"GPU_PHI": 0.5})
    run.seconds, run["GPU_ENERGY"], run.totals
    mete.read_trace("run.trace"), mete.read_report("run.report"), mete.load_sweep("sweep.h5")
    mete.study.load("agx.study.db")               # an efficiency study, a row per run

What mete refuses is raised as mete.Error, with the line that the command would print. Figures of a
board are replays of other hardware's measurements: `Run.replayed` says so.
docs/agents/python.md has more. SPDX-License-Identifier: BSD-3-Clause
"""
from ._agent_host import Observation, Part
from ._errors import Error
from ._core import version as __version__
from . import study
from .node import agents, boards, controls, domains, read_signal, signals
from .results import load_sweep, process, read_report, read_trace
from .region import progress, region
from .session import Run, run

__all__ = ["Error", "Observation", "Part", "Run", "agents", "boards", "controls", "domains",
           "load_sweep", "process", "progress", "read_report", "read_signal", "read_trace", "region",
           "run", "signals", "study"]
