#!/usr/bin/env python3
"""The memory loop from the outside: fit, exec, plan of a graph, bench memory. memory_test.py METE. SPDX-License-Identifier: BSD-3-Clause"""
import contextlib
import json
import os
import signal
import sqlite3
import statistics
import time

import mete_cli

MODEL = ("zoo:mlp", "--batch", "2")
# AutoTM's "Results Data Structure", CPU.
FIELDS = """io_size default_alloc_size creation_times optimization_times predicted_runtime dram_limit tensor_size_map config_map ratio
    num_move_nodes num_pmem_move_nodes num_dram_move_nodes bytes_moved bytes_moved_pmem bytes_moved_dram num_async_move_nodes
    num_pmem_async_move_nodes num_dram_async_move_nodes bytes_async_moved bytes_async_moved_pmem bytes_async_moved_dram num_kernels
    num_input_tensors num_output_tensors num_dram_input_tensors num_dram_output_tensors bytes_input_tensors bytes_output_tensors
    bytes_dram_input_tensors bytes_dram_output_tensors dram_alloc_size pmem_alloc_size move_time actual_runtime kernel_times""".split()
SMALL = ("--repeats", "2", "--steps", "2")


class MemoryLoop(mete_cli.MeteCase):
    def json_of(self, *arguments):
        out, _ = self.mete(*arguments, "--json")
        return json.loads(out)

    def settle(self, store):
        """Times in place of those measured: 1 ms a kernel, 0.3 ms more for each tensor in slow memory. What is then asked of a plan
        does not hang on how this machine did."""
        with contextlib.closing(sqlite3.connect(self.path(store))) as db, db:
            for kernel, mask in db.execute("select kernel, slow_mask from timing").fetchall():
                seconds = 1e-3 + 0.3e-3 * bin(mask).count("1")
                db.execute("update timing set median_s = ?, spread_s = 0 where kernel = ? and slow_mask = ?", (seconds, kernel, mask))
            db.execute("update environment set fast_to_slow = 1e9, slow_to_fast = 3e9")

    def test_fit_then_its_parts(self):
        fit = self.json_of("fit", *MODEL, "--ratio", "4:1", *SMALL, "--profile", "p.db", "-o", "fit")
        self.assertTrue(fit["equal_results"])
        self.assertEqual(fit["source"], "emulated")
        plan, fast, touch = fit["arms"]
        self.assertEqual([fast["optimizer"], touch["optimizer"]], ["all-fast", "numa"])
        self.assertEqual(len({arm["digest"] for arm in fit["arms"]}), 1)
        self.assertLessEqual(plan["fast_pool_bytes"], plan["limit_bytes"])
        self.assertAlmostEqual(fit["predicted_slowdown"], plan["predicted_seconds"] / fast["predicted_seconds"])
        self.assertAlmostEqual((1 + fit["machine_drift"]) * fast["predicted_seconds"], fast["seconds"]["median"])
        added = plan["predicted_seconds"] - fast["predicted_seconds"]
        beside = [(f + added) / p - 1 for p, f in zip(plan["all_seconds"], fast["all_seconds"])]
        self.assertAlmostEqual(plan["placement_error"]["median"], statistics.median(beside))
        self.assertEqual(fast["placement_error"]["median"], 0)
        self.assertLessEqual(plan["lower_bound_seconds"], plan["predicted_seconds"] * (1 + 1e-9))
        text = self.text("fit", "fit.html")
        for words in ("Every tensor", "Memory over time", "emulated", "bit for bit"):
            self.assertIn(words, text)

        again = self.json_of("exec", "fit/program.json", "--graph", *MODEL, "--profile", "p.db", "--steps", "2")
        self.assertEqual(again["digest"], plan["digest"], "another run of the same steps from the same seed")
        self.assertEqual(again["predicted_for_others"], [])
        there = ("exec", "fit/program.json", "--graph", *MODEL, "--profile", "p.db", "--steps", "2", "--slow", "file:.")
        self.assertIn("slow memory throttled", self.json_of(*there)["predicted_for_others"][0])
        out, _ = self.mete(*there)
        self.assertIn("not to be compared", out)
        self.assertNotIn("of what was measured", out)
        self.refused("exec", "fit/program.json", "--graph", "zoo:mlp", "--batch", "3", "--profile", "p.db")
        self.refused("exec", "fit/plan.json", "--graph", *MODEL, "--profile", "p.db")
        with open(self.path("cut.json"), "w", encoding="utf-8") as cut:
            cut.write(self.text("fit", "program.json")[:2000])
        self.refused("exec", "cut.json", "--graph", *MODEL, "--profile", "p.db", says=("cut.json",))

        planned = self.json_of("plan", *MODEL, "--ratio", "4:1", "--profile", "p.db", "-o", "plan.json", "--write-problem",
                               "problem.json")
        self.assertLessEqual(planned["peak_bytes"], planned["limit_bytes"])
        self.assertIn("emulated", planned["source"])
        # The problem stands for itself: planned again, its bound can only be tighter.
        alone = self.json_of("plan", "problem.json", "--fast-memory", f"{planned['limit_bytes']}B")
        # What parameters in slow memory cost whatever the plan is part of the problem, not of all-fast.
        self.assertGreaterEqual(alone["all_fast_seconds"], planned["all_fast_seconds"] * (1 - 1e-9))
        all_fast = self.json_of("plan", *MODEL, "--optimizer", "all-fast", "--profile", "p.db")
        self.assertAlmostEqual(planned["all_fast_seconds"], all_fast["seconds"])

        self.settle("p.db")
        least = self.json_of("plan", *MODEL, "--max-slowdown", "20%", "--profile", "p.db", "-o", "least.json")
        kernels = least["all_fast_seconds"] * 1e3
        self.assertAlmostEqual(kernels, round(kernels), places=6, msg="a millisecond each: nothing was measured again")
        self.assertLessEqual(least["seconds"], 1.2 * least["all_fast_seconds"])
        self.assertLessEqual(least["peak_bytes"], least["limit_bytes"])
        self.assertLess(least["limit_bytes"], all_fast["peak_bytes"])
        less = self.json_of("plan", *MODEL, "--fast-memory", f"{least['limit_bytes'] // 2}B", "--profile", "p.db")
        self.assertGreater(less["seconds"], 1.2 * least["all_fast_seconds"], "half of it would have done")
        self.assertGreaterEqual(alone["lower_bound_seconds"], planned["lower_bound_seconds"] * (1 - 1e-6))

    def test_the_grid_resumes(self):
        grid = ("bench", "memory", "--models", "mlp@2", "--optimizers", "static", "--ratios", "4:1,0:1", "--profile", "p.db",
                "--steps", "2", "-o", "grid")
        runs = self.json_of(*grid)
        self.assertEqual({run["ratio"] for run in runs}, {"4:1", "0:1"})
        self.assertTrue(os.path.exists(self.path("grid/results.html")))
        kept = {name: os.stat(self.path(f"grid/{name}")).st_mtime_ns for name in os.listdir(self.path("grid"))
                if name.startswith("mlp@")}
        self.assertEqual(len(kept), 2)
        run = json.loads(self.text("grid", "mlp@2.4-1.static.json"))
        self.assertEqual([name for name in FIELDS if name not in run], [])
        self.assertTrue(run["equal_results"])
        self.assertLessEqual(run["actual_runtime"], run["median_runtime"])
        self.assertEqual(len(run["all_runtimes"]), 2)
        added = run["predicted_runtime"] - run["all_fast_predicted_runtime"]
        beside = [(fast + added) / plan - 1 for plan, fast in zip(run["all_runtimes"], run["all_fast_runtimes"])]
        self.assertAlmostEqual(run["placement_error"], statistics.median(beside))
        self.assertIsNone(run["low_runtime"], "two steps have no interval")
        self.assertEqual(set(run["config_map"]), set(run["kernel_times"]))
        self.assertGreaterEqual(run["default_alloc_size"], max(run["tensor_size_map"].values()))
        os.remove(self.path("grid/mlp@2.4-1.static.json"))
        self.assertEqual(len(self.json_of(*grid)), 2)
        for name, when in kept.items():
            same = os.stat(self.path(f"grid/{name}")).st_mtime_ns == when
            self.assertEqual(same, "4-1" not in name, name)

        os.remove(self.path("grid/mlp@2.4-1.static.json"))
        os.remove(self.path("grid/results.html"))
        huge = ["mlp@900000000,mlp@2" if word == "mlp@2" else word for word in grid]
        _, err = self.mete(*huge, code=1)
        self.assertIn("batch 900000000", err)
        self.assertTrue(os.path.exists(self.path("grid/mlp@2.4-1.static.json")), "one that does not fit must not cost the others")
        self.assertTrue(os.path.exists(self.path("grid/results.html")))

    def test_refusals(self):
        for words, says in ((("fit", "zoo:resnet51", "--ratio", "4:1"), ("resnet50",)),
                            (("model", "describe", "zoo:mlp", "--batch", "0"), ("--batch 0",)),
                            (("fit", *MODEL), ("--ratio",)),
                            (("fit", *MODEL, "--ratio", "x"), ("slow:fast",)),
                            (("fit", *MODEL, "--ratio", "4:1", "--optimizer", "magic"), ("magic",)),
                            (("fit", *MODEL, "--ratio", "4:1", "--steps", "1"), ("--steps",)),
                            (("plan", *MODEL, "--max-slowdown", "much"), ("much",)),
                            (("plan", *MODEL, "--max-slowdown", "5%", "--ratio", "4:1"), ("--max-slowdown",)),
                            (("plan", *MODEL, "--ratio", "4:1x"), ("slow:fast",)),
                            (("plan", *MODEL, "--ratio", "4:1", "-o", "."), ("folder",)),
                            (("bench", "memory", "--models", "mlp@0", "-o", "grid"), ("no batch",)),
                            (("bench", "memory", "--models", "mlp@2", "--ratios", "4:1,1/8", "-o", "grid"), ("1/8",)),
                            (("bench", "memory", "--models", "mlp@2,resnet51", "-o", "grid"), ("resnet50",)),
                            (("bench", "memory", "--models", "mlp@x", "-o", "grid"), ("no batch",)),
                            (("bench", "memory", "--models", "mlp@2"), ("-o DIR",))):
            with self.subTest(words=words):
                self.refused(*words, says=says)
                self.assertFalse(os.path.exists(self.path("mete.profile.db")), "refused before anything is measured")

    def test_what_cannot_be_written_is_said_before_measuring(self):
        with open(self.path("file"), "w", encoding="utf-8"):
            pass
        self.refused("fit", *MODEL, "--ratio", "4:1", "-o", "file", says=("file",))
        self.refused("plan", *MODEL, "--ratio", "4:1", "-o", "no/plan.json", code=1, says=("no/plan.json",))
        self.assertFalse(os.path.exists(self.path("mete.profile.db")))

    def test_fast_memory_is_not_emulated(self):
        """Its figures would have to say so wherever they are shown."""
        self.refused("fit", *MODEL, "--ratio", "4:1", "--fast", "throttled", says=("--fast", "numa:N"))

    def test_all_fast_needs_no_limit(self):
        plan = self.json_of("plan", *MODEL, "--optimizer", "all-fast", "--profile", "p.db")
        self.assertEqual(plan["seconds"], plan["all_fast_seconds"])

    def test_a_file_that_is_not_there(self):
        self.refused("exec", "no.json", "--graph", *MODEL, says=("no.json",))
        self.refused("plan", "no.json", "--ratio", "4:1", says=("no.json", "zoo:"))

    def test_ctrl_c_loses_nothing_that_was_measured(self):
        child = self.start("fit", "zoo:mlp", "--batch", "8", "--ratio", "4:1", "--repeats", "200", "--profile", "i.db")
        time.sleep(2)
        if child.poll() is not None:
            self.skipTest("this machine is too fast to interrupt it")
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=100)
        self.assertNotEqual(child.returncode, 0)
        self.assertEqual(len(err.strip().splitlines()), 1, err)
        self.assertIn("interrupted", err)


if __name__ == "__main__":
    mete_cli.main()
