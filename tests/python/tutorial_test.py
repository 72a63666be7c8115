"""The whole of examples/python_tutorial, as its README says: `tutorial_test.py METE PACKAGE_FOLDER`.
SPDX-License-Identifier: BSD-3-Clause"""
import os
import re
import subprocess
import sys
import tempfile
import unittest

METE, FOLDER = os.path.abspath(sys.argv.pop(1)), os.path.abspath(sys.argv.pop(1))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TUTORIAL = os.path.join(ROOT, "examples", "python_tutorial")


class Tutorial(unittest.TestCase):
    def test_sweep_process_train_run(self):
        with tempfile.TemporaryDirectory(prefix="mete-tutorial-") as out:
            environment = dict(os.environ, PYTHONPATH=FOLDER, PYTHONDONTWRITEBYTECODE="1")

            def step(script, *words):
                done = subprocess.run([sys.executable, os.path.join(TUTORIAL, script), out, *words], env=environment,
                                      capture_output=True, text=True, timeout=240)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                return done.stdout

            step("sweep.py")
            self.assertEqual(len([name for name in os.listdir(out) if name.endswith(".report")]), 5 * 10)
            self.assertIn("50 runs", step("process.py"))
            off, guess = (float(word) for word in re.findall(r"([\d.]+)%", step("train.py")))
            self.assertLess(off, 0.6 * guess)
            rows = [[float(cell) for cell in re.findall(r"[-+]?[\d.]+(?=%|:)", line.replace("phi ", ""))]
                    for line in step("run.py").splitlines()[1:]]
            self.assertEqual([row[0] for row in rows], [0, 0.25, 0.5, 0.75, 1])
            # The goal is followed: the fastest costs hardly any time, and the thriftiest saves energy.
            self.assertLess(abs(rows[0][1]), 3)
            self.assertLess(rows[-1][2], -5)
            self.assertLessEqual(rows[-1][2], rows[0][2])
            # The command takes the same file.
            told = subprocess.run([METE, "run", "--board", "v100", "--agent",
                                   os.path.join(TUTORIAL, "ml_agent.py") + ":MlAgent", "--model", out + "/model.json",
                                   "--policy", "GPU_PHI=1", "--report", out + "/r", "--", "BlackScholes:5s"],
                                  capture_output=True, text=True)
            self.assertEqual(told.returncode, 0, told.stderr)
            with open(out + "/r", encoding="utf-8") as mine, open(out + "/ml_agent.phi_1.report", encoding="utf-8") as its:
                def energy(text):
                    return re.findall(r"gpu-energy \(J\): (\S+)", text)
                self.assertEqual(energy(mine.read()), energy(its.read()))


unittest.main(verbosity=1)
