#!/usr/bin/env python3
"""mete export and mete top from the outside: export_test.py METE [FAKE_NVML]. SPDX-License-Identifier: BSD-3-Clause"""
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
METE = sys.argv.pop(1) if len(sys.argv) > 1 else str(ROOT / "build/release/bin/mete")
FAKE_NVML = sys.argv.pop(1) if len(sys.argv) > 1 else ""
SAMPLE = re.compile(r"^([a-z_][a-z0-9_]*)(?:\{([^}]*)\})? (\S+)$")


def mete(*words, **options):
    return subprocess.run([METE, *map(str, words)], capture_output=True, text=True, timeout=60, **options)


def samples(text):
    """{(name, labels): value}, by rules of the format, not by mete's code."""
    out = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        match = SAMPLE.match(line)
        assert match, line
        labels = frozenset(re.findall(r'([a-z_]+)="([^"]*)"', match.group(2) or ""))
        assert (match.group(1), labels) not in out, line
        out[match.group(1), labels] = float(match.group(3))
    return out


def value(found, name, **labels):
    hits = [v for (n, l), v in found.items() if n == name and set(labels.items()) <= l]
    assert len(hits) == 1, (name, labels, hits)
    return hits[0]


class Tree:
    """A machine with one package and its memory, of which only the energy counters are there."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        (self.folder / "proc").mkdir()
        for zone, name, joules in (("intel-rapl:0", "package-0", 5), ("intel-rapl:0:0", "dram", 7)):
            self.path(zone).mkdir(parents=True)
            (self.path(zone) / "name").write_text(name + "\n")
            (self.path(zone) / "max_energy_range_uj").write_text("262143328850\n")
            self.count(zone, joules)

    def path(self, zone):
        return self.folder / "sys/class/powercap" / zone

    def count(self, zone, joules):
        self.write(zone, f"{round(joules * 1e6):012d}\n")

    def write(self, zone, text):
        """In place and in one piece, as a reader of /sys sees it; mete keeps the file open."""
        file = os.open(self.path(zone) / "energy_uj", os.O_WRONLY | os.O_CREAT, 0o644)
        os.pwrite(file, text.encode(), 0)
        os.close(file)


class Server:
    def __init__(self, *words, **options):
        self.process = subprocess.Popen([METE, "export", "--listen", "127.0.0.1:0", *words], stderr=subprocess.PIPE,
                                        text=True, **options)
        line = self.process.stderr.readline()
        match = re.search(r"http://127\.0\.0\.1:(\d+)/metrics", line)
        assert match, line
        self.port = int(match.group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def get(self, **headers):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/metrics", headers=headers)
        with urllib.request.urlopen(request, timeout=20) as reply:
            return reply.headers["Content-Type"], reply.read().decode()

    def raw(self, data):
        """The status that these bytes are answered with; "" for none."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            try:
                connection.sendall(data)
                reply = connection.recv(4096)
            except ConnectionError:
                return ""
            return reply.split(b" ")[1].decode() if reply else ""


class World(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("METE_")}
        self.env["METE_STATE_DIR"] = folder.name


