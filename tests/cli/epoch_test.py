#!/usr/bin/env python3
"""Epochs and regions of real programs: epoch_test.py METE PYTHON_PACKAGE_FOLDER. SPDX-License-Identifier: BSD-3-Clause"""
import os
import pathlib
import subprocess
import sys
import unittest

PACKAGE = os.path.abspath(sys.argv.pop(2))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "fakes"))
import cpu_machine  # noqa: E402
import mete_cli  # noqa: E402
import yaml  # noqa: E402

LOOP = """
import time, mete
for i in range({n}):
    with mete.region("epoch"):
        time.sleep({pause})
    mete.progress()
"""


class Epochs(mete_cli.MeteCase):
    def setUp(self):
        super().setUp()
        self.environment["PYTHONPATH"] = PACKAGE

    def python(self, program):
        path = self.path("program.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(program)
        return [sys.executable, path]

    def column(self, trace, name):
        lines = [line for line in self.text(trace).splitlines() if not line.startswith("#")]
        place = lines[0].split("|").index(name)
        return [float(line.split("|")[place]) for line in lines[1:]]

    def test_a_python_loop_is_counted_in_trace_report_and_page(self):
        out, _ = self.mete("run", "--report", "r", "--trace", "t", "--page", "p.html", "--period", "10ms", "--signals",
                           "EPOCH_COUNT", "--json", "--", *self.python(LOOP.format(n=12, pause=0.03)))
        counts = self.column("t", "EPOCH_COUNT")
        self.assertEqual(counts[0], 0)
        self.assertEqual(counts[-1], 12)
        self.assertEqual(counts, sorted(counts))
        self.assertGreater(len(set(counts)), 6, "it grows as the program goes")
        host = next(iter(yaml.safe_load(self.text("r"))["Hosts"].values()))
        epochs = host["Epoch Totals"]
        self.assertEqual(epochs["count"], 12)
        # From the first epoch on: eleven more, each of 30 ms or what a busy machine makes of them.
        self.assertGreaterEqual(epochs["runtime (s)"], 11 * 0.03 - 0.02)
        self.assertLess(epochs["runtime (s)"], host["Application Totals"]["runtime (s)"])
        self.assertGreaterEqual(epochs["mete seconds per epoch"], 0.028)
        self.assertEqual(host["Application Totals"]["EPOCH_COUNT"], 12)
        self.assertEqual(host["mete sources"]["EPOCH_COUNT"], "counter")
        page = self.text("p.html")
        for word in ("What each region cost", "Times entered", "12 epochs", "No energy was measured", "epoch · 12 times",
                     "Regions: one lane each", "Below, regions over time: epoch · 12 times"):
            self.assertIn(word, page)
        self.assertIn('"name":"epoch"', out.replace(" ", ""))

    def test_a_program_that_counts_none(self):
        self.mete("run", "--report", "r", "--page", "p.html", "--", "sleep", "0.1")
        host = next(iter(yaml.safe_load(self.text("r"))["Hosts"].values()))
        self.assertEqual(host["Epoch Totals"], {"runtime (s)": 0, "count": 0})
        self.assertNotIn("What each region cost", self.text("p.html"))

    def test_outside_of_a_run_there_is_none_and_it_says_so(self):
        line = self.refused("read", "EPOCH_COUNT", code=1, says=["mete run", "mete.progress()"])
        self.assertIn("'EPOCH_COUNT' is not available here", line)
        self.refused("run", "--board", "v100", "--signals", "EPOCH_COUNT", "--", "vectorAdd", says=["EPOCH_COUNT"])
        child = subprocess.Popen(["sleep", "5"])
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        self.refused("run", "--pid", str(child.pid), "--signals", "EPOCH_COUNT", says=["EPOCH_COUNT"])

    def test_nothing_is_left_behind(self):
        before = set(os.listdir("/dev/shm"))
        self.mete("run", "--", "true")
        self.mete("run", "--", "no-such-command-at-all", code=2)
        left = {name for name in os.listdir("/dev/shm") if name.startswith("mete-regions-")} - before
        # Other runs may go on meanwhile; ours are gone, and theirs are held by a living mete.
        for name in left:
            self.assertNotEqual(subprocess.run(["fuser", "-s", f"/dev/shm/{name}"], check=False).returncode, 1, name)

    def test_frontier_steers_packages_by_a_python_programs_epochs(self):
        self.steer_by("epochs")
        page = self.text("p.html")
        for word in ("epochs", "Believed and found", "of all packages"):
            self.assertIn(word, page)

    def test_frontier_steers_packages_by_the_regions_of_one_that_counts_no_epochs(self):
        self.steer_by("regions")
        self.assertEqual(set(self.column("t", "EPOCH_COUNT")), {0.0})
        self.assertGreater(self.column("t", "REGION_COUNT")[-1], 1000)

    def steer_by(self, told):
        tree = self.path("machine")
        cpu_machine.build(tree)
        self.environment["METE_SYS_ROOT"] = tree
        program = [sys.executable, cpu_machine.__file__, tree, "8", "0.1", "3000", told]
        self.mete("run", "--agent", "frontier@package", "--policy", "MAX_SLOWDOWN=10%", "--period", "100ms", "--report", "r",
                  "--trace", "t", "--page", "p.html", "--signals", "REGION_COUNT", "--", *program)
        host = next(iter(yaml.safe_load(self.text("r"))["Hosts"].values()))
        asked = self.column("t", "AGENT_CPU_FREQUENCY_MAX_CONTROL-package-0")
        # Work that hardly goes with the clock, as its progress tells: lower ones are taken, and the bound is kept. (A busy
        # machine makes the played one stutter, so that no one clock can be asked for here.)
        self.assertLess(min(a for a in asked if a == a), 3.0e9)
        self.assertRegex(host["CPU 0 Frontier Phase 1"], "clocks tried")
        seconds = host["Application Totals"]["runtime (s)"]
        self.assertLess(seconds, 8 * 1.10 + 2)  # an interpreter's start is in it
        joules = host["Application Totals"]["package-energy (J)"]
        self.assertLess(joules, 0.95 * seconds * cpu_machine.BUSY)
        with open(os.path.join(tree, "sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq"), encoding="ascii") as f:
            self.assertEqual(int(f.read()), cpu_machine.MAX)


if __name__ == "__main__":
    mete_cli.main()
