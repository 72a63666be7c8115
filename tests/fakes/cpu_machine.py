#!/usr/bin/env python3
"""A fake machine whose clock, power and temperature follow what is set, in real time.

    build(FOLDER)                                       makes its /sys and /proc (for METE_SYS_ROOT)
    cpu_machine.py FOLDER SECONDS COMPUTE [EPOCHS [epochs|regions]]    runs a program on it: so long at the top clock

The program is the machine too: every few milliseconds it reads the clock limit in force, does as much of its work as that
clock allows, and writes counters back. The truth is two formulas, which tests evaluate for themselves:

    time of the work against the top clock    COMPUTE * f_top / f + 1 - COMPUTE
    power of the package                      idle + (busy - idle) * (f / f_top) ** 2.4

EPOCHS: how many it tells a second of work, with mete.progress(), or as regions that it marks; mete is on PYTHONPATH then.
SPDX-License-Identifier: BSD-3-Clause
"""
import os
import pathlib
import sys
import time

MIN, MAX = 800_000, 3_200_000  # kHz
CLOCKS = [800_000, 1_200_000, 1_600_000, 2_000_000, 2_400_000, 2_800_000, 3_200_000]
IDLE, BUSY, DRAM = 35.0, 120.0, 8.0  # W
CPUS = 4
RANGE = 262_143_328_850  # uJ


def times(compute, share):
    return compute / share + 1 - compute


def watts(share):
    return IDLE + (BUSY - IDLE) * share ** 2.4


def write(path, text):
    """In place and in one piece, as a reader of /sys sees it; mete keeps files open."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    os.pwrite(file, text.encode(), 0)
    os.close(file)


def make(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def build(folder):
    root = pathlib.Path(folder)
    cpu = root / "sys/devices/system/cpu"
    for i in range(CPUS):
        make(cpu / f"cpu{i}/topology/physical_package_id", "0\n")
        make(cpu / f"cpu{i}/topology/core_id", f"{i}\n")
        make(cpu / f"cpu{i}/topology/thread_siblings_list", f"{i}\n")
    make(cpu / "online", f"0-{CPUS - 1}\n")
    everyone = " ".join(str(i) for i in range(CPUS)) + "\n"
    for name, text in (("affected_cpus", everyone), ("related_cpus", everyone), ("cpuinfo_min_freq", f"{MIN}\n"),
                       ("cpuinfo_max_freq", f"{MAX}\n"), ("scaling_min_freq", f"{MIN}\n"),
                       ("scaling_max_freq", f"{MAX}\n"), ("scaling_cur_freq", f"{MAX}\n"),
                       ("scaling_available_frequencies", " ".join(map(str, CLOCKS)) + " \n")):
        make(cpu / "cpufreq/policy0" / name, text)
    for zone, name in (("intel-rapl:0", "package-0"), ("intel-rapl:0:0", "dram")):
        make(root / "sys/class/powercap" / zone / "name", name + "\n")
        make(root / "sys/class/powercap" / zone / "enabled", "1\n")
        make(root / "sys/class/powercap" / zone / "max_energy_range_uj", f"{RANGE}\n")
        make(root / "sys/class/powercap" / zone / "energy_uj", f"{0:012d}\n")
    make(root / "sys/class/hwmon/hwmon0/name", "coretemp\n")
    make(root / "sys/class/hwmon/hwmon0/temp1_label", "Package id 0\n")
    make(root / "sys/class/hwmon/hwmon0/temp1_input", "50000\n")
    make(root / "proc/meminfo", "MemTotal: 16000000 kB\nMemFree: 4000000 kB\nMemAvailable: 8000000 kB\n")
    make(root / "proc/loadavg", "0.42 0.30 0.21 2/113 4711\n")
    make(root / "proc/stat", ticks(0))


def ticks(busy):
    rows = [f"cpu{i} {busy:010d} 0 0 0000000100 0 0 0 0 0 0\n" for i in range(CPUS)]
    return f"cpu  {busy * CPUS:010d} 0 0 0000000400 0 0 0 0 0 0\n" + "".join(rows) + "intr 1\nctxt 5\nbtime 1\n"


def mark(count):
    """So many regions, entered and left."""
    import mete
    for _ in range(count):
        with mete.region("step"):
            pass


def run(folder, seconds, compute, epochs, told_by="epochs"):
    root = pathlib.Path(folder)
    policy = root / "sys/devices/system/cpu/cpufreq/policy0"
    power = root / "sys/class/powercap"
    tell = None
    if epochs > 0:
        import mete
        tell = mete.progress if told_by == "epochs" else mark
    joules = [float((power / zone / "energy_uj").read_text()) * 1e-6 for zone in ("intel-rapl:0", "intel-rapl:0:0")]
    busy = 0.0
    done, told = 0.0, 0
    last = time.monotonic()
    while done < seconds:
        time.sleep(0.004)
        share = int((policy / "scaling_max_freq").read_text() or MAX) / MAX
        now = time.monotonic()
        step, last = now - last, now
        done += step / times(compute, share)
        busy += step * 100
        joules[0] += step * watts(share)
        joules[1] += step * DRAM
        write(policy / "scaling_cur_freq", f"{round(share * MAX):07d}\n")
        write(power / "intel-rapl:0/energy_uj", f"{round(joules[0] * 1e6):012d}\n")
        write(power / "intel-rapl:0:0/energy_uj", f"{round(joules[1] * 1e6):012d}\n")
        write(root / "sys/class/hwmon/hwmon0/temp1_input", f"{round(40000 + 30000 * share):05d}\n")
        write(root / "proc/stat", ticks(round(busy)))
        if tell is not None and int(done * epochs) > told:
            tell(int(done * epochs) - told)
            told = int(done * epochs)


if __name__ == "__main__":
    run(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]) if len(sys.argv) > 4 else 0,
        *sys.argv[5:6])
