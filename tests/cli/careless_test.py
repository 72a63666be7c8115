#!/usr/bin/env python3
"""What careless users type, whatever the verb. careless_test.py METE. SPDX-License-Identifier: BSD-3-Clause"""
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


if __name__ == "__main__":
    mete_cli.main()
