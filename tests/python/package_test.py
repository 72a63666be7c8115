"""`import mete` from the build tree: `package_test.py METE PACKAGE_FOLDER`.
SPDX-License-Identifier: BSD-3-Clause"""
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

METE, FOLDER = os.path.abspath(sys.argv.pop(1)), os.path.abspath(sys.argv.pop(1))
sys.path.insert(0, FOLDER)
import mete  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLOCK = "GPU_CORE_FREQUENCY_MAX_CONTROL"


class Slow:
    """Holds every GPU at one clock."""

    signals = ["GPU_POWER"]
    control = CLOCK
    policy = {"FRACTION": {"default": 0.5, "min": 0, "max": 1}}

    def __init__(self):
        self.rows = []

    def start(self, parts, policy):
        self.clock = [part.nearest(part.max * policy["FRACTION"]) for part in parts]

    def step(self, observation, policy):
        self.rows.append((observation.time, [gpu["GPU_POWER"] for gpu in observation]))
        return self.clock


class Package(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mete-python-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.environ["METE_STATE_DIR"] = os.path.join(self.folder, "state")

    def path(self, name):
        return os.path.join(self.folder, name)

    def test_what_is_there(self):
        here = mete.signals()
        self.assertIn("TIME", here.index)
        self.assertEqual(mete.signals(board="v100").loc["GPU_POWER", "unit"], "W")
        self.assertEqual(mete.domains(board="v100", gpus=3)["gpu"], 3)
        self.assertIn("v100", mete.boards())
        self.assertIn("frontier", mete.agents())
        clocks = mete.controls(board="v100").loc[CLOCK, "supported"]
        self.assertEqual(clocks, sorted(clocks))
        self.assertEqual(clocks[-1], 1380e6)

    def test_reads_signals(self):
        self.assertGreater(mete.read_signal("TIME"), -1)
        self.assertTrue(0 <= mete.read_signal("CPU_UTILIZATION", "cpu", 0) <= 1)
        self.assertEqual(mete.read_signal("GPU_CORE_FREQUENCY_STATUS", "gpu", 0, board="v100"),
                         mete.read_signal("NVML::FREQUENCY", "gpu", 0, board="v100"))

    def test_errors_are_the_commands_own(self):
        for call, code, words in (
                (lambda: mete.read_signal("GPU_POWR", board="v100"), "invalid", "GPU_POWER"),
                (lambda: mete.read_signal("GPU_POWER", "gpu", 9, board="v100"), "invalid", "9"),
                (lambda: mete.run("vectorAdd", board="v1000"), "invalid", "v100"),
                (lambda: mete.run([], board="v100"), "invalid", "nothing to run"),
                (lambda: mete.run("vectorAdd", board="v100", set={CLOCK: 1}), "invalid", "405"),
                (lambda: mete.run("vectorAdd", board="v100", agent="fronteer"), "invalid", "frontier"),
                (lambda: mete.run("vectorAdd", board="v100", agent="nothing.py:A"), "invalid", "nothing.py"),
                (lambda: mete.run("vectorAdd", board="v100", agent=Slow, policy={"FRACTION": 3}), "invalid", "FRACTION"),
                (lambda: mete.read_trace(self.path("none")), None, "none"),
                (lambda: mete.read_report(self.path("none")), None, "none"),
                (lambda: mete.load_sweep(self.path("none")), "invalid", "none")):
            with self.assertRaises(mete.Error) as caught:
                call()
            self.assertEqual(len(str(caught.exception).splitlines()), 1)
            self.assertIn(words, str(caught.exception))
            if code:
                self.assertEqual(caught.exception.code, code)

    def test_a_board_run_with_an_object_as_agent(self):
        agent = Slow()
        run = mete.run("vectorAdd:2s", board="v100", gpus=2, agent=agent, policy={"FRACTION": 0.7},
                       trace=self.path("t"), report=self.path("r"))
        self.assertTrue(run.replayed)
        self.assertEqual(run.exit_code, 0)
        trace = mete.read_trace(self.path("t"))
        self.assertEqual(trace.attrs["units"]["GPU_POWER-gpu-0"], "W")
        # What the agent saw is what the trace says, step by step.
        self.assertEqual(len(agent.rows), len(trace) - 1)
        for (time, powers), (_, row) in zip(agent.rows, trace.iterrows()):
            self.assertAlmostEqual(time, row["TIME"] - trace["TIME"].iloc[0], places=9)
            for gpu, power in enumerate(powers):
                told = row[f"GPU_POWER-gpu-{gpu}"]
                self.assertTrue(power == told or math.isnan(power) and math.isnan(told))
        asked = trace[f"AGENT_{CLOCK}-gpu-1"]
        self.assertEqual(set(asked), {min((c for c in mete.controls(board="v100").loc[CLOCK, "supported"]),
                                          key=lambda c: abs(c - 0.7 * 1380e6))})
        report = mete.read_report(self.path("r"))
        self.assertEqual(report.attrs["agent"], "Slow")
        figures = report.xs("Application Totals", level="section").iloc[0]
        self.assertAlmostEqual(figures["runtime (s)"], run.seconds, places=3)
        self.assertAlmostEqual(run["GPU_ENERGY"], run["GPU_ENERGY@gpu-0"] + run["GPU_ENERGY@gpu-1"])
        self.assertEqual(run.totals.loc["GPU_ENERGY@gpu-0", "source"], "replayed")

    def test_a_failing_agent_raises_with_its_traceback(self):
        class Fails(Slow):
            def step(self, observation, policy):
                return 1 / (len(self.rows) - 3) if super().step(observation, policy) else None
        with self.assertRaises(mete.Error) as caught:
            mete.run("vectorAdd:2s", board="v100", agent=Fails)
        self.assertIn("ZeroDivisionError", str(caught.exception).splitlines()[0])
        self.assertIn("package_test.py", str(caught.exception))

    def test_the_same_figures_as_the_command(self):
        agent = os.path.join(ROOT, "tests", "fixtures", "agents", "gpu_activity.py") + ":Activity"
        import json
        out = subprocess.run([METE, "run", "--board", "v100", "--agent", "gpu_activity", "--json", "--", "vectorAdd:2s"],
                             check=True, capture_output=True, text=True).stdout
        run = mete.run("vectorAdd:2s", board="v100", agent=agent)
        self.assertEqual(json.loads(out)["totals"]["GPU_ENERGY@gpu-0"]["value"], run["GPU_ENERGY"])

    def test_a_command(self):
        run = mete.run([sys.executable, "-c", "import sys; sys.exit(3)"])
        self.assertEqual((run.exit_code, run.replayed), (3, False))
        with self.assertRaises(mete.Error):
            mete.run("no-such-command-here")

    def test_ctrl_c_ends_the_command_and_is_pythons_again(self):
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        with self.assertRaises(KeyboardInterrupt):
            mete.run("sleep 60", report=self.path("r"))
        self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)
        with open(self.path("r"), encoding="utf-8") as report:
            self.assertIn("Application Totals", report.read())

    def test_a_sweep_becomes_tables(self):
        subprocess.run([METE, "sweep", "--board", "v100", "--control", CLOCK + "=all", "--trials", "1", "--out",
                        self.path("s"), "--", "BlackScholes:2s"], check=True, stdout=subprocess.DEVNULL)
        runs = mete.load_sweep(self.path("s"))
        grid = runs[~runs["reference"]]
        self.assertEqual(sorted(grid["controls." + CLOCK]), mete.controls(board="v100").loc[CLOCK, "supported"])
        self.assertTrue((grid["energy"] > 0).all())
        summary = mete.process(self.path("s"), self.path("s.h5"))
        self.assertEqual(summary["problems"], [])
        table = mete.load_sweep(self.path("s.h5"))
        self.assertEqual(len(table), summary["rows"])
        self.assertIn("gpu-frequency", table.columns)


unittest.main(verbosity=1)
