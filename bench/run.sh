#!/usr/bin/env bash
# Prints every figure that the project promises, each with its spread and its bar: run.sh [BUILD]. Ten minutes on 2 cores.
# On a busy machine latencies and wall times are the machine's, not ours: the load average is printed with them.
# SPDX-License-Identifier: BSD-3-Clause
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release}
section() { echo; echo "== $1 (load average $(cut -d' ' -f1 /proc/loadavg)) =="; }
section "start-up: at most 20 ms";                                   python3 bench/startup.py "$build"
section "sampling 100 signals at 1 kHz: <= 2 % of a core, p99 <= 200 us"; "$build/bin/sampling"
section "control step, 8 GPUs, torch: median <= 100 us, p99 <= 300 us"; "$build/bin/control_step"
section "mete process: >= 200 MB/s, <= 200 MB, >= 80x and >= 10x pandas"; /usr/bin/python3 bench/process/run.py --mete "$build/bin/mete"
section "region enter+exit: <= 50 ns without a session, <= 1 us with one"; "$build/bin/region"
section "recording 4 RAPL zones, 2 GPUs, 20 processes: <= 0.2 % of a core at 10 Hz, <= 5 % at 1 kHz"; "$build/bin/recording"
section "slow-down of a compute-bound program at 1 kHz: <= 0.5 %";    python3 bench/slowdown.py "$build"
section "memory: bandwidths, pools, copies, profiling"; "$build/bin/memory_tiers"
section "placement: gaps and times beside their bars"; "$build/bin/placement" ${METE_PLACEMENT_DATA:-}
section "the page of mete view at 100,000 rows: <= 1 MB without data, first plot <= 1.5 s, a choice <= 100 ms"; node bench/view_page.mjs "$build/bin/mete"
if [ -x "$build/bin/dnn_kernels" ]; then
  section "DNN kernels beside oneDNN's own best, ResNet50 and VGG19 at batch 16: within 3 %"; "$build/bin/dnn_kernels"
fi
if [ -x "$build/bin/gemm_pair" ]; then
  section "mete bench gemm beside the library's own loop: within 2 %; float at N = 2048 >= 85 % of the FMA peak"; "$build/bin/gemm_pair"
fi
