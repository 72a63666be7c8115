"""Agents from outside the tree: Python classes and shared libraries, good and bad, on a board.

`outside_test.py METE BUILD WITH_PYTHON`: BUILD is the build folder, whose headers are installed.
SPDX-License-Identifier: BSD-3-Clause
"""
import json
import os
import signal
import subprocess
import sys
import time
import unittest

BUILD, WITH_PYTHON = os.path.abspath(sys.argv.pop(2)), sys.argv.pop(2) == "ON"
sys.path.insert(1, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fakes"))
import cpu_machine  # noqa: E402
from mete_cli import MeteCase, main  # noqa: E402: it takes its own word of argv

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
AGENTS = os.path.join(ROOT, "tests", "fixtures", "agents")
CLOCK = "AGENT_GPU_CORE_FREQUENCY_MAX_CONTROL-gpu-"


def columns(text):
    """A trace's columns by name, as text."""
    rows = [line.split("|") for line in text.splitlines() if line and not line.startswith("#")]
    return {name: [row[i] for row in rows[1:]] for i, name in enumerate(rows[0])}


class Outside(MeteCase):
    BOARD = ["--board", "v100"]

    def trace_of(self, agent, program, *more):
        self.mete("run", *self.BOARD, "--gpus", "2", "--agent", agent, "--trace", "t", "--report", "r", *more, "--", program)
        return columns(self.text("t"))

    def failing(self, agent, *says, code=1, program="vectorAdd:2s"):
        """Ends with the code; the first line says these things and there is a report of what was."""
        _, err = self.mete("run", *self.BOARD, "--agent", agent, "--", program, code=code)
        first = err.splitlines()[0]
        self.assertTrue(first.startswith("mete run: "), err)
        for word in says:
            self.assertIn(word, first)
        return err


@unittest.skipUnless(WITH_PYTHON, "built without Python")
class PythonAgents(Outside):
    def test_decides_as_the_agent_that_it_re_implements(self):
        program = os.path.join(ROOT, "examples", "programs", "training-like.txt")
        for phi in ("0", "0.3", "0.5", "0.8", "1"):
            theirs = self.trace_of("gpu_activity", program, "--policy", f"GPU_PHI={phi}")
            mine = self.trace_of(os.path.join(AGENTS, "gpu_activity.py") + ":Activity", program, "--policy",
                                 f"GPU_PHI={phi}")
            for gpu in ("0", "1"):
                self.assertGreater(len(theirs[CLOCK + gpu]), 100)
                self.assertEqual(theirs[CLOCK + gpu], mine[CLOCK + gpu], phi)
        self.assertGreater(len(set(theirs["GPU_CORE_ACTIVITY-gpu-0"])), 5, "nothing to decide about")
        steps = [line for line in self.text("r").splitlines() if "Steps Seen" in line]
        self.assertEqual(int(steps[0].split(":")[1]), len(mine["TIME"]) - 1)

    def test_failures_end_the_run_with_a_traceback_or_in_one_line(self):
        path = os.path.join(AGENTS, "bad_agents.py")
        cases = {"Nan": "nan", "Infinite": "inf", "TooMany": "2 settings, expected 1", "Text": "'fast'", "Truth": "True",
                 "TextInside": "'fast'", "Dict": "{'0'", "SignalsText": "expected a list", "SignalTwice": "twice",
                 "SignalUnknown": "GPU_POWR", "Domain": "gpus", "Period": "period", "PolicyKey": "defalt",
                 "PolicyRange": "GPU_PHI", "Watches": "no control", "NoStep": "no step"}
        for name, word in cases.items():
            err = self.failing(f"{path}:{name}", name, word)
            self.assertEqual(len(err.splitlines()), 1, err)
        traced = {"Divides": "ZeroDivisionError", "Exits": "SystemExit", "Recurses": "RecursionError",
                  "FirstStep": "KeyError: 'GPU_POWR'", "Constructor": "no weights at all", "Start": "not on this device"}
        for name, word in traced.items():
            err = self.failing(f"{path}:{name}", name, word)
            self.assertIn("Traceback (most recent call last):", err)
            self.assertIn(f'File "{path}", line ', err)
            self.assertNotIn("<mete>", err)
        self.assertIn("nothing was run", self.failing(f"{path}:FirstStep"))

    def test_what_is_not_there_is_the_users_input(self):
        path = os.path.join(AGENTS, "bad_agents.py")
        self.refused("run", *self.BOARD, "--agent", "nothing.py:A", "--", "vectorAdd", says=["nothing.py", "no such file"])
        self.refused("run", *self.BOARD, "--agent", path, "--", "vectorAdd", says=["which class", "Divides"])
        self.refused("run", *self.BOARD, "--agent", path + ":Nothing", "--", "vectorAdd", says=["Nothing", "Divides"])
        with open(self.path("wrong.py"), "w", encoding="utf-8") as file:
            file.write("def f(:\n")
        self.assertIn("SyntaxError", self.failing("wrong.py:A", "wrong.py"))

    def test_a_failing_report_fails_the_run_but_the_report_is_written(self):
        for name in ("Report", "ReportKind"):
            _, err = self.mete("run", *self.BOARD, "--agent", os.path.join(AGENTS, "bad_agents.py") + ":" + name,
                               "--report", "r", "--", "vectorAdd:1s", code=1)
            self.assertIn("report", err.splitlines()[0])
            self.assertIn("Application Totals", self.text("r"))

    def test_a_real_command_is_ended_when_its_agent_fails(self):
        with open(self.path("cpu.py"), "w", encoding="utf-8") as file:
            file.write("class A:\n  domain = 'board'\n  signals = ['TIME']\n  period = 0.02\n"
                       "  def step(self, o, p):\n    if o[0]['TIME'] > 0.3: raise RuntimeError('enough')\n")
        begin = time.monotonic()
        _, err = self.mete("run", "--agent", "cpu.py", "--", "sleep", "60", code=1)
        self.assertLess(time.monotonic() - begin, 30)
        self.assertIn("RuntimeError: enough", err.splitlines()[0])

    def test_imports_beside_it_its_model_and_what_it_prints(self):
        with open(self.path("helper.py"), "w", encoding="utf-8") as file:
            file.write("CLOCK = 1005e6\n")
        with open(self.path("agent.py"), "w", encoding="utf-8") as file:
            file.write("import json, helper\n"
                       "class A:\n  signals = []\n  control = 'GPU_CORE_FREQUENCY_MAX_CONTROL'\n"
                       "  def __init__(self, model=None): print('made with', model)\n"
                       "  def step(self, o, p): return helper.CLOCK\n")
        out, _ = self.mete("run", *self.BOARD, "--agent", "agent.py", "--model", "m", "--trace", "t", "--", "vectorAdd:1s")
        self.assertIn("made with m", out)
        self.assertEqual(set(columns(self.text("t"))[CLOCK + "0"]), {"1005000000"})

    def hang(self, agent, times=1):
        """Ctrl-C for an agent whose step does not return; it steers the CPU clock of a machine that is played, and a
        program that would run for a minute. Gives (stderr, seconds it took to end)."""
        tree = self.path("machine")
        cpu_machine.build(tree)
        self.environment["METE_SYS_ROOT"] = tree
        child = self.start("run", "--agent", os.path.join(AGENTS, "bad_agents.py") + ":" + agent, "--", "sleep", "61",
                           preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
        self.addCleanup(child.kill)
        self.assertEqual(child.stdout.readline(), "hangs\n")
        self.assertEqual(self.limit(tree), 1_600_000, "it has set a clock")
        start = time.monotonic()
        for _ in range(times):
            child.send_signal(signal.SIGINT)
            time.sleep(0.7)
        _, err = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 1, err)
        self.assertEqual(self.limit(tree), cpu_machine.MAX, "and it was given back")
        running = subprocess.run(["pgrep", "-x", "-P", "1", "sleep", "-a"], capture_output=True, text=True, check=False)
        self.assertNotIn("sleep 61", running.stdout)
        return err, time.monotonic() - start

    def limit(self, tree):
        with open(os.path.join(tree, "sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq"), encoding="ascii") as file:
            return int(file.read())

    def test_a_step_that_never_returns_is_ended_by_ctrl_c(self):
        err, _ = self.hang("NeverReturns")
        self.assertIn("KeyboardInterrupt", err.splitlines()[0])
        self.assertIn("in step", err)

    def test_one_that_catches_even_that_is_abandoned(self):
        err, _ = self.hang("SleepsInC", times=2)
        self.assertIn("has not returned from a step", err.splitlines()[-1])
        self.assertIn("what it had set was given back", err.splitlines()[-1])

    def test_evaluate_runs_it_and_ends_with_its_fault(self):
        words = ["evaluate", "v100", "--train", "set=micro", "--test", "set=real", "--phi", "0.5", "--json", "--agent"]
        out, _ = self.mete(*words, os.path.join(AGENTS, "gpu_activity.py") + ":Activity")
        mine = json.loads(out)["objective_regret"]
        out, _ = self.mete(*words, "gpu_activity")
        self.assertEqual(mine, json.loads(out)["objective_regret"])
        _, err = self.mete(*words, os.path.join(AGENTS, "bad_agents.py") + ":Divides", code=1)
        self.assertIn("ZeroDivisionError", err)

    def test_the_agent_verb_describes_it(self):
        out, _ = self.mete("agent", "-a", os.path.join(AGENTS, "gpu_activity.py"), "--json")
        told = json.loads(out)
        self.assertEqual((told["name"], told["period_seconds"]), ("gpu_activity_in_python", 0.02))
        self.assertEqual(told["policy"][0]["default"], 0.5)


class LibraryAgents(Outside):
    def setUp(self):
        super().setUp()
        subprocess.run(["cmake", "--install", BUILD, "--component", "headers", "--prefix", self.path("usr")], check=True,
                       stdout=subprocess.DEVNULL)

    def compile(self, source, output, *more):
        """The one command of the template's README."""
        subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared", "-fPIC", "-O2",
                        "-I" + self.path("usr", "include"), "-o", self.path(output), source, *more], check=True)

    def test_the_template_builds_outside_the_tree_and_steers(self):
        with open(os.path.join(ROOT, "templates", "agent_library", "idle_agent.c"), encoding="utf-8") as template:
            with open(self.path("my_agent.c"), "w", encoding="utf-8") as copy:
                copy.write(template.read())
        self.compile(self.path("my_agent.c"), "my_agent.so")
        with open(self.path("pauses.txt"), "w", encoding="utf-8") as file:
            file.write("idle 1\nkernel vectorAdd 1\nidle 1\n")
        trace = self.trace_of("./my_agent.so", "pauses.txt")
        clocks = [float(value) for value in trace[CLOCK + "0"]]
        self.assertEqual({min(clocks), max(clocks)}, set(clocks))
        self.assertLess(min(clocks), max(clocks), "it never lowered the clock in a pause")
        self.assertIn("Idle Steps", self.text("r"))
        self.mete("run", *self.BOARD, "--agent", "my_agent.so", "--policy", "IDLE_BELOW=0", "--", "vectorAdd:1s")
        self.refused("run", *self.BOARD, "--agent", "./my_agent.so", "--policy", "IDLE_BELOW=2", "--", "vectorAdd:1s",
                     says=["IDLE_BELOW"])
        _, err = self.mete("run", *self.BOARD, "--agent", "./my_agent.so", "--model", "m", "--", "vectorAdd:1s", code=1)
        self.assertIn("needs no --model", err)

    def test_what_breaks_its_word_is_told_in_one_line(self):
        says = ["version 99", "struct of 8 bytes", "step is NULL", "info() returned NULL", "no name", "is NULL",
                "make: no weights at all", "start: not on this device", "step: lost its way", "gave no reason",
                "decision 0 is nan", "no control", "does not work with version 1", "expected at most", "'gpus'", "xxx",
                "struct of 4 bytes", ""]
        for fault, words in enumerate(says, start=1):
            self.compile(os.path.join(AGENTS, "bad_agent.c"), "bad.so", f"-DFAULT={fault}")
            if not words:  # a name on two lines becomes one line
                self.mete("run", *self.BOARD, "--agent", "./bad.so", "--report", "r", "--", "vectorAdd:2s")
                self.assertIn("two lines", self.text("r"))
                continue
            self.refused("run", *self.BOARD, "--agent", "./bad.so", "--", "vectorAdd:2s", code=1, says=["./bad.so", words])

    def test_files_that_are_no_agent(self):
        self.refused("run", *self.BOARD, "--agent", "./nothing.so", "--", "vectorAdd", says=["no such file"])
        with open(self.path("empty.c"), "w", encoding="utf-8") as file:
            file.write("int nothing;\n")
        self.compile(self.path("empty.c"), "empty.so")
        self.refused("run", *self.BOARD, "--agent", "./empty.so", "--", "vectorAdd", code=1, says=["mete_agent"])
        with open(self.path("text.so"), "w", encoding="utf-8") as file:
            file.write("no library\n")
        self.refused("run", *self.BOARD, "--agent", "./text.so", "--", "vectorAdd", code=1, says=["text.so"])


if __name__ == "__main__":
    main()
