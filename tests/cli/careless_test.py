#!/usr/bin/env python3
"""What careless users type, whatever the verb. careless_test.py METE. SPDX-License-Identifier: BSD-3-Clause"""
import json
import os
import subprocess

import mete_cli

# A verb up to one of its whole numbers, and the range that the refusal must tell.
COUNTS = (
    (("plan", "none.json", "--ratio", "4:1", "--seed"), "0 to 9223372036854775807"),
    (("train", "none.h5", "-o", "m.pt", "--epochs"), "1 to 1000000"),
    (("train", "none.h5", "-o", "m.pt", "--hidden"), "1 to 4096"),
    (("model", "describe", "zoo:mlp", "--batch"), "1 to 1000000000"),
    (("profile", "zoo:mlp", "--top"), "0 to 1000000"),
    (("exec", "none.json", "--graph", "zoo:mlp", "--steps"), "2 to 100000"),
    (("fit", "zoo:mlp", "--ratio", "4:1", "--threads"), "0 to 4096"),
    (("run", "--board", "v100", "--gpus"), "1 to 1024"),
    (("sweep", "--board", "v100", "--out", "o", "--reference-every"), "0 to 100000"),
    (("tune", "--board", "v100", "--epochs"), "1 to 1000000"),
    (("evaluate", "v100", "--train", "all", "--test", "all", "--repeats"), "1 to 1000"),
    (("process", "none", "-o", "x.h5", "--jobs"), "0 to 1024"),
    (("bench", "gemm", "--trials"), "1 to 100000"),
    (("export", "--once", "--processes"), "0 to 1000"),
)
REALS = (
    ("plan", "none.json", "--ratio", "4:1", "--effort"),
    ("train", "none.h5", "-o", "m.pt", "--learning-rate"),
    ("tune", "--board", "v100", "--phi"),
    ("bench", "gemm", "--seconds"),
    ("sweep", "--board", "v100", "--out", "o", "--pause"),
)


class Careless(mete_cli.MeteCase):
    def test_whole_numbers(self):
        for words, allowed in COUNTS:
            for typed in ("-1", "99999999999999999999", "1.5", "1e3", "0x10", "ten", ""):
                with self.subTest(words=words, typed=typed):
                    self.refused(*words, typed, says=(f"{words[-1]} {typed or repr('')}:", f"whole number from {allowed}"))

    def test_numbers(self):
        for words in REALS:
            for typed in ("ten", "nan", "inf", "1e999", "1,5", ""):
                with self.subTest(words=words, typed=typed):
                    self.refused(*words, typed, says=(f"{words[-1]} {typed or repr('')}:", "expected a number"))

    def test_ten_is_ten(self):
        """Where a leading zero is not octal and a plus is allowed."""
        for typed in ("010", "+10", " 10"):
            out, _ = self.mete("model", "describe", "zoo:mlp", "--batch", typed)
            self.assertIn("batch 10", out)

    def test_bytes_that_are_no_text(self):
        name = b"a\xff\x1b[31mb\xe2\x82"
        program = os.path.join(self.folder.encode(), name)
        with open(program, "wb") as file:
            file.write(b"#!/bin/sh\ntrue\n")
        os.chmod(program, 0o755)
        done = subprocess.run([mete_cli.METE, "run", "--json", "--page", "p.html", "--record", "rec", "--profile", name,
                               "--", b"./" + name], cwd=self.folder, env=self.environment, capture_output=True, check=True)
        self.assertIn("\ufffd", json.dumps(json.loads(done.stdout.decode("utf-8")), ensure_ascii=False))
        self.assertNotIn(b"\x1b", done.stderr)
        for file in ("p.html", "rec/recording.ndjson", "rec/power_metrics.json"):
            with open(self.path(file), encoding="utf-8", errors="strict") as text:
                text.read()

    def test_binary_files_command_no_terminal(self):
        with open(self.path("program"), "wb") as file:
            file.write(b"\x1b]0;title\x07\x1b[2J\x00\xff kernel\n" * 3)
        for words in (("run", "--board", "v100", "--", "program"), ("exec", "program", "--graph", "zoo:mlp"),
                      ("run", "--board", "v100", "--agent", "\x1b[2J", "--", "vectorAdd"), ("\x1b[2J",),
                      ("plan", "--ratio", "\x1b[2J", "zoo:mlp"), ("list", "\x1b[2J")):
            with self.subTest(words=words):
                line = self.refused(*words)
                self.assertTrue(line.isprintable(), repr(line))

    def test_nothing_is_left_of_what_failed(self):
        os.mkdir(self.path("old"))
        for words in (("fit", "zoo:restnet50", "--ratio", "4:1", "-o", "a/b"),
                      ("fit", "none.onnx", "--ratio", "4:1", "-o", "old/c"),
                      ("fit", "zoo:mlp", "--ratio", "4:1", "--slow", "numa:99", "-o", "d"),
                      ("run", "--record", "e", "--", "./none"),
                      ("bench", "memory", "--models", "mlp@2", "--slow", "file:/none/x", "-o", "f")):
            with self.subTest(words=words):
                child = self.start(*words)
                child.communicate()
                self.assertIn(child.returncode, (1, 2))
        self.assertEqual([name for name in os.listdir(self.folder) if name in "abcdef"], [])
        self.assertEqual(os.listdir(self.path("old")), [])

    def test_inputs_are_not_overwritten(self):
        with open(self.path("t.csv"), "w", encoding="utf-8") as file:
            file.write("a,b\n1,2\n")
        os.symlink("t.csv", self.path("link.csv"))
        for words in (("view", "t.csv", "-o", "t.csv"), ("view", "t.csv", "-o", "link.csv"),
                      ("plan", "t.csv", "--ratio", "4:1", "--page", "t.csv"), ("train", "t.csv", "-o", "./t.csv"),
                      ("study", "export", "t.csv", "--csv", "t.csv"), ("run", "--report", "t.csv", "--", "./t.csv"),
                      ("run", "--report", "new", "--trace", "new", "--", "true")):
            with self.subTest(words=words):
                self.refused(*words, says=("choose",))
                self.assertEqual(self.text("t.csv"), "a,b\n1,2\n")
        self.mete("run", "--report", "/dev/null", "--trace", "/dev/null", "--", "true")

    def test_files_from_windows(self):
        """A byte-order mark and CR LF."""
        with open(self.path("program"), "wb") as file:
            file.write(b"\xef\xbb\xbfkernel vectorAdd 1\r\n")
        self.mete("run", "--board", "v100", "--", "program")
        boards = os.path.join(os.path.dirname(__file__), "..", "..", "boards")
        with open(os.path.join(boards, "v100.csv"), "rb") as board, open(self.path("mine.csv"), "wb") as file:
            file.write(b"\xef\xbb\xbf" + board.read().replace(b"\n", b"\r\n"))
        self.mete("run", "--board", "mine.csv", "--", "vectorAdd")
        with open(self.path("t.csv"), "wb") as file:
            file.write(b"\xef\xbb\xbfa,b\r\n1,2\r\n")
        self.mete("view", "t.csv", "-o", "t.html")
        self.assertNotIn("\ufeff", self.text("t.html"))

    def test_a_value_is_missing(self):
        self.refused("plan", "zoo:mlp", "--ratio", says=("--ratio: a value is missing",))
        with open(self.path("empty"), "w", encoding="utf-8"):
            pass
        self.refused("plan", "empty", "--ratio", "4:1", says=("empty: not JSON: line 1: it is empty",))


if __name__ == "__main__":
    mete_cli.main()
