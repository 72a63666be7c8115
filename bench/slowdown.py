#!/usr/bin/env python3
"""How much slower a compute-bound program runs under `mete run` at 1 kHz: slowdown.py [BUILD] [PAIRS=150]. Bar: 0.5 %.

Wall-clock times of whole runs cannot tell half a per cent on a machine that does other things too: they scatter by tens of
per cent there. So the program is held to one core and asks two things of itself and of the kernel:

1. Work per CPU second. A program counts the loops it gets done in slices of 5 ms of its own CPU time (its thread's clock:
   what other programs take is not in it; what mete's interrupts, cache misses and marks do to it is). The observed and the
   bare program take turns of 15 ms on the same core, one of them twice between two of the other: the one that waits is stopped,
   so that both see the same neighbours. Bare against bare is run in the same way: what it shows is the noise of the method, and nothing else. And bare
   against a program with 2 % more work, which must be found.
2. A bound on the rest: how much CPU time mete takes, all its threads together. With a core of its own that costs the program
   nothing; on the program's own core it costs no more than that share.

Both are printed with their spread, and what they show.
SPDX-License-Identifier: BSD-3-Clause
"""
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time

BAR = 0.005
SLICE = 0.005  # s of CPU time
LOOP = 2000
LINE = 16  # bytes of a rate
PLANTED = 0.02  # a program made slower by so much on purpose: what the method must find
WORKER = """
import sys, time
clock, slice_ = time.thread_time, float(sys.argv[1])
out = open(sys.argv[2], "w", buffering=1)
def loop():
    return sum(i * i for i in range(int(sys.argv[3])))
loop()
while True:
    n, start = 0, clock()
    while clock() - start < slice_:
        loop()
        n += 1
    out.write(f"{n / (clock() - start):15.6f}\\n")
"""


class Program:
    """The worker, alone or below mete; stopped unless it is its turn."""

    def __init__(self, folder, name, core, mete=None, size=LOOP):
        self.path = os.path.join(folder, name)
        open(self.path, "w", encoding="ascii").close()
        worker = ["taskset", "-c", str(core), sys.executable, "-c", WORKER, str(SLICE), self.path,
                  str(size)]
        self.mete = mete is not None
        observed = [mete, "run", "-q", "--period", "1ms", "--record", os.path.join(folder, "rec-" + name),
                    "--report", self.path + ".report", "--"]
        self.process = subprocess.Popen((observed if mete else []) + worker, stderr=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL)
        self.worker = self.find_worker()
        self.wait_for(3)
        os.kill(self.worker, signal.SIGSTOP)

    def find_worker(self):
        if not self.mete:
            return self.process.pid
        for _ in range(500):
            try:
                with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
                    children = file.read().split()
            except OSError:
                children = []
            if children:
                return int(children[0])
            time.sleep(0.01)
        sys.exit("slowdown.py: mete did not start the program")

    def count(self):
        return os.path.getsize(self.path) // LINE

    def wait_for(self, more):
        wanted = self.count() + more
        end = time.monotonic() + 60
        while self.count() < wanted:
            if time.monotonic() > end or self.process.poll() is not None:
                sys.exit("slowdown.py: the program did not get on")
            time.sleep(0.002)

    def turn(self, slices):
        """Loops per CPU second in each of the slices; the first is thrown away, it began before the stop."""
        before = self.count()
        os.kill(self.worker, signal.SIGCONT)
        self.wait_for(slices + 1)
        os.kill(self.worker, signal.SIGSTOP)
        with open(self.path, encoding="ascii") as file:
            file.seek((before + 1) * LINE)
            return [float(file.read(LINE)) for _ in range(slices)]

    def cpu_seconds(self):
        """Of mete alone, all threads."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        os.kill(self.worker, signal.SIGCONT)
        os.kill(self.worker, signal.SIGKILL)
        self.process.wait(30)


def changes(a, b, pairs):
    """By how much the rate of b is below that of a, pair by pair: a b b a, or b a a b, so that a drift cancels."""
    out = []
    for pair in range(pairs):
        first, second = (a, b) if random.Random(pair).random() < 0.5 else (b, a)
        got = {first: [], second: []}
        for program in (first, second, second, first):
            got[program] += program.turn(3)
        out.append(1 - statistics.fmean(got[b]) / statistics.fmean(got[a]))
    return out


def interval(values):
    """The median, and where it lies with 95 % (order statistics: no assumption about the shape of the noise)."""
    ordered = sorted(values)
    n = len(ordered)
    low = max(0, int(n / 2 - 0.98 * n ** 0.5))
    return statistics.median(ordered), ordered[low], ordered[n - 1 - low]


def told(what, values):
    middle, low, high = interval(values)
    print(f"{what}: median {middle:+.3%}, 95 % of it within {low:+.3%} .. {high:+.3%}; single pairs "
          f"{min(values):+.2%} .. {max(values):+.2%}")
    return middle, low, high


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build/release"
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 150
    mete = os.path.abspath(f"{build}/bin/mete")
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("slowdown.py: needs two cores, one for the program and one for mete")
    core = cores[-1]
    others = set(cores[:-1])
    print(f"{pairs} pairs of 2 x 2 turns of 3 x {SLICE * 1e3:.0f} ms of CPU time; the program on core {core}, mete on "
          f"{','.join(map(str, sorted(others)))}; load average {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        os.sched_setaffinity(0, others)  # inherited by mete; the program moves itself
        bare, twin = Program(folder, "bare", core), Program(folder, "twin", core)
        heavier = Program(folder, "heavier", core, size=round(LOOP * (1 + PLANTED)))
        observed = Program(folder, "observed", core, mete)
        try:
            told(f"bare against {PLANTED:.0%} more work (must be found)", changes(bare, heavier, pairs))
            noise = told("bare against bare (the method's noise)", changes(bare, twin, pairs))
            start, used = time.monotonic(), observed.cpu_seconds()
            slow = told("observed against bare: work per CPU second", changes(bare, observed, pairs))
            share = (observed.cpu_seconds() - used) / (time.monotonic() - start)
        finally:
            for program in (bare, twin, heavier, observed):
                program.end()
    print(f"mete's own CPU time at 1 kHz: {share:.2%} of one core, all threads; that is the most a program would lose to "
          "it if both had one core alone")
    quiet = noise[2] - noise[1] <= 2 * BAR
    verdict = "broken" if slow[1] > BAR and quiet else "shown" if slow[2] <= BAR and quiet else "not shown"
    print(f"slow-down at 1 kHz: {slow[0]:.3%}, at most {slow[2]:.3%} with 97.5 %; bar {BAR:.1%}: {verdict}"
          + ("" if quiet else ": the method's own noise here is wider than twice the bar; try a quieter machine"))
    print(json.dumps({"slow_down": slow[0], "low": slow[1], "high": slow[2], "noise_low": noise[1], "noise_high": noise[2],
                      "mete_share_of_a_core": share, "pairs": pairs, "load_average": os.getloadavg()[0]}))


if __name__ == "__main__":
    main()
