#!/usr/bin/env python3
"""mete run --record and mete recording from the outside: record_test.py METE [FAKE_NVML]. SPDX-License-Identifier: BSD-3-Clause"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

METE = sys.argv.pop(1) if len(sys.argv) > 1 else "build/release/bin/mete"
FAKE_NVML = sys.argv.pop(1) if len(sys.argv) > 1 else ""
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def mete(*words, **options):
    return subprocess.run([METE, *map(str, words)], capture_output=True, text=True, timeout=120, **options)


class Record(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.out = pathlib.Path(self.folder.name) / "rec"
        self.env = dict(os.environ, METE_STATE_DIR=self.folder.name)

    def summary(self, path=None):
        done = mete("recording", "summary", path or self.out, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_records_processes_and_invents_nothing(self):
        script = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; (exit 0) & wait"
        done = mete("run", "--record", self.out, "--", "sh", "-c", script, env=self.env)
        self.assertEqual(done.returncode, 0, done.stderr)
        summary = self.summary()
        self.assertEqual(summary["format"], "mete.recording/1")
        self.assertGreater(summary["duration_seconds"], 0)
        self.assertEqual(set(summary["energy_joules"]), {"package", "psys", "core", "uncore", "dram", "gpu"})
        self.assertTrue(any(p["name"] == "sh" and p["cpu_seconds"] > 0 for p in summary["processes"]), summary)
        self.assertNotIn("no_end", [i["kind"] for i in summary["issues"]])
        for line in (self.out / "power_metrics.json").read_text().splitlines():
            json.loads(line)

    def test_estimates_only_when_asked_for_and_apart(self):
        mete("run", "--record", self.out, "--estimate", "10W:30W", "--", "sleep", "0.4", env=self.env)
        summary = self.summary()
        joules = summary["estimated_joules"]["CPU_ENERGY_ESTIMATE@board-0"]
        self.assertGreater(joules, 10 * 0.2)
        self.assertLess(joules, 30 * (summary["duration_seconds"] + 0.1))
        header = json.loads((self.out / "recording.ndjson").read_text().splitlines()[0])
        self.assertEqual(header["estimate"]["idle_watts"], 10)
        self.assertNotIn("ESTIMATE", (self.out / "power_metrics.json").read_text())
        mete("run", "--record", self.out, "--", "sleep", "0.1", env=self.env)
        self.assertEqual(self.summary()["estimated_joules"], {})

    @unittest.skipUnless(FAKE_NVML, "no fake NVML was given")
    def test_gpu_fields_are_those_of_aipowermeters_newer_generation(self):
        script = "gpus=2;memory=0,1024;memory=1,2048;utilization=0,50;utilization=1,30"
        env = dict(self.env, METE_NVML_LIBRARY=FAKE_NVML, METE_FAKE_NVML=script)
        done = mete("run", "--record", self.out, "--period", "50ms", "--", "sleep", "1.5", env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = (self.out / "power_metrics.json").read_text().splitlines()
        self.assertEqual(json.loads(lines[-1]), "END OF RECORDING SEGMENT")
        gpu = [json.loads(line)["metrics"]["gpu"] for line in lines[:-1]]
        for one in gpu:
            self.assertEqual(set(one), {f"{each}nvidia_{what}" for each in ("", "per_gpu_") for what in ("power", "memory", "use_rate")})
            self.assertAlmostEqual(one["nvidia_power"], sum(one["per_gpu_nvidia_power"].values()), 6)
        last = gpu[-1]
        self.assertEqual(last["per_gpu_nvidia_memory"], {"0": 1 << 30, "1": 2 << 30})
        self.assertEqual(last["nvidia_memory"], 3 << 30)
        self.assertEqual(last["per_gpu_nvidia_use_rate"], {"0": 50, "1": 30})
        self.assertEqual(last["nvidia_use_rate"], 40)
        joules = self.summary(self.out / "power_metrics.json")["energy_joules"]["gpu"]
        self.assertAlmostEqual(joules, self.summary()["energy_joules"]["gpu"], delta=0.1 * joules)

    @unittest.skipUnless(FAKE_NVML, "no fake NVML was given")
    def test_a_gpu_that_is_lost_and_a_driver_that_hangs_are_told(self):
        for script, words in (("gpus=2;fail=nvmlDeviceGetTotalEnergyConsumption,1,15,15", "GPU_ENERGY@gpu-1 gives no value: its device is gone"),
                              ("gpus=2;hang=nvmlDeviceGetTotalEnergyConsumption,1,15", "gives no value: its source does not answer")):
            env = dict(self.env, METE_NVML_LIBRARY=FAKE_NVML, METE_FAKE_NVML=script)
            done = mete("run", "--record", self.out, "--period", "50ms", "--", "sleep", "3", env=env)
            self.assertEqual(done.returncode, 0, done.stderr)
            summary = self.summary()
            self.assertIn(words, "; ".join(i["what"] for i in summary["issues"] if i["kind"] == "error"))
            self.assertTrue([i for i in summary["issues"] if i["kind"] == "missing"])
            self.assertGreater(summary["energy_joules"]["gpu"], 0)
            self.assertGreater(summary["duration_seconds"], 2.9, "the recording goes on")

    def test_python_regions(self):
        program = ("import sys, time, importlib.util as u\n"
                   f"s = u.spec_from_file_location('region', {str(ROOT / 'python/mete/region.py')!r})\n"
                   "m = u.module_from_spec(s); s.loader.exec_module(m)\n"
                   "assert m.listening()\n"
                   "step = m.region('step')(lambda: time.sleep(0.01))\n"
                   "for _ in range(3):\n"
                   "    with m.region('epoch'):\n"
                   "        step()\n"
                   "m.progress(3)\n")
        done = mete("run", "--record", self.out, "--json", "--", sys.executable, "-c", program, env=self.env)
        if "ASan runtime does not come first" in done.stderr:
            self.skipTest("a sanitised library cannot be loaded by a python3 that is none")
        self.assertEqual(done.returncode, 0, done.stderr)
        regions = {r["name"]: r for r in self.summary()["regions"]}
        self.assertEqual({n: r["count"] for n, r in regions.items()}, {"epoch": 3, "step": 3})
        self.assertGreaterEqual(regions["epoch"]["seconds"], 0.03)
        records = [json.loads(line) for line in (self.out / "recording.ndjson").read_text().splitlines()]
        first = next(r["t_ns"] for r in records if r["record"] == "sample")
        last = [r["t_ns"] for r in records if r["record"] == "end"][0]
        kept = {r["name"]: r for r in records if r["record"] == "region"}
        self.assertEqual({n: r["level"] for n, r in kept.items()}, {"epoch": 0, "step": 1})
        for region in kept.values():
            self.assertEqual(len(region["spans"]), 3)
            for begin, end, count, seconds, threads in region["spans"]:
                self.assertEqual((count, threads), (1, 1))
                self.assertAlmostEqual(seconds, end - begin, 6)
                self.assertLessEqual(end, (last - first) * 1e-9 + 1e-6)
        for outer, inner in zip(kept["epoch"]["spans"], kept["step"]["spans"]):
            # Equal where both happened between a look at the clock and the marks' collection.
            self.assertLessEqual(outer[0], inner[0])
            self.assertGreaterEqual(outer[1], inner[1])

    def test_python_regions_without_a_session(self):
        program = (f"exec(open({str(ROOT / 'python/mete/region.py')!r}).read())\n"
                   "assert not listening()\n"
                   "with region('x'): progress()\n")
        env = {k: v for k, v in os.environ.items() if not k.startswith("METE_")}
        self.assertEqual(subprocess.run([sys.executable, "-c", program], env=env, timeout=60).returncode, 0)

    def test_attaches_to_a_process(self):
        child = subprocess.Popen(["sleep", "0.6"])
        done = mete("run", "--record", self.out, "--pid", child.pid, env=self.env)
        child.wait()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([p["pid"] for p in self.summary()["processes"] if p["name"] == "sleep"], [str(child.pid)])

    def test_wrong_input(self):
        for words, hint in ((["run", "--pid", "x", "--record", self.out], "number of a process"),
                            (["run", "--pid", "1", "--", "true"], "not both"),
                            (["run", "--cgroup", "/nowhere", "--record", self.out], "nothing of it runs|cgroup.procs"),
                            (["run", "--estimate", "5", "--record", self.out, "--", "true"], "12W:95W"),
                            (["run", "--process-period", "1ms", "--record", self.out, "--", "true"], "20ms"),
                            (["run", "--record", "/dev/null/x", "--", "true"], "folder"),
                            (["recording", "summary", "/nowhere"], "cannot open"),
                            (["recording", "frobnicate", "/nowhere"], "summary")):
            done = mete(*words, env=self.env)
            self.assertIn(done.returncode, (1, 2), words)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
            self.assertRegex(done.stderr, hint)

    def test_full_disk(self):
        if not os.access("/dev/full", os.W_OK):
            self.skipTest("no /dev/full here")
        self.out.mkdir()
        (self.out / "recording.ndjson").symlink_to("/dev/full")
        done = mete("run", "--record", self.out, "--", "sh", "-c", "sleep 0.2; echo done", env=self.env)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("done", done.stdout)
        self.assertIn("recording is cut short", done.stderr)


if __name__ == "__main__":
    unittest.main()
