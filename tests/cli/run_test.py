#!/usr/bin/python3
"""mete run from the outside: every way out of a run, and its files as GEOPM's own Python readers
would take them (rules of geopmpy/io.py, written down here in our words).

Run by ctest as: run_test.py PATH-OF-METE
"""
# SPDX-License-Identifier: BSD-3-Clause
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import yaml

METE = ""
LONG = 60  # seconds; a test that gets there has failed
CPUFREQ = "sys/devices/system/cpu/cpufreq/policy0/"


def wait_for(condition, what):
    end = time.monotonic() + LONG
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.01)


def runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return ") Z " not in stat.read()
    except FileNotFoundError:
        return False


def default_signals():
    """A background job of a script ignores SIGINT, and children inherit that."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)


class Reader(yaml.SafeLoader):
    """PyYAML as geopmpy's RawReport sets it up: exponents without a point are numbers too."""


Reader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?$|^[-+]?\.(inf|nan)$"),
    list("-+0123456789."))


def read_report(path):
    """What geopmpy needs of a report: five header keys, hosts, three sections, scalars only."""
    with open(path) as file:
        text = file.read()
    report = yaml.safe_load(text)
    lenient = yaml.load(text, Reader)
    # Numbers are numbers to both, or GEOPM's scripts and the tutorial's would disagree.
    assert repr(report) == repr(lenient), "the two loaders differ"
    for key in ("GEOPM Version", "Start Time", "Profile", "Agent", "Policy"):
        assert key in report, key
    for value in report["Policy"].values():
        float(value)  # one level of numbers or "NAN"
    for host in report["Hosts"].values():
        # RawReportCollection concatenates these tables and fails on empty lists.
        for section in ("Unmarked Totals", "Epoch Totals", "Application Totals"):
            assert host[section], section
            for key, value in host[section].items():
                assert isinstance(value, (int, float)), (key, value)
    return report


def totals(report):
    return next(iter(report["Hosts"].values()))["Application Totals"]


def read_trace(path):
    """Leading '#' lines are one YAML document; then a header line; then rows."""
    with open(path) as file:
        lines = file.read().split("\n")
    assert lines.pop() == "", "the last line has no end"
    comments = 0
    while lines[comments].startswith("#"):
        comments += 1
    header = yaml.safe_load("\n".join(line[1:] for line in lines[:comments]))
    for key in ("geopm_version", "start_time", "profile_name", "agent", "node_name"):
        assert isinstance(header[key], str), (key, header[key])
    columns = lines[comments].split("|")
    rows = [[float(cell) for cell in line.split("|")] for line in lines[comments + 1:]]
    for row in rows:
        assert len(row) == len(columns), row
    return header, columns, rows


class RunTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="mete-run-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = dict(os.environ, METE_STATE_DIR=self.path("state"))
        self.environment.pop("METE_SYS_ROOT", None)

    def path(self, name):
        return os.path.join(self.folder, name)

    def text(self, name):
        with open(self.path(name)) as file:
            return file.read()

    def start(self, *words):
        return subprocess.Popen([METE, "run", *words], env=self.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                preexec_fn=default_signals)

    def mete(self, *words, code=0):
        process = self.start(*words)
        self.out, self.err = process.communicate(timeout=LONG)
        self.assertEqual(process.returncode, code, self.err)
        return self.err

    def fake_machine(self):
        """Two CPUs with one clock that may be set, 0.8 to 3.5 GHz."""
        root = self.path("machine")
        files = {
            CPUFREQ + "affected_cpus": "0 1", CPUFREQ + "related_cpus": "0 1",
            CPUFREQ + "cpuinfo_min_freq": "800000", CPUFREQ + "cpuinfo_max_freq": "3500000",
            CPUFREQ + "scaling_min_freq": "800000", CPUFREQ + "scaling_max_freq": "3500000",
            CPUFREQ + "scaling_cur_freq": "2100000",
            "sys/devices/system/cpu/online": "0-1",
            "proc/stat": "cpu 10 0 10 100 0 0 0 0 0 0\ncpu0 5 0 5 50 0 0 0 0 0 0\n"
                         "cpu1 5 0 5 50 0 0 0 0 0 0",
        }
        for cpu in (0, 1):
            folder = f"sys/devices/system/cpu/cpu{cpu}/topology/"
            files[folder + "physical_package_id"] = "0"
            files[folder + "core_id"] = str(cpu)
            files[folder + "thread_siblings_list"] = str(cpu)
        for name, text in files.items():
            full = os.path.join(root, name)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w") as file:
                file.write(text + "\n")
        self.environment["METE_SYS_ROOT"] = root

    def clock(self):
        """In kHz; 0 while it is being written: a file, unlike sysfs, is empty for a moment."""
        return int(self.text("machine/" + CPUFREQ + "scaling_max_freq").strip() or 0)

    # Ways out ----------------------------------------------------------------------------------

    def test_exit_codes_are_the_childs(self):
        self.mete("--", "true")
        self.mete("--", "sh", "-c", "exit 37", code=37)
        self.mete("--", "sh", "-c", "kill -KILL $$", code=137)

    def test_words_and_streams_are_the_childs(self):
        self.mete("-q", "--", "printf", "%s|", "a b", "", "[x,y]", "{}", "-n", "--", "--json")
        self.assertEqual(self.out, "a b||[x,y]|{}|-n|--|--json|")
        self.assertEqual(self.err, "")

    def test_wrong_input_is_one_line_and_2(self):
        for words, says in [
                ([], "nothing to run"),
                (["--", "no-such-command-anywhere"], "not found in PATH"),
                (["--", self.folder], "is a folder"),
                (["--signals", "CPU_UTILISATION", "--", "true"], "CPU_UTILIZATION"),
                (["--signals", "TIME@cpuu", "--", "true"], "cpu"),
                (["--set", "NO_SUCH_CONTROL=1", "--", "true"], "no control"),
                (["--set", "NO_VALUE", "--", "true"], "expected CONTROL=VALUE"),
                (["--period", "soon", "--", "true"], "soon"),
                (["--period", "0", "--", "true"], "period"),
                (["--agent", "monitr", "--", "true"], "monitor"),
                (["--report", "/no/such/folder/r", "--", "touch", self.path("ran")], "/no/such"),
                (["--trace", self.folder, "--", "touch", self.path("ran")], "is a folder"),
                (["--append-trace", "--", "true"], "--trace"),
                (["--no-such-option", "--", "true"], "--no-such-option")]:
            with self.subTest(words=words):
                error = self.mete(*words, code=2)
                self.assertIn(says, error)
                self.assertEqual(error.count("\n"), 1, error)
        self.assertFalse(os.path.exists(self.path("ran")), "it ran all the same")

    def test_signals_end_the_whole_tree_and_files_are_written(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number=number):
                daemon, child = self.path(f"daemon{number}"), self.path(f"child{number}")
                script = (f"(setsid sh -c 'echo $$ > {daemon}; exec sleep 300' &); "
                          f"echo $$ > {child}; exec sleep 300")
                process = self.start("-r", self.path("r"), "-t", self.path("t"), "--",
                                     "sh", "-c", script)
                wait_for(lambda: all(os.path.exists(p) and self.text(os.path.basename(p))
                                     for p in (daemon, child)), "the tree")
                process.send_signal(number)
                _, error = process.communicate(timeout=LONG)
                self.assertEqual(process.returncode, 128 + number, error)
                for path in (daemon, child):
                    self.assertFalse(runs(int(self.text(os.path.basename(path)))))
                self.assertIn("runtime (s)", totals(read_report(self.path("r"))))
                self.assertGreaterEqual(len(read_trace(self.path("t"))[2]), 2)

    def test_deaf_child_is_killed_after_the_grace(self):
        ready = self.path("ready")
        process = self.start("--grace", "0.2s", "--", "sh", "-c",
                             f"trap '' INT TERM; touch {ready}; while :; do sleep 0.05; done")
        wait_for(lambda: os.path.exists(ready), "the child")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=LONG)
        self.assertEqual(process.returncode, 128 + signal.SIGKILL)

    def test_other_signals_are_passed_on(self):
        ready = self.path("ready")
        process = self.start("--", "sh", "-c", f"trap 'exit 42' USR1; touch {ready}; "
                             "while :; do sleep 0.05; done")
        wait_for(lambda: os.path.exists(ready), "the child")
        process.send_signal(signal.SIGUSR1)
        process.communicate(timeout=LONG)
        self.assertEqual(process.returncode, 42)

    def test_ctrl_c_on_a_terminal(self):
        """The terminal tells the whole foreground group; the child must hear it once."""
        import pty
        heard, ready = self.path("heard"), self.path("ready")
        script = (f"trap 'echo x >> {heard}' INT; touch {ready}; "
                  f"while ! test -s {heard}; do sleep 0.05; done; sleep 0.5; exit 5")
        pid, terminal = pty.fork()
        if pid == 0:
            default_signals()
            os.execve(METE, [METE, "run", "-q", "--", "sh", "-c", script], self.environment)
        wait_for(lambda: os.path.exists(ready), "the child")
        os.write(terminal, b"\x03")
        wait_for(lambda: os.path.exists(heard), "SIGINT")
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(status), 5)
        self.assertEqual(self.text("heard"), "x\n")

    # Controls ----------------------------------------------------------------------------------

    def test_controls_are_set_for_the_run_and_given_back(self):
        self.fake_machine()
        seen = self.path("seen")
        scaling = os.path.join(self.environment["METE_SYS_ROOT"], CPUFREQ, "scaling_max_freq")
        for option in ("--set", "--initialize-control"):
            for name in ("CPU_FREQUENCY_MAX_CONTROL", "CPU_FREQUENCY_CONTROL"):
                self.mete(option, name + "=1.2GHz", "-r", self.path("r"), "--", "sh", "-c",
                          f"cat {scaling} > {seen}; exit 3", code=3)
                self.assertEqual(int(self.text("seen")), 1200000)
                self.assertEqual(self.clock(), 3500000)
        self.assertIn(1.2e9, read_report(self.path("r"))["mete Initial Controls"].values())
        self.mete("--set", "CPU_FREQUENCY_MAX_CONTROL=1.2GHz", "--", "no-such-command", code=2)
        self.assertEqual(self.clock(), 3500000)
        self.mete("--set", "CPU_FREQUENCY_MAX_CONTROL=9GHz", "--", "true", code=2)
        self.assertEqual(self.clock(), 3500000)

    def test_controls_come_back_on_signals_and_after_sigkill(self):
        self.fake_machine()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number=number):
                process = self.start("--set", "CPU_FREQUENCY_MAX_CONTROL=1GHz", "-p", "10ms",
                                     "-t", self.path("t"), "--", "sleep", "300")
                wait_for(lambda: self.clock() == 1000000, "the setting")
                wait_for(lambda: os.path.exists(self.path("t"))
                         and self.text("t").count("\n") > 100, "rows")
                with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
                    child = int(file.read().split()[0])
                process.send_signal(number)
                process.wait(timeout=LONG)
                if number == signal.SIGKILL:
                    # Left changed; the job itself goes on, and the next start puts it right.
                    self.assertEqual(self.clock(), 1000000)
                    self.assertTrue(runs(child))
                    os.kill(child, signal.SIGKILL)
                    self.assertIn("gave back", self.mete("--", "true"))
                process.communicate(timeout=LONG)
                self.assertEqual(self.clock(), 3500000)
                self.assertFalse(runs(child) and number != signal.SIGKILL)
                # Whole rows up to the last flush, whatever ended the run.
                self.assertGreater(len(read_trace(self.path("t"))[2]), 50)
                os.unlink(self.path("t"))

    # Files -------------------------------------------------------------------------------------

    def test_files_open_as_geopms_readers_open_them(self):
        profile = 'a: b "#1" \\ café'
        self.mete("-r", self.path("r"), "-t", self.path("t"), "-p", "0.02", "--profile", profile,
                  "--signal-list", "CPU_UTILIZATION@cpu", "--", "sleep", "0.2")
        report = read_report(self.path("r"))
        header, columns, rows = read_trace(self.path("t"))
        self.assertEqual(report["Profile"], profile)
        self.assertEqual(header["profile_name"], profile)
        self.assertEqual(report["Agent"], "monitor")
        app = totals(report)
        self.assertGreater(app["runtime (s)"], 0.19)
        self.assertIn("CPU_UTILIZATION@cpu-0", app)
        self.assertIn("CPU_UTILIZATION-cpu-0", columns)
        self.assertNotIn("package-energy (J)", app if "CPU_ENERGY" not in columns else {})
        times = [row[columns.index("TIME")] for row in rows]
        self.assertEqual(times, sorted(times))
        self.assertAlmostEqual(times[-1] - times[0], app["sync-runtime (s)"], 9)
        for key in ("mete loop period mean (s)", "mete loop period p99 (s)",
                    "mete loop period worst (s)", "mete loop overruns",
                    "mete loop share of a core"):
            self.assertIn(key, app)

    def test_trace_is_appended_under_one_header(self):
        trace = self.path("t")
        for _ in range(2):
            self.mete("-t", trace, "--append-trace", "--", "true")
        _, columns, rows = read_trace(trace)
        self.assertEqual(len(rows), 4)
        error = self.mete("-t", trace, "--append-trace", "--signals", "CPU_UTILIZATION@cpu", "--",
                          "true", code=2)
        self.assertIn("cannot append", error)
        self.assertEqual(len(read_trace(trace)[2]), 4)

    def test_report_figures_follow_from_the_trace(self):
        """On a board: totals worked out again from the rows, by the documented rules."""
        self.mete("--board", "v100", "--gpus", "2", "--set",
                  "GPU_CORE_FREQUENCY_MAX_CONTROL@gpu-1=945MHz", "-r", self.path("r"),
                  "-t", self.path("t"), "--", "vectorAdd")
        report = read_report(self.path("r"))
        self.assertTrue(report["mete Replayed"])
        app = totals(report)
        header, columns, rows = read_trace(self.path("t"))
        self.assertTrue(header["mete_replayed"])
        at = columns.index
        seconds = [b[at("TIME")] - a[at("TIME")] for a, b in zip(rows, rows[1:])]
        energy = 0
        for gpu in (0, 1):
            column = at(f"GPU_ENERGY-gpu-{gpu}")
            energy += rows[-1][column] - rows[0][column]
            column = at(f"GPU_POWER-gpu-{gpu}")
            mean = sum(r[column] * s for r, s in zip(rows[1:], seconds)) / sum(seconds)
            self.assertAlmostEqual(app[f"GPU_POWER@gpu-{gpu}"], mean, 6)
        self.assertAlmostEqual(app["gpu-energy (J)"], energy, 6)
        self.assertGreater(app["GPU_CORE_FREQUENCY_STATUS@gpu-0"],
                           app["GPU_CORE_FREQUENCY_STATUS@gpu-1"])

    def test_a_wrong_period_is_said_with_its_option(self):
        for words in (("--grace", "-1"), ("--record", self.path("rec"), "--process-period", "0"),
                      ("--record", self.path("rec"), "--memory-period", "nan")):
            self.assertIn(f"{words[-2]}: period '{words[-1]}'", self.mete(*words, "--", "true", code=2))

    def test_full_disk_ends_the_trace_but_not_the_run(self):
        done = self.path("done")
        error = self.mete("-t", "/dev/full", "-r", self.path("r"), "--", "touch", done, code=1)
        self.assertIn("No space left", error)
        self.assertIn("not complete", error.splitlines()[-1], "a file that was not written is not listed as if it were")
        self.assertTrue(os.path.exists(done))
        read_report(self.path("r"))

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("mount"), "needs root for a small disk")
    def test_small_disk_keeps_whole_rows(self):
        disk = self.path("disk")
        os.mkdir(disk)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk],
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("mount is not allowed here")
        self.addCleanup(subprocess.run, ["umount", disk])
        error = self.mete("--board", "v100", "-p", "1ms", "-t", disk + "/t", "-r", disk + "/r",
                          "--", "vectorAdd", code=1)
        self.assertIn("No space left", error)
        self.assertGreater(len(read_trace(disk + "/t")[2]), 100)
        self.assertEqual(os.listdir(disk), ["t"], "a part of the report is left")

    def test_json(self):
        self.mete("--json", "--", "sh", "-c", "echo from the child; exit 4", code=4)
        lines = self.out.splitlines()
        self.assertEqual(lines[0], "from the child")
        result = json.loads(lines[-1])
        self.assertEqual(result["exit_code"], 4)
        self.assertGreater(result["seconds"], 0)
        self.assertIn("TIME", result["totals"])
        self.assertFalse(math.isnan(result["loop"]["cpu_share"]))


if __name__ == "__main__":
    METE = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=1)
