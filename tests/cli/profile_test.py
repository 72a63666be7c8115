#!/usr/bin/env python3
"""mete profile from the outside: what it refuses, and an interrupted profile. profile_test.py METE. SPDX-License-Identifier: BSD-3-Clause"""
import os
import re
import signal
import sqlite3
import time
import unittest

import mete_cli


class Refusals(mete_cli.MeteCase):
    def test_tiers_and_options(self):
        for words, code, says in (
                (("--slow", "hbm"), 2, ("hbm", "numa:N", "file:PATH")),
                (("--slow", "throttled:0,1"), 2, ("throttled:0,1",)),
                (("--slow", "numa:700"), 1, ("numa:700", "no such node")),
                (("--slow", "file:/no/such/folder/pool"), 1, ("/no/such/folder",)),
                (("--slow", "dax:/dev/null"), 1, ("not a dax device",)),
                (("--repeats", "0"), 2, ("--repeats",)),
                (("--threads", "-1"), 2, ("--threads",)),
                (("--batch", "0"), 2, ("batch",))):
            with self.subTest(words=words):
                self.refused("profile", "zoo:mlp", "-o", "x.db", *words, code=code, says=says)

    def test_graphs_that_are_none(self):
        self.refused("profile", "zoo:resnet51", says=("resnet50",))
        self.refused("profile", "no_such_file", says=("no_such_file",))

    def test_files_that_are_no_profiles(self):
        with open(self.path("text.db"), "w", encoding="utf-8") as file:
            file.write("not a database at all, by any means" * 30)
        self.refused("profile", "zoo:mlp", "-o", "text.db", says=("text.db",))
        with sqlite3.connect(self.path("other.db")) as other:
            other.execute("CREATE TABLE mine (x)")
        self.refused("profile", "zoo:mlp", "-o", "other.db", says=("other.db", "no profile"))
        self.refused("profile", "zoo:mlp", "-o", "no/such/folder/x.db", code=1, says=("no/such/folder/x.db",))
        if os.geteuid() != 0:
            os.mkdir(self.path("locked"), 0o500)
            self.refused("profile", "zoo:mlp", "-o", "locked/x.db", code=1, says=("locked/x.db",))


class Interrupted(mete_cli.MeteCase):
    def stored(self):
        try:
            with sqlite3.connect(f"file:{self.path('x.db')}?mode=ro", uri=True) as store:
                return store.execute("SELECT count(*) FROM kernel").fetchone()[0]
        except sqlite3.Error:
            return 0

    def test_nothing_measured_is_lost(self):
        child = self.start("profile", "zoo:mlp", "--batch", "1", "--repeats", "3", "-o", "x.db")
        deadline = time.monotonic() + 200
        while self.stored() < 1 and time.monotonic() < deadline and child.poll() is None:
            time.sleep(0.05)
        if child.poll() is not None:
            self.skipTest("this machine is too fast to interrupt it")
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=200)
        if child.returncode == 0:
            self.skipTest("it was done before the signal came")
        self.assertEqual(child.returncode, 1, err)
        self.assertIn("interrupted; ", err)
        self.assertIn("run the same command again", err)
        said = re.search(r"of \d+ kernels (\d+) are measured and (\d+) begun, all kept in x\.db", err)
        self.assertIsNotNone(said, err)
        kept = self.stored()
        self.assertGreaterEqual(kept, 1)
        self.assertEqual(int(said[1]) + int(said[2]), kept)


if __name__ == "__main__":
    mete_cli.main()
