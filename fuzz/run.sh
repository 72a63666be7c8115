#!/usr/bin/env bash
# Runs one fuzz target: fuzz/run.sh TARGET SECONDS [libFuzzer options]. Needs clang (package clang).
# What is found lies in build/fuzz-found/TARGET: crash-*, timeout-* and new inputs; the corpus in
# the project is not touched. `fuzz/run.sh TARGET merge` adds the inputs that reach new code, small
# ones first, to the project's corpus.
# SPDX-License-Identifier: BSD-3-Clause
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -lt 2 ] || [ ! -d "fuzz/$1/corpus" ]; then
  echo "usage: fuzz/run.sh TARGET SECONDS|merge [libFuzzer options]; targets: $(cd fuzz && ls -d */ | tr -d '/' | tr '\n' ' ')" >&2
  exit 2
fi
target=$1 seconds=$2
shift 2
found=build/fuzz-found/$target
mkdir -p "$found/inputs"
if [ ! -f build/fuzz/build.ninja ]; then cmake --preset fuzz >/dev/null; fi
cmake --build build/fuzz --target "fuzz_$target" -j "${JOBS:-$(nproc)}"
if [ "$seconds" = merge ]; then
  exec build/fuzz/bin/fuzz_"$target" -merge=1 "$@" "fuzz/$target/corpus" "$found/inputs"
fi
# An input that takes seconds or hundreds of megabytes is a finding too.
exec build/fuzz/bin/fuzz_"$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1500 -malloc_limit_mb=600 \
  -print_final_stats=1 -artifact_prefix="$found/" "$@" "$found/inputs" "fuzz/$target/corpus"
