"""`mete bench` from the outside: what is refused before it starts, what a grid keeps, how it goes on.
SPDX-License-Identifier: BSD-3-Clause"""
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import time
import unittest

from mete_cli import METE, MeteCase, main

SHORT = ("--seconds", "0.02", "--power", "none", "--threads", "1")
HAVE_BLAS = any(os.path.exists(os.path.join(os.path.dirname(METE), where, "mete_blas.so"))
                for where in ("../lib", "../lib/mete"))


class Refused(MeteCase):
    def test_what_was_typed(self):
        self.refused("bench", "gemv", says=["no workload"])
        self.refused("study", "export", "s.study.db", "--csv", "a", "--data", "b", says=["one of --csv and --data"])
        self.refused("bench", "gemm", "--device", "gpu", says=["cpu, cuda:N and board:NAME"])
        self.refused("bench", "gemm", "--device", "cuda:-1", says=["cuda:0"])
        self.refused("bench", "gemm", "--size", "0", says=["--size 0"])
        self.refused("bench", "gemm", "--size", "8x", says=["ROWSxDEPTH"])
        self.refused("bench", "gemm", "--type", "flaot", says=["double, float"])
        for what in ("gemm", "stream"):
            for option, value in (("--trials", "0"), ("--trials", "1000000000"), ("--seconds", "0"), ("--seconds", "nan"),
                                  ("--seconds", "inf"), ("--threads", "-3"), ("--threads", "100000")):
                self.refused("bench", what, "--size", "8", option, value, says=[option, value, "expected"])
        self.refused("bench", "gemm", "--tensor", "maybe", says=["on and off"])
        self.refused("bench", "gemm", "--device", "cuda", "--type", "tf32", "--tensor", "off", code=1, says=["use float"])

    def test_a_library(self):
        self.refused("bench", "gemm", "--library", "mkl", says=["auto, onednn, openblas"])
        self.refused("bench", "gemm", "--library", "onednn", "--device", "cuda:0", says=["only gemm on cpu"])
        self.refused("bench", "stream", "--library", "onednn", says=["only gemm on cpu"])

    def test_a_stream_where_there_is_none(self):
        self.refused("bench", "stream", "--device", "board:jetson-agx", code=1, says=["memory bandwidth", "list kernels --board jetson-agx"])
        self.refused("bench", "stream", "--device", "board:nowhere", says=["nowhere"])
        self.refused("bench", "stream", "--device", "gpu", says=["no device 'gpu'"])

    def test_a_board(self):
        board = ("bench", "gemm", "--device", "board:jetson-agx")
        self.refused(*board, "--frequency", "1GHz", says=["905.25"])
        self.refused(*board, "--size", "100", says=["list kernels"])
        self.refused(*board, "--tensor", "on", code=1, says=["tensor cores"])
        out, _ = self.mete(*board, "--type", "float", "--size", "1024", "--frequency", "905.25MHz", "--trials", "1", "--json")
        told = json.loads(out)
        self.assertTrue(told["replayed"])
        # The board's own table: 864 GFLOP/s at 28.4 W (published measurements, boards/jetson-agx.csv).
        run = told["runs"][0]
        self.assertAlmostEqual(run["flops"] / 864e9, 1, delta=0.02)
        self.assertEqual(run["tensor_observed"], "nontensor")

    @unittest.skipIf(shutil.which("nvidia-smi"), "there may be a GPU here")
    def test_without_a_gpu_one_line_says_what_is_missing(self):
        line = self.refused("bench", "gemm", "--device", "cuda:0", "--size", "64", code=1)
        # With a toolkit the driver is missing; without one, the plugin.
        self.assertTrue("no NVIDIA GPU" in line or "mete_cuda.so" in line or "CUDA" in line, line)
        line = self.refused("bench", "stream", "--device", "cuda:0", code=1)
        self.assertTrue("no NVIDIA GPU" in line or "mete_cuda.so" in line or "CUDA" in line, line)


class Stream(MeteCase):
    def test_the_cpus_memory(self):
        out, _ = self.mete("bench", "stream", "--trials", "3", "--json")
        told = json.loads(out)
        self.assertEqual([loop["kernel"] for loop in told["kernels"]], ["copy", "scale", "add", "triad"])
        for loop in told["kernels"]:
            # No memory is slower than 10 MB/s, none faster than 100 TB/s; the best is no less than the mean.
            self.assertGreater(loop["bytes_per_second"], 1e7)
            self.assertLess(loop["best"], 1e14)
            self.assertGreaterEqual(loop["best"], loop["bytes_per_second"])
        out, _ = self.mete("bench", "stream", "--trials", "1")
        self.assertEqual(out.count("(one run)"), 4)
        self.assertNotIn("nan", out)


