"""mete sweep, end to end. SPDX-License-Identifier: BSD-3-Clause"""
import json
import os
import resource
import shutil
import signal
import stat
import time

from mete_cli import MeteCase, main

CONTROL = "GPU_CORE_FREQUENCY_MAX_CONTROL"
V100 = [405e6, 502e6, 600e6, 705e6, 802e6, 945e6, 1087e6, 1102e6, 1237e6, 1380e6]


class Sweep(MeteCase):
    def words(self, *more, out="s", values="all", trials="2", program="vectorAdd:2s", board="v100"):
        return ["sweep", "--board", board, "--control", f"{CONTROL}={values}", "--trials", trials,
                "--out", out, *more, "--", program]

    def points(self, out="s"):
        return self.load(out, "sweep.json")["points"]

    def identities(self, out="s"):
        """Which file is which, of the points that are done: a run again makes new files."""
        found = {}
        for point in self.points(out):
            if point["status"] != "done":
                continue
            for kind in ("report", "trace"):
                info = os.stat(self.path(out, point[kind]))
                found[point[kind]] = (info.st_ino, info.st_mtime_ns)
        return found

    def test_every_supported_clock_and_the_tutorials_names(self):
        out, _ = self.mete(*self.words())
        self.assertIn("replayed", out)
        points = self.points()
        for trial in (1, 2):
            clocks = sorted(p["controls"][CONTROL] for p in points
                            if p["trial"] == trial and not p["reference"])
            self.assertEqual(clocks, V100)
        for p in points:
            self.assertEqual(p["status"], "done")
            self.assertGreater(p["runtime"], 0)
            self.assertGreater(p["energy"], 0)
        names = sorted(n for n in os.listdir(self.path("s")) if n.endswith(".report"))
        self.assertEqual(len(names), 20, "the grid alone lies in the folder itself")
        self.assertIn("agent_monitor.vectorAdd-2s.gpufreq_1380.trial_1.report", names)
        lines = self.text("s", points[0]["trace"]).splitlines()
        header = next(line for line in lines if not line.startswith("#")).split("|")
        for signal_name in ("CORE_FREQUENCY_STATUS", "POWER", "ENERGY", "UTILIZATION",
                            "CORE_ACTIVITY", "UNCORE_ACTIVITY"):
            self.assertIn(f"GPU_{signal_name}-gpu-0", header)

    def test_order_is_random_and_the_seed_decides(self):
        def order(out, seed):
            self.mete(*self.words("--seed", seed, out=out))
            by_time = sorted(self.points(out), key=lambda p: p["sequence"])
            return [(p["controls"][CONTROL], p["reference"], p["runtime"], p["energy"])
                    for p in by_time]
        first = order("a", "1")
        self.assertEqual(first, order("b", "1"), "the same seed, the same answer")
        self.assertNotEqual([p[:2] for p in first], [p[:2] for p in order("c", "2")])
        clocks = [p[0] for p in first if not p[1]]
        self.assertNotIn(clocks[:10], (sorted(clocks[:10]), sorted(clocks[:10], reverse=True)))

    def test_references_are_interleaved(self):
        self.mete(*self.words("--reference-every", "4"))
        gaps, since = [], 0
        by_time = sorted(self.points(), key=lambda p: p["sequence"])
        self.assertTrue(by_time[0]["reference"] and by_time[-1]["reference"])
        for p in by_time:
            if p["reference"]:
                self.assertEqual(p["controls"][CONTROL], max(V100))
                gaps.append(since)
                since = 0
            else:
                since += 1
        self.assertEqual(gaps, [0, 4, 4, 4, 4, 4])

    def test_kill_9_loses_and_repeats_nothing(self):
        words = self.words(trials="12")
        total = 120 + 13
        kills = 0
        for at_least in (3, 30, 80):
            child = self.start(*words)
            while child.poll() is None:
                try:
                    done = sum(p["status"] == "done" for p in self.points())
                except FileNotFoundError:
                    done = 0
                if done >= at_least:
                    break
                time.sleep(0.002)
            if child.poll() is None:
                child.send_signal(signal.SIGKILL)
                kills += 1
            child.communicate()
            before = self.identities()
            self.assertGreaterEqual(len(before), 2 * at_least)
        self.assertGreater(kills, 0)
        before = self.identities()
        out, _ = self.mete(*self.words("--json", trials="12"))
        result = json.loads(out)
        self.assertEqual(result["resumed"], len(before) // 2)
        self.assertEqual(result["ran"] + result["resumed"], total)
        after = self.identities()
        self.assertEqual(len(after), 2 * total)
        for name, identity in before.items():
            self.assertEqual(after[name], identity, f"{name} was run again")

    def test_ctrl_c_keeps_what_is_finished_and_says_how_to_go_on(self):
        child = self.start(*self.words(trials="40"))
        while not os.path.exists(self.path("s", "sweep.json")):
            time.sleep(0.002)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate()
        self.assertEqual(child.returncode, 1)
        self.assertIn("the same command resumes", err)
        self.mete(*self.words(trials="40"))
        self.assertTrue(all(p["status"] == "done" for p in self.points()))

    def test_a_cut_manifest(self):
        self.mete(*self.words())
        good = self.text("s", "sweep.json")
        before = self.identities()
        for part in (0, 1, len(good) // 2, len(good) - 3):
            with open(self.path("s", "sweep.json"), "w") as file:
                file.write(good[:part])
            _, err = self.mete(*self.words())
            self.assertIn("sweep.json.previous", err)
            after = self.identities()
            again = [n for n in before if after[n] != before[n]]
            self.assertLessEqual(len(again), 2, "at most the last point is run again")
            before = after
        for name in ("sweep.json", "sweep.json.previous"):
            with open(self.path("s", name), "w") as file:
                file.write(good[:700])
        self.refused(*self.words(), says=["sweep.json", "--fresh"])

    def test_a_changed_plan_is_refused(self):
        self.mete(*self.words())
        before = self.identities()
        self.refused(*self.words(trials="3"), says=["trials: 2 here, 3 asked for"])
        self.refused(*self.words(program="matrixMul:2s"), says=["command:"])
        self.refused(*self.words("--seed", "9"), says=["seed"])
        self.refused(*self.words("--fresh"), says=["not empty"])
        self.assertEqual(before, self.identities())
        self.mete(*self.words("--fresh", "--force", trials="3"))

    def test_a_table_does_not_take_the_place_of_a_device_or_folder(self):
        self.mete("sweep", "--board", "v100", "--control", "GPU_CORE_FREQUENCY_MAX_CONTROL=all", "--trials", "1", "--out", "s", "--",
                  "BlackScholes")
        os.mkfifo(self.path("pipe"))
        os.mkdir(self.path("folder"))
        self.refused("process", "s", "-o", "pipe", says=["pipe", "name a file"])
        self.assertTrue(stat.S_ISFIFO(os.stat(self.path("pipe")).st_mode), "a device would be lost the same way")
        self.refused("process", "s", "-o", "folder", says=["a folder"])

    def test_folders_that_cannot_be_used(self):
        os.mkdir(self.path("mine"))
        with open(self.path("mine", "thesis.txt"), "w") as file:
            file.write("years of work")
        self.refused(*self.words(out="mine"), says=["thesis.txt"])
        self.refused(*self.words(out="mine/thesis.txt"), says=["is a file"])
        self.refused(*self.words(out="/dev/null/sweep"), says=["/dev/null"])
        os.mkdir(self.path("empty"))
        self.mete(*self.words(out="empty", values="1380MHz", trials="1"))

    def test_a_full_disk_loses_nothing(self):
        def small_files():  # a stand-in for a full disk: writes beyond this size fail
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (14_000, 14_000))
        _, err = self.mete(*self.words(values="945MHz,1380MHz", program="vectorAdd:60s"), code=1,
                           preexec_fn=small_files)
        self.assertTrue(err.strip())
        self.assertNotIn("internal", err)
        self.mete(*self.words(values="945MHz,1380MHz", program="vectorAdd:60s"))
        self.assertTrue(all(p["status"] == "done" for p in self.points()))

    def test_wrong_controls_and_clocks(self):
        self.refused(*self.words(values="900MHz,1380MHz,2GHz"),
                     says=["900 MHz", "2 GHz", "945 MHz", "1.38 GHz"])
        self.refused(*self.words(values="1380"), says=["Hz"])
        self.refused("sweep", "--board", "v100", "--control", "GPU_CORE_FREQ_MAX_CONTROL=all",
                     "--out", "s", "--", "vectorAdd", says=[CONTROL])
        self.refused("sweep", "--board", "v100", "--control", "nonsense", "--out", "s", "--",
                     "vectorAdd", says=["NAME="])
        self.refused("sweep", "--board", "v100", "--out", "s", "--", "vectorAdd", says=["--control"])
        self.refused(*self.words(program="vectorAd"), says=["vectorAdd"])
        self.refused(*self.words(trials="0"), says=["trials"])
        self.refused(*self.words("--engine", "slurm"), says=["local"])
        self.refused(*self.words("--signals", "GPU_POWR@gpu"), says=["GPU_POWER"])
        self.assertFalse(os.path.exists(self.path("s")), "nothing is made before all is checked")

    def test_one_clock_is_said(self):
        _, err = self.mete(*self.words(values="1380MHz"))
        self.assertIn("one value only", err)

    def test_old_names_and_ranges(self):
        self.mete("sweep", "--board", "v100", "--control",
                  "NVML::FREQUENCY_CONTROL=900MHz:1400MHz:100MHz", "--trials", "1", "--out", "s",
                  "--", "vectorAdd:2s")
        clocks = {p["controls"][CONTROL] for p in self.points()}
        self.assertLessEqual(clocks, set(V100))
        self.assertIn(1380e6, clocks)

    def test_two_at_once(self):
        child = self.start(*self.words(trials="60"))
        while not os.path.exists(self.path("s", "sweep.json")):
            time.sleep(0.002)
        try:
            self.refused(*self.words(trials="60"), code=1, says=["another mete"])
        finally:
            child.kill()
            child.communicate()


if __name__ == "__main__":
    main()
