#!/usr/bin/env bash
# Installs what packages.txt names for the given groups and is missing: install_packages.sh GROUP..
# Works as root or with sudo; says what it installs; does nothing, and needs no rights, when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { echo "usage: tools/install_packages.sh build|test|check .." >&2; exit 2; }

wanted=()
while read -r name group _; do
  for g in "$@"; do [ "$group" = "$g" ] && wanted+=("$name"); done
done < <(grep -vE '^(#|$)' packages.txt)

missing=()
for p in "${wanted[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null || true)" = installed ] || missing+=("$p")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "mete: installing ${#missing[@]} packages with apt: ${missing[*]}"
sudo=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "mete: not root, and no sudo: ask an administrator to run: apt-get install --no-install-recommends ${missing[*]}" >&2; exit 1; }
  sudo=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! "${sudo[@]}" apt-get update -q >"$log" 2>&1 ||
   ! "${sudo[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
  tail -n 15 "$log" >&2
  echo "mete: apt-get failed; its whole log is in $log" >&2
  exit 1
fi
rm -f "$log"