@unittest.skipUnless(HAVE_BLAS, "built without OpenBLAS and oneDNN")
class OnCpu(MeteCase):
    def test_before_it_starts(self):
        self.refused("bench", "gemm", "--size", "64,1000000", "--type", "float", *SHORT, says=["size 1000000 of float needs"])
        self.refused("bench", "gemm", "--size", "8", "--type", "float", *SHORT, "-o", "no/s.study.db", code=1, says=["folder must exist"])
        self.refused("bench", "gemm", "--size", "8", "--type", "float", *SHORT, "-o", ".", code=1, says=["is a folder"])
        self.refused("bench", "gemm", "--type", "half", *SHORT, code=1, says=["half"])
        self.refused("bench", "gemm", "--tensor", "on", "--type", "float", *SHORT, code=1, says=["the type decides"])
        self.refused("bench", "gemm", "--power", "CPU_POWR", "--size", "8", says=["CPU_POWR"])

    def test_ctrl_c_ends_a_long_run(self):
        child = self.start("bench", "gemm", "--type", "float", "--size", "16", "--power", "none", "--threads", "1",
                           "--seconds", "3600", "-o", "long.study.db")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not os.path.exists(self.path("long.study.db")):
            time.sleep(0.1)
        time.sleep(1)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 130, err)
        self.assertIn("goes on where it stopped", err)

    def test_a_grid_goes_on_where_it_stopped(self):
        command = ("bench", "gemm", "--type", "float", "--size", "16,32x8", "--trials", "200", "-o", self.path("s.study.db"), *SHORT)
        child = self.start(*command)
        # Until something is kept: a second of a grid that takes eight.
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            time.sleep(0.5)
            if os.path.exists(self.path("s.study.db")) and os.path.getsize(self.path("s.study.db")) > 40_000:
                break
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 130, err)
        self.assertIn("goes on where it stopped", err)
        few = ("bench", "gemm", "--type", "float", "--size", "16,32x8", "--trials", "3", "-o", self.path("t.study.db"), *SHORT, "--json")
        first = json.loads(self.mete(*few)[0])
        self.assertEqual(sum(1 for run in first["runs"]), 6 + 1)  # two points × three trials, and a look at the reference
        again, err = self.mete(*few)
        self.assertEqual(json.loads(again)["runs"], [])
        self.assertIn("has all 3 trials", err)
        self.assertEqual([one["trials"] for one in json.loads(again)["configurations"]], [4, 3])

    def test_two_libraries_are_never_trials_of_one_another(self):
        file = self.path("two.study.db")
        grid = ("bench", "gemm", "--type", "float", "--size", "48", "--trials", "1", "-o", file, *SHORT, "--json")
        told = {name: json.loads(self.mete(*grid, "--library", name)[0]) for name in ("openblas", "onednn")}
        for name, word in (("openblas", "OpenBLAS"), ("onednn", "oneDNN")):
            self.assertTrue(told[name]["runs"][0]["implementation"].startswith(word), told[name]["runs"])
            self.assertEqual(told[name]["device"], "cpu:" + name)
            self.assertEqual(len(told[name]["configurations"]), 1)
        self.assertIn("transparent_huge_pages", told["onednn"]["environment"])
        # The same file, as if an older version had chosen otherwise: refused, nothing added.
        with contextlib.closing(sqlite3.connect(file)) as db, db:
            db.execute("UPDATE run SET device = 'cpu', oddities = replace(oddities, 'OpenBLAS', 'OtherBLAS') WHERE device = 'cpu:openblas'")
        self.refused("bench", "gemm", "--type", "float", "--size", "48", "--trials", "2", "-o", file, *SHORT,
                     says=["OtherBLAS", "--library"])
        with contextlib.closing(sqlite3.connect(file)) as db:
            self.assertEqual(db.execute("SELECT count(*) FROM run").fetchone()[0], 2)

    def test_without_power_it_says_so(self):
        out, _ = self.mete("bench", "gemm", "--type", "float", "--size", "16", "--trials", "1", *SHORT)
        self.assertIn("no joules", out)


if __name__ == "__main__":
    main()
