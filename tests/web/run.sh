#!/usr/bin/env bash
# Drives the page of `mete view` in headless Chromium: run.sh METE. Exit 77 (skipped) where a tool is absent, saying which.
set -euo pipefail
mete=$(realpath "$1")
web=$(cd "$(dirname "$0")/../../web" && pwd)
skip() { echo "skipped: $1"; exit 77; }
chromium=$(command -v chromium || command -v chromium-browser || true)
[ -n "$chromium" ] || skip "no chromium (apt install chromium)"
command -v node >/dev/null || skip "no node (apt install nodejs npm)"
if [ ! -d "$web/node_modules/playwright-core" ]; then
  command -v npm >/dev/null || skip "no npm to fetch playwright-core with (apt install npm)"
  # The test needs no more than this one package, of the version that the page was developed with.
  version=$(node -p "require('$web/package.json').devDependencies['playwright-core']")
  own="$web/node_modules/.page-test"
  [ -d "$own/node_modules/playwright-core" ] ||
    timeout 120 npm install --prefix "$own" --no-save --no-package-lock --ignore-scripts --no-progress \
      "playwright-core@$version" >/dev/null 2>&1 || skip "npm cannot fetch playwright-core"
  export NODE_PATH="$own/node_modules"
fi
# The bundled page is what its source says. Other releases of the tools may write other bytes: only ours are held to it.
if [ -x "$web/node_modules/.bin/tsc" ]; then (cd "$web" && node_modules/.bin/tsc --noEmit); fi
node "$(dirname "$0")/view_test.mjs" "$mete" "$chromium"
exec node "$(dirname "$0")/kinds_test.mjs" "$mete" "$chromium"
