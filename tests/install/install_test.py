#!/usr/bin/env python3
"""What `make install` leaves, used as its user would, with nothing of the build or source tree in reach.

`install_test.py CMAKE BUILD WITH_PYTHON`: installs BUILD into a folder of its own. SPDX-License-Identifier: BSD-3-Clause
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

CMAKE, BUILD, WITH_PYTHON = sys.argv[1], os.path.abspath(sys.argv[2]), sys.argv[3] == "ON"
del sys.argv[1:4]

PROGRAM = """
#include <mete/region.h>
#include <time.h>
int main() {
  for (int i = 0; i < 5; ++i) {
    mete::Region region("epoch");
    timespec pause{0, 10000000};
    nanosleep(&pause, nullptr);
    mete::progress();
  }
}
"""
C_PROGRAM = """
#include <mete/region.h>
int main(void) {
  uint64_t mark = mete_region_begin("step");
  mete_region_end(mark);
  mete_progress(3);
  return 0;
}
"""
PYTHON = """
import time, mete
assert mete.__file__.startswith({prefix!r}), mete.__file__
for _ in range(4):
    with mete.region("epoch"):
        time.sleep(0.01)
    mete.progress()
"""
SESSION = """
import mete
assert mete.__file__.startswith({prefix!r}), mete.__file__
assert "v100" in mete.boards(), mete.boards()
run = mete.run("vectorAdd:1s", board="v100", agent="fixed", policy={{"GPU_FREQ": 945e6}})
assert run.replayed and run["GPU_ENERGY"] > 0
assert "TIME" in mete.signals().index
print("energy", run["GPU_ENERGY"])
"""
AGENT = """
class Low:
    signals = ["GPU_POWER"]
    control = "GPU_CORE_FREQUENCY_MAX_CONTROL"
    def start(self, parts, policy):
        self.parts = parts
    def step(self, observation, policy):
        return [part.min for part in self.parts]
"""


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="mete-install-")
        cls.prefix = os.path.join(cls.folder, "prefix")
        done = subprocess.run([CMAKE, "--install", BUILD, "--prefix", cls.prefix], capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr
        cls.mete_program = os.path.join(cls.prefix, "bin", "mete")
        cls.library = next(os.path.join(root) for root, _, files in os.walk(cls.prefix) if "libmete_region.so" in files)
        packages = [root for root, folders, _ in os.walk(cls.prefix) if root.endswith("dist-packages")]
        cls.packages = packages[0] if packages else None

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    def environment(self, **more):
        keep = {name: value for name, value in os.environ.items()
                if not name.startswith(("METE_", "PYTHON", "LD_LIBRARY"))}
        return dict(keep, METE_STATE_DIR=os.path.join(self.folder, "state"), LD_LIBRARY_PATH=self.library, **more)

    def call(self, *words, code=0, **more):
        done = subprocess.run(words, cwd=self.folder, env=self.environment(**more), capture_output=True, text=True,
                              timeout=120, check=False)
        self.assertEqual(done.returncode, code, " ".join(words) + "\n" + done.stdout + done.stderr)
        return done.stdout

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def observed(self, *words, **more):
        """The regions and the epochs that the installed mete heard."""
        out = self.call(self.mete_program, "run", "--report", "r", "--json", "--", *words, **more)
        told = json.loads(out.splitlines()[-1])
        return {one["name"]: one["count"] for one in told["regions"]}, told["totals"]["EPOCH_COUNT"]["value"]

    def test_the_program_finds_what_it_needs(self):
        parts = json.loads(self.call(self.mete_program, "doctor", "--json"))["parts"]
        installed = os.path.join(self.library, "mete")
        plugins = set(os.listdir(installed))
        self.assertTrue(plugins, "no plugin was installed")
        found = {os.path.basename(part["state"]) for part in parts if part["state"].endswith(".so")}
        self.assertLessEqual(found, plugins)
        for part in parts:
            if part["state"].endswith(".so"):
                self.assertEqual(os.path.realpath(os.path.dirname(part["state"])), os.path.realpath(installed))
        self.assertIn("v100", self.call(self.mete_program, "list", "boards"))
        self.call(self.mete_program, "run", "--board", "v100", "--", "vectorAdd:1s")

    def test_programs_are_built_against_it_with_pkg_config_and_without(self):
        source = self.write("program.cc", PROGRAM)
        compiler = shutil.which("g++") or shutil.which("c++")
        flags = [f"-I{self.prefix}/include", f"-L{self.library}", "-lmete_region"]
        self.call(compiler, "-std=c++17", source, "-o", "plain", *flags)
        self.assertEqual(self.observed("./plain"), ({"epoch": 5}, 5))
        if shutil.which("pkg-config") is None:
            self.skipTest("no pkg-config here: the other half was tested")
        flags = self.call("pkg-config", "--cflags", "--libs", "mete_region",
                          PKG_CONFIG_PATH=os.path.join(self.library, "pkgconfig")).split()
        self.call(compiler, source, "-o", "by_pkg_config", *flags)
        self.assertEqual(self.observed("./by_pkg_config"), ({"epoch": 5}, 5))
        compiler_c = shutil.which("gcc") or shutil.which("cc")
        self.call(compiler_c, "-std=c99", self.write("program.c", C_PROGRAM), "-o", "in_c", *flags)
        self.assertEqual(self.observed("./in_c"), ({"step": 1}, 3))

    @unittest.skipUnless(WITH_PYTHON, "built without Python")
    def test_the_python_package(self):
        path = {"PYTHONPATH": self.packages, "PYTHONDONTWRITEBYTECODE": "1"}
        out = self.call("/usr/bin/python3", self.write("session.py", SESSION.format(prefix=self.prefix)), **path)
        self.assertIn("energy", out)
        program = self.write("loop.py", PYTHON.format(prefix=self.prefix))
        self.call("/usr/bin/python3", program, **path)  # nobody listens
        self.assertEqual(self.observed("/usr/bin/python3", program, **path), ({"epoch": 4}, 4))

    @unittest.skipUnless(WITH_PYTHON, "built without Python")
    def test_an_agent_in_python(self):
        self.write("low.py", AGENT)
        out = self.call(self.mete_program, "run", "--board", "v100", "--agent", "low.py", "--json", "--", "vectorAdd:1s")
        clock = json.loads(out.splitlines()[-1])["totals"]["GPU_CORE_FREQUENCY_STATUS@gpu-0"]["value"]
        self.assertLess(clock, 1e9)


if __name__ == "__main__":
    unittest.main(verbosity=1)
