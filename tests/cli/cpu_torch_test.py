#!/usr/bin/env python3
"""From a sweep over CPU clocks to an agent that steers them: cpu_torch_test.py METE. On a machine that is played
(tests/fakes/cpu_machine.py), judged by its two formulas. SPDX-License-Identifier: BSD-3-Clause"""
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "fakes"))
import cpu_machine  # noqa: E402
import mete_cli  # noqa: E402

CLOCKS = [0.8e9, 1.6e9, 2.4e9, 3.2e9]
WAITS, WORKS = 0.05, 0.9  # share of the time that goes with the clock
SECONDS = 1.2


def joules(compute, clock):
    share = clock / (1e3 * cpu_machine.MAX)
    return cpu_machine.times(compute, share) * (cpu_machine.watts(share) + cpu_machine.DRAM)


class CpuTorch(mete_cli.MeteCase):
    def setUp(self):
        super().setUp()
        self.tree = self.path("machine")
        cpu_machine.build(self.tree)
        self.environment["METE_SYS_ROOT"] = self.tree

    def program(self, compute, seconds=SECONDS):
        return [sys.executable, cpu_machine.__file__, self.tree, str(seconds), str(compute)]

    def sweep(self, name, compute):
        clocks = ",".join(f"{clock:.0f}" for clock in CLOCKS)
        self.mete("sweep", "--control", f"CPU_FREQUENCY_MAX_CONTROL={clocks}", "--trials", "1", "--reference-every", "0",
                  "--app", name, "--out", name, "--", *self.program(compute))

    def column(self, trace, name):
        lines = [line for line in self.text(trace).splitlines() if not line.startswith("#")]
        place = lines[0].split("|").index(name)
        return [float(line.split("|")[place]) for line in lines[1:]]

    def test_sweep_process_train_run(self):
        self.sweep("waits", WAITS)
        self.sweep("works", WORKS)
        out, _ = self.mete("process", "waits", "works", "-o", "t.h5", "--json")
        apps = {app["app_config"]: app for app in json.loads(out)["app_configs"]}
        for app in apps.values():
            self.assertEqual(app["cpu_frequencies"], CLOCKS)
            self.assertEqual(app["phi_freq"][0], 3.2e9)
            self.assertGreater(app["roi_rows"], 20)
        cheapest = min(CLOCKS, key=lambda clock: joules(WAITS, clock))
        self.assertEqual(apps["waits"]["phi_freq"][-1], cheapest)
        # Of the program that works two clocks cost nearly the same; it must be one of them.
        within = [c for c in CLOCKS if joules(WORKS, c) < 1.05 * min(joules(WORKS, x) for x in CLOCKS)]
        self.assertIn(apps["works"]["phi_freq"][-1], within)

        out, _ = self.mete("train", "t.h5", "-o", "cpu.pt", "--epochs", "400", "--batch", "200", "--json")
        model = json.loads(out)
        self.assertEqual([f["name"] for f in model["features"]],
                         ["CPU_FREQUENCY_STATUS", "CPU_POWER", "CPU_UTILIZATION", "DRAM_POWER",
                          "CPU_PACKAGE_TEMPERATURE", "PHI"])
        self.assertEqual(model["features"][1]["column"], "CPU_POWER-package-0")

        out, _ = self.mete("run", "--agent", "torch@package", "--model", "cpu.pt", "--policy", "CPU_PHI=1", "--trace",
                           "trace", "--report", "r", "--page", "p.html", "--json", "--", *self.program(WAITS, 3))
        asked = self.column("trace", "AGENT_CPU_FREQUENCY_MAX_CONTROL-package-0")
        self.assertLessEqual(asked[-1], 2.4e9)
        told = json.loads(out.splitlines()[-1])
        watts = told["totals"]["CPU_ENERGY"]["value"] / told["seconds"]
        self.assertLess(watts, 0.9 * cpu_machine.BUSY)
        with open(os.path.join(self.tree, "sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq"),
                  encoding="ascii") as file:
            self.assertEqual(int(file.read()), cpu_machine.MAX)
        self.assertIn("of all packages", self.text("p.html"))

        del self.environment["METE_SYS_ROOT"]
        self.refused("run", "--board", "v100", "--agent", "torch", "--model", "cpu.pt", "--", "vectorAdd",
                     says=["CPU_FREQUENCY_STATUS", "torch@domain"])

    def test_sweeps_of_two_kinds_are_not_mixed(self):
        self.sweep("waits", WAITS)
        del self.environment["METE_SYS_ROOT"]
        self.mete("sweep", "--board", "v100", "--control", "GPU_CORE_FREQUENCY_MAX_CONTROL=945MHz,1380MHz", "--trials",
                  "1", "--reference-every", "0", "--out", "gpu", "--", "vectorAdd")
        _, err = self.mete("process", "waits", "gpu", "-o", "t.h5", code=1)
        self.assertIn("sets no package clock, expected CPU_FREQUENCY_MAX_CONTROL", err)


if __name__ == "__main__":
    mete_cli.main()