class Export(World):
    def tree(self):
        (self.folder / "root").mkdir()
        self.env["METE_SYS_ROOT"] = str(self.folder / "root")
        return Tree(self.folder / "root")

    def once(self, *words):
        done = mete("export", "--once", *words, env=self.env)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def check(self, text):
        if shutil.which("promtool") is None:
            self.skipTest("no promtool here (Debian: package prometheus)")
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_this_machine_satisfies_promtool(self):
        text = self.once("--each-cpu")
        found = samples(text)
        self.assertEqual(value(found, "mete_memory_total_bytes"), os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
        self.check(text)

    def test_energy_counters_satisfy_promtool(self):
        self.tree()
        text = self.once()
        found = samples(text)
        self.assertEqual(value(found, "mete_cpu_joules_total", package="0", zone="package", source="counter"), 5)
        self.assertEqual(value(found, "mete_dram_joules_total", zone="dram"), 7)
        self.check(text)

    def test_gpus_satisfy_promtool(self):
        if not FAKE_NVML:
            self.skipTest("no fake NVML was given")
        self.env["METE_NVML_LIBRARY"] = FAKE_NVML
        text = self.once()
        found = samples(text)
        self.assertEqual(value(found, "mete_gpu_watts", gpu="0"), 100)
        self.assertEqual(value(found, "mete_gpu_watts", gpu="1"), 150)
        self.assertNotIn("integrated_joules", text)  # of half a second: a counter that starts anew each time
        self.check(text)

    def test_processes_are_few_named_and_satisfy_promtool(self):
        self.assertNotIn("mete_process_", self.once())
        program = self.folder / "odd.py"
        program.write_text("import ctypes\nctypes.CDLL(None).prctl(15, b'odd \"n\\\\', 0, 0, 0)\nwhile True: pass\n")
        spin = subprocess.Popen([sys.executable, program])
        self.addCleanup(spin.wait)
        self.addCleanup(spin.kill)
        time.sleep(0.3)
        text = self.once("--processes", "500")
        for line in text.splitlines():
            if line.startswith("mete_process_cpu_seconds_total") and f'pid="{spin.pid}"' in line:
                self.assertIn('name="odd \\"n\\\\"', line)
                self.assertGreater(float(line.rsplit(" ", 1)[1]), 0)
                break
        else:
            self.fail(text)
        self.check(text)
        few = self.once("--processes", "2")
        pids = set(re.findall(r'mete_process_resident_bytes\{pid="(\d+)"', few))
        self.assertTrue(1 <= len(pids) <= 2, few)
        done = mete("export", "--once", "--processes", "1001", env=self.env)
        self.assertEqual(done.returncode, 2, done.stderr)

    def test_processes_share_the_energy_of_a_machine(self):
        self.tree()
        root = self.folder / "root"

        def put(path, text):
            """In place and in one piece: a file that is empty for a moment is a process that has ended."""
            path.parent.mkdir(exist_ok=True)
            file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
            os.pwrite(file, text.encode(), 0)
            os.close(file)

        def ticks(pid, name, parent, count):
            put(root / f"proc/{pid}/stat", f"{pid} ({name}) R {parent} 1 1 0 -1 0 0 0 0 0 {count:08d} 0 0 0 20 0 1 0 5 0 300 "
                + "0 " * 28 + "\n")
            put(root / f"proc/{pid}/cgroup", "0::/docker.slice/c1\n" if pid == 20 else "0::/\n")

        def machine(busy, idle):
            put(root / "proc/stat", "".join(f"{cpu} {busy:08d} 0 0 {idle:08d} 0 0 0 0 0 0\n" for cpu in ("cpu ", "cpu0")))
        tree = Tree.__new__(Tree)
        tree.folder = root
        (root / "proc/loadavg").write_text("0.1 0.1 0.1 1/3 20\n")
        for pid, name, parent in ((1, "init", 0), (10, "works", 1), (20, "in a box", 1)):
            ticks(pid, name, parent, 0)
        machine(1, 1)
        with Server("--period", "100ms", "--processes", "10", env=self.env) as server:
            most = {}
            # Each round three quarters of the machine's time: four fifths of it for one, a fifth for the other. A look
            # that falls into the middle of a round sees half of it, so that only the sums are asked about.
            for i in range(1, 31):
                time.sleep(0.11)
                ticks(10, "works", 1, 60 * i)
                ticks(20, "in a box", 1, 15 * i)
                machine(1 + 75 * i, 1 + 25 * i)
                tree.count("intel-rapl:0", 5 + 10 * i)
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and len(most) < 2:
                for (name, labels), joules in samples(server.get()[1]).items():
                    told = dict(labels)
                    if name == "mete_process_joules_total" and told["zone"] == "package":
                        most[told["name"], told["cgroup"]] = joules
                # A process that did nothing lately is not told.
                i += 1
                ticks(10, "works", 1, 60 * i)
                ticks(20, "in a box", 1, 15 * i)
                machine(1 + 75 * i, 1 + 25 * i)
                tree.count("intel-rapl:0", 5 + 10 * i)
                time.sleep(0.05)
            self.assertEqual(set(most), {("works", "/"), ("in a box", "/docker.slice/c1")}, server.get()[1])
            self.assertLess(sum(most.values()), 7.6 * i)
            self.assertGreater(sum(most.values()), i)
            self.assertGreater(most["works", "/"], 2 * most["in a box", "/docker.slice/c1"])

    def test_once_into_a_file_and_onto_a_full_disk(self):
        out = self.folder / "mete.prom"
        self.assertEqual(self.once("-o", out), "")
        self.assertIn("mete_build_info", out.read_text())
        with open("/dev/full", "w") as full:
            done = subprocess.run([METE, "export", "--once"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (1, 1), done.stderr)

    def test_counts_grow_and_never_go_back(self):
        tree = self.tree()
        with Server("--period", "50ms", env=self.env) as server:
            def joules():
                return value(samples(server.get()[1]), "mete_cpu_joules_total")

            def wait_for(joules_wanted):
                deadline = time.monotonic() + 20
                while joules() != joules_wanted and time.monotonic() < deadline:
                    time.sleep(0.05)
                return joules()
            self.assertEqual(joules(), 5)
            tree.count("intel-rapl:0", 6.5)
            self.assertEqual(wait_for(6.5), 6.5)
            tree.write("intel-rapl:0", "garbage")
            deadline = time.monotonic() + 20
            while "mete_cpu_joules_total{" in server.get()[1] and time.monotonic() < deadline:
                time.sleep(0.05)
            text = server.get()[1]
            self.assertNotIn("mete_cpu_joules_total{", text)  # unknown is absent, not 0
            self.assertGreater(value(samples(text), "mete_reading_faults_total"), 0)
            self.assertEqual(value(samples(text), "mete_dram_joules_total"), 7)

    def test_openmetrics_where_it_is_asked_for(self):
        with Server(env=self.env) as server:
            kind, text = server.get(Accept="application/openmetrics-text; version=1.0.0,text/plain;q=0.5")
            self.assertTrue(kind.startswith("application/openmetrics-text"))
            self.assertTrue(text.endswith("# EOF\n"))
            self.assertEqual(text.count("# EOF"), 1)
            self.assertTrue(server.get()[0].startswith("text/plain; version=0.0.4"))

    def test_hostile_clients(self):
        with Server(env=self.env) as server:
            self.assertEqual(server.raw(b"GET / HTTP/1.1\r\n\r\n"), "404")
            self.assertEqual(server.raw(b"POST /metrics HTTP/1.1\r\nContent-Length: 9\r\n\r\n123456789"), "405")
            self.assertEqual(server.raw(b"\x16\x03\x01\x00\xa5\x01\x00\n\n"), "400")
            self.assertEqual(server.raw(b"GET /metrics HTTP/1.1\r\n" + b"X: " + b"y" * 9000), "431")
            self.assertIn(server.raw(b"A" * 1_000_000), ("431", ""))
            # More connections than it keeps, none of which says anything: others are still answered.
            idle = [socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(100)]
            self.assertIn("mete_build_info", server.get()[1])
            for connection in idle:
                connection.close()
            for _ in range(50):  # gone before the answer
                connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
                connection.close()
            self.assertIn("mete_build_info", server.get()[1])
            self.assertIsNone(server.process.poll())

    def test_ends_on_signals_and_gives_the_port_back(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with Server(env=self.env) as server:
                busy = mete("export", "--listen", f"127.0.0.1:{server.port}", env=self.env)
                self.assertEqual((busy.returncode, len(busy.stderr.splitlines())), (1, 1), busy.stderr)
                self.assertIn("in use", busy.stderr)
                server.get()
                server.process.send_signal(number)
                self.assertEqual(server.process.wait(timeout=20), 0)
                with socket.socket() as again:
                    again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    again.bind(("127.0.0.1", server.port))

    def test_wrong_input(self):
        for words, hint in ((["--listen", "9464"], "127.0.0.1:9464"), (["--listen", "x:1"], "numeric"),
                            (["--period", "100s"], "60s"), (["--once", "--format", "xml"], "openmetrics"),
                            (["-o", "x"], "--once"), (["--once", "--estimate", "5"], "12W:95W")):
            done = mete("export", *words, env=self.env)
            self.assertEqual((done.returncode, len(done.stderr.strip().splitlines())), (2, 1), done.stderr)
            self.assertIn(hint, done.stderr)

    def test_the_dashboard_asks_for_metrics_that_there_are(self):
        dashboard = json.loads((ROOT / "examples/grafana/mete.json").read_text())
        asked = set(re.findall(r"\bmete_[a-z_]+", json.dumps(dashboard["panels"])))
        self.assertGreater(len(asked), 5)
        page = (ROOT / "docs/formats/metrics.md").read_text()
        self.assertEqual([name for name in asked if name not in page], [])


class Top(World):
    def test_once(self):
        done = mete("top", env=self.env)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)
        self.assertNotIn("\033", done.stdout)
        frame = json.loads(mete("top", "--json", env=self.env).stdout)
        self.assertEqual({"node", "seconds", "parts", "processes"}, set(frame))

    def test_the_busiest_process_is_seen(self):
        busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            pids = [p["pid"] for p in json.loads(mete("top", "--json", env=self.env).stdout)["processes"]]
        finally:
            busy.kill()
            busy.wait()
        self.assertIn(busy.pid, pids)

    def test_gives_the_terminal_back(self):
        for end in (b"q", b"\x03", signal.SIGTERM):
            main, side = pty.openpty()
            fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            before = termios.tcgetattr(side)
            process = subprocess.Popen([METE, "top"], stdin=side, stdout=side, stderr=side, env=self.env,
                                       start_new_session=True,
                                       preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
            shown = b""
            deadline = time.monotonic() + 30
            while b"process" not in shown and time.monotonic() < deadline:
                if select.select([main], [], [], 1)[0]:
                    shown += os.read(main, 65536)
            self.assertIn(b"\033[?1049h", shown)
            process.send_signal(end) if isinstance(end, signal.Signals) else os.write(main, end)
            self.assertEqual(process.wait(timeout=20), 0)
            while select.select([main], [], [], 0.2)[0]:
                shown += os.read(main, 65536)
            self.assertTrue(shown.endswith(b"\033[?25h\033[?1049l"), shown[-60:])
            self.assertEqual(termios.tcgetattr(side), before)
            os.close(main)
            os.close(side)


if __name__ == "__main__":
    unittest.main()
