#!/usr/bin/env bash
# The main job on any machine: the energy loop on a replayed GPU, a real CPU command under observation, the memory loop.
# usage: tools/demo.sh [PATH-OF-METE]; results go to demo-results/. SPDX-License-Identifier: BSD-3-Clause
set -euo pipefail
cd "$(dirname "$0")/.."
mete=${1:-build/release/bin/mete}
out=demo-results
if [[ ! -x $mete ]]; then
  echo "demo: $mete is not there; run \`make demo\`, which builds it" >&2
  exit 1
fi
start=$SECONDS
mkdir -p "$out"
# What an earlier demo made goes, so that this one shows the whole loop.
rm -rf "$out/tune" "$out/cpu.report" "$out/cpu.trace" "$out/fit" "$out/profile.db"

show() {
  echo
  printf '$ mete'
  printf ' %q' "$@"
  echo
  "$mete" "$@"
}

echo "== 1. The energy loop on a Tesla V100 that others measured, replayed in virtual time =="
echo "   sweep its clocks, learn, choose, and compare with the top clock"
show tune --board v100 --max-slowdown 10% --out "$out/tune" \
  --learn-from matrixMul --learn-from binomialOptions --learn-from transpose --learn-from vectorAdd \
  -- examples/demo/training.program

echo
echo "== 2. A real command on this machine: hash 300 MB of zeroes =="
show run --report "$out/cpu.report" --trace "$out/cpu.trace" \
  -- sh -c 'head -c 300000000 /dev/zero | sha256sum'
echo
sed -n '/Application Totals/,$p' "$out/cpu.report" | sed -n '1,14p'

echo
echo "== 3. The memory loop: a training step of VGG19 with a fifth of its memory fast, the rest emulated slow memory =="
echo "   measure every kernel, plan, pack, verify, run beside all-fast and first touch (2 GB of memory)"
show fit zoo:vgg19 --batch 1 --ratio 4:1 --repeats 2 --steps 2 --profile "$out/profile.db" -o "$out/fit"

echo
echo "Done in $((SECONDS - start)) s. Open or read:"
echo "  $PWD/$out/tune/tune.html    what was saved, and why"
echo "  $PWD/$out/tune/tune.json    all its figures"
echo "  $PWD/$out/cpu.report        the CPU run, YAML"
echo "  $PWD/$out/cpu.trace         its samples"
echo "  $PWD/$out/fit/fit.html      the memory loop: memory over time, and every tensor's place"
