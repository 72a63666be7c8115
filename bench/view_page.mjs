// The page of `mete view` at 100,000 rows, in headless Chromium: file size without its data, time from opening to the first
// plot, time from a choice to the new plot. node bench/view_page.mjs METE [ROWS]. Needs what tests/web/run.sh needs.
// SPDX-License-Identifier: BSD-3-Clause
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [mete, wanted = "100000"] = process.argv.slice(2);
const rows = Number(wanted);
const opens = 15;
const changes = 40;
const bars = { bytes: 1e6, first: 1500, change: 100 };

/** A study's table: type × tensor × size × clock × trial, with an interval, as `mete study export --csv` writes it. */
function study() {
  const lines = ["dtype,tensor,size,frequency [Hz],trial,watts [W],watts_low [W],watts_high [W],flops [FLOP/s],flops_per_watt [FLOP/J]"];
  const clocks = Array.from({ length: 14 }, (_, i) => 114750000 + i * 97096153);
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  for (let i = 0; lines.length <= rows; ++i) {
    const dtype = ["half", "float", "double"][i % 3];
    const tensor = ["tensor", "nontensor"][Math.floor(i / 3) % 2];
    const clock = clocks[Math.floor(i / 6) % 14];
    const size = 64 * (1 + (Math.floor(i / 84) % 64));
    const trial = Math.floor(i / 5376);
    const watts = 10 + clock / 4e7 + random() * 2;
    const flops = clock * size * (1 + random() * 0.01);
    lines.push(`${dtype},${tensor},${size},${clock},${trial},${watts.toFixed(4)},${(watts - 0.3).toFixed(4)},${(watts + 0.3).toFixed(4)},${flops},${flops / watts}`);
  }
  return lines.join("\n") + "\n";
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
function tell(name, times, bar) {
  const sorted = [...times].sort((a, b) => a - b);
  const median = quantile(sorted, 0.5);
  console.log(`${name.padEnd(34)} median ${median.toFixed(1)} ms, p95 ${quantile(sorted, 0.95).toFixed(1)}, max ${sorted.at(-1).toFixed(1)}, ` +
    `n ${sorted.length}   bar ${bar} ms: ${median <= bar ? "met" : "MISSED"}`);
}

const require = createRequire(new URL("../web/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const chromiumPath = execFileSync("sh", ["-c", "command -v chromium || command -v chromium-browser"]).toString().trim();
const folder = mkdtempSync(join(tmpdir(), "mete-view-bench-"));
const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox", "--disable-gpu"] });
try {
  const csv = join(folder, "study.csv");
  const html = join(folder, "study.html");
  writeFileSync(csv, study());
  execFileSync(mete, ["view", csv, "-o", html]);
  const empty = statSync(new URL("../web/dist/index.html", import.meta.url)).size;
  console.log(`${"page without data".padEnd(34)} ${(empty / 1e3).toFixed(1)} kB; with ${rows} rows ${(statSync(html).size / 1e6).toFixed(2)} MB` +
    `   bar ${bars.bytes / 1e6} MB without: ${empty <= bars.bytes ? "met" : "MISSED"}`);

  const first = [];
  for (let i = 0; i < opens; ++i) {
    const page = await browser.newPage({ viewport: { width: 1300, height: 900 } });
    await page.goto(pathToFileURL(html).href);
    // From the browser's start of navigation until the frame with the plots has been painted.
    first.push(await page.evaluate(() => new Promise((done) =>
      requestAnimationFrame(() => setTimeout(() => done(performance.now()), 0)))));
    await page.close();
  }
  tell("open to first plot", first, bars.first);

  const page = await browser.newPage({ viewport: { width: 1300, height: 900 } });
  await page.goto(pathToFileURL(html).href);
  const ids = [["series", ["dtype", "size", "trial", ""]], ["y", ["watts", "flops", "flops_per_watt"]], ["x", ["frequency", "size"]],
    ["fixed-tensor", ["tensor", "nontensor", "\u0000"]], ["fixed-trial", ["1", "2", "\u0000"]]];
  const times = [];
  for (let i = 0; i < changes; ++i) {
    const [id, values] = ids[i % ids.length];
    const value = values[Math.floor(i / ids.length) % values.length];
    const took = await page.evaluate(([id, value]) => new Promise((done) => {
      const box = document.querySelector(`.panel [data-id="${id}"]`);
      if (!box || box.value === value || ![...box.options].some((o) => o.value === value)) return done(null);
      const start = performance.now();
      box.value = value;
      box.dispatchEvent(new Event("change"));
      requestAnimationFrame(() => setTimeout(() => done(performance.now() - start), 0));
    }), [id, value]);
    if (took !== null) times.push(took);
  }
  tell("a choice to the new plot", times, bars.change);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
