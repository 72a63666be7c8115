"""mete.study and the example notebook: `study_test.py METE PACKAGE_FOLDER`, with Debian's python3-pandas.
SPDX-License-Identifier: BSD-3-Clause"""
import contextlib
import io
import json
import math
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import unittest

METE, FOLDER = os.path.abspath(sys.argv.pop(1)), os.path.abspath(sys.argv.pop(1))
sys.path.insert(0, FOLDER)
import mete.study  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.path.join(ROOT, "..", "shared")
ARCHIVE = os.path.join(SHARED, "data", "jetson-agx-square.tar.gz")
NOTEBOOK = os.path.join(ROOT, "examples", "efficiency_study", "efficiency.ipynb")


def cells(path):
    with open(path, encoding="utf-8") as file:
        return ["".join(cell["source"]) for cell in json.load(file)["cells"] if cell["cell_type"] == "code"]


class Study(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mete-study-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def log(self, name, powers, last):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write("".join(f"{1000 * i},{watts}\n" for i, watts in enumerate(powers)) + last)

    def test_a_folder_and_the_file_made_of_it_say_the_same(self):
        self.log("AGX-float-64-tensor-114750000.data", [20.0] * 6 + [0.0] + [20.0] * 13, "6e9")
        self.log("AGX-half-64-96-nontensor-216750000.data", [5.0] * 4, "1e9,100,2.5")
        with open(self.path("notes.txt"), "w", encoding="utf-8") as file:
            file.write("no log")
        runs = mete.study.load(self.folder)
        self.assertEqual(len(runs), 2)
        one = runs[runs["dtype"] == "float"].iloc[0]
        self.assertEqual((one["device"], one["tensor"], one["size"], one["frequency"]), ("AGX", "tensor", 64, 114750000))
        self.assertEqual(one["avg_power"], 19.0)  # every sample, the reading of 0 W too: the notebook's rule
        self.assertEqual(one["flops_per_watt"], 6e9 / 19.0)
        self.assertEqual(one["settled_power"], 20.0)
        self.assertIn("zero-reading", [oddity["kind"] for oddity in one["oddities"]])
        other = runs[runs["dtype"] == "half"].iloc[0]
        self.assertTrue(math.isnan(other["size"]))
        self.assertEqual((other["rows"], other["depth"], other["iterations"], other["seconds"]), (64, 96, 100, 2.5))
        self.assertEqual(len(runs.attrs["left_out"]), 1)
        self.assertEqual(runs.attrs["units"]["flops_per_watt"], "FLOP/J")
        samples = mete.study.samples(self.folder)
        self.assertEqual(list(samples[samples["run"] == one.name]["watts"]), [20.0] * 6 + [0.0] + [20.0] * 13)
        self.assertEqual(list(samples[samples["run"] == one.name]["time"]), list(range(20)))

        database = self.path("s.study.db")
        subprocess.run([METE, "study", "import", self.folder, "-o", database], check=True, capture_output=True)
        kept = mete.study.load(database)
        for column in ("dtype", "rows", "frequency", "flops", "avg_power", "settled_power", "trial"):
            self.assertEqual(list(kept[column]), list(runs[column]), column)

    def test_what_is_no_study_is_refused(self):
        with open(self.path("x.db"), "wb") as file:
            file.write(b"SQLite format 3\0 and then nothing")
        for path in (self.path("x.db"), self.path("absent"), self.folder):
            with self.assertRaises(mete.Error) as raised:
                mete.study.load(path)
            self.assertNotIn("\n", str(raised.exception))

    def test_without_pandas_the_error_says_what_to_install(self):
        program = ("import sys; sys.modules['pandas'] = None; sys.path.insert(0, sys.argv[1]); import mete.study\n"
                   "try: mete.study.load('x')\nexcept mete.Error as error: print(error)")
        out = subprocess.run([sys.executable, "-c", program, FOLDER], check=True, capture_output=True, text=True).stdout
        self.assertIn("apt install python3-pandas", out)

    @unittest.skipUnless(os.path.exists(ARCHIVE), "no ../shared/data")
    def test_the_notebook_prints_the_original_ratios(self):
        with tarfile.open(ARCHIVE) as archive:
            archive.extractall(self.folder)
        with open(os.path.join(SHARED, "reference", "jetson-efficiency.ipynb"), encoding="utf-8") as file:
            outputs = [output for cell in json.load(file)["cells"] for output in cell.get("outputs", [])]
        printed = {}
        for output in outputs:
            for line in "".join(output.get("text", [])).splitlines():
                if found := re.fullmatch(r"float 1377000000\.0 (\d+)\.0 ([0-9.]+)\s*", line):
                    printed[int(found[1])] = found[2]
        self.assertGreater(len(printed), 10)
        os.environ["METE_STUDY"] = self.path("jetson-agx-square")
        said = io.StringIO()
        space = {"__name__": "__main__"}
        with contextlib.redirect_stdout(said):
            for source in cells(NOTEBOOK):
                exec(compile(source, NOTEBOOK, "exec"), space)  # the notebook's own code, in its order
        ours = dict(re.findall(r"^float 1377000000 (\d+) ([0-9.]+)$", said.getvalue(), re.M))
        sizes = {int(size) for size in ours} & set(printed)
        self.assertGreaterEqual(len(sizes), 16)
        for size in sizes:
            self.assertEqual(ours[str(size)], printed[size], size)

    def test_the_notebook_without_a_study_says_so(self):
        os.environ["METE_STUDY"] = self.path("nowhere")
        with self.assertRaises(mete.Error) as raised:
            space = {"__name__": "__main__"}
            for source in cells(NOTEBOOK):
                exec(compile(source, NOTEBOOK, "exec"), space)
        self.assertIn("nowhere", str(raised.exception))


unittest.main(verbosity=1)
