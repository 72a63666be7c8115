#!/usr/bin/env bash
# Fails, naming the files, where clang-format-19 would change something.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v clang-format-19 >/dev/null || { echo "check_format: clang-format-19 is missing: tools/install_packages.sh check" >&2; exit 1; }
mapfile -d '' -t files < <(git ls-files -z '*.cc' '*.h')
bad=0
for f in "${files[@]}"; do
  if ! clang-format-19 "$f" | cmp -s - "$f"; then echo "check_format: $f differs; run make format" >&2; bad=1; fi
done
[ $bad = 0 ] && echo "check_format: ${#files[@]} files are formatted"
exit $bad
