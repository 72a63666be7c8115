"""What the command-line tests share: running mete, and looking at what it left.

A test is `python3 tests/cli/NAME_test.py PATH-OF-METE`; ctest calls it so. Standard library only.
SPDX-License-Identifier: BSD-3-Clause
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

METE = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "mete"


class MeteCase(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="mete-cli-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = dict(os.environ, METE_STATE_DIR=os.path.join(self.folder, "state"))

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def start(self, *words, **more):
        return subprocess.Popen([METE, *words], cwd=self.folder, env=self.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    def mete(self, *words, code=0, **more):
        """Runs to the end and checks the exit code; gives (stdout, stderr)."""
        child = self.start(*words, **more)
        out, err = child.communicate(timeout=280)
        self.assertEqual(child.returncode, code, f"mete {' '.join(words)}\n{out}\n{err}")
        return out, err

    def refused(self, *words, code=2, says=(), **more):
        """Must be refused in one line that says these things."""
        out, err = self.mete(*words, code=code, **more)
        last = [line for line in err.splitlines() if not line.startswith("note:")]
        self.assertEqual(len(last), 1, f"expected one line, got:\n{err}")
        for word in says:
            self.assertIn(word, last[0])
        return last[0]

    def text(self, *parts):
        with open(self.path(*parts), encoding="utf-8") as file:
            return file.read()

    def load(self, *parts):
        return json.loads(self.text(*parts))


def main():
    unittest.main(verbosity=1)
