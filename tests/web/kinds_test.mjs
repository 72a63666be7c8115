// The page of `mete view` for each kind of result: node kinds_test.mjs METE CHROMIUM. What the page shows is compared with this
// file's own arithmetic on the files that were given to mete, or with figures that were worked out by hand.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const [mete, chromiumPath] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "mete-kinds-"));
const at = (...parts) => join(folder, ...parts);
const environment = { ...process.env, METE_STATE_DIR: at("state") };
const run = (...words) => execFileSync(mete, words, { cwd: folder, env: environment, stdio: ["ignore", "pipe", "pipe"] }).toString();
const refused = (...words) => {
  const done = spawnSync(mete, words, { cwd: folder, env: environment });
  assert.equal(done.status, 2, done.stderr.toString());
  const lines = done.stderr.toString().trim().split("\n");
  assert.equal(lines.length, 1, lines.join("\n"));
  return lines[0];
};

const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox", "--disable-gpu"] });
const tests = [];
const test = (name, body) => tests.push([name, body]);
const left = (page) => page.locator(".panel").first();
const right = (page) => page.locator(".panel").nth(1);

/** Writes the page of these inputs and opens it; page errors fail the test. */
async function view(inputs, viewport = { width: 1300, height: 900 }) {
  const html = at("page.html");
  run("view", ...inputs, "-o", html);
  const page = await browser.newPage({ viewport });
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(pathToFileURL(html).href);
  assert.deepEqual(errors, []);
  for (const panel of [left(page), right(page)]) {
    assert.equal(await panel.locator(".plot .message").count(), 0, "both panels have something to show at first");
  }
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing sticks out");
  return page;
}
/** The rows under a panel's plot, as text. */
async function shown(panel) {
  if (!(await panel.locator("details").evaluate((d) => d.open))) {
    await panel.locator("details summary").click();
    await panel.locator("details tbody").waitFor();
  }
  return panel.locator("details tbody tr").evaluateAll((trs) => trs.map((tr) => [...tr.children].map((td) => td.textContent)));
}
const near = (a, b, tolerance = 1e-4) => assert.ok(Math.abs(a - b) <= tolerance * Math.abs(b), `${a} is not ${b}`);
const mean = (values) => values.reduce((a, b) => a + b) / values.length;

run("sweep", "--board", "v100", "--control", "GPU_CORE_FREQUENCY_MAX_CONTROL=405MHz,945MHz,1380MHz", "--trials", "2", "--out", at("sweep"), "--", "BlackScholes:1s");
run("run", "--board", "v100", "--report", at("a.report"), "--trace", at("a.trace"), "--record", at("rec"), "--", "BlackScholes:2s");
run("process", at("sweep"), "-o", at("table.h5"));

test("a sweep: the mean of the trials at each clock", async () => {
  const page = await view([at("sweep")]);
  const manifest = JSON.parse(readFileSync(at("sweep", "sweep.json")));
  const rows = await shown(left(page));
  assert.equal(rows.length, 3);
  for (const [, clock, energy, low, high, count] of rows) {
    const energies = manifest.points.filter((p) => !p.reference && Object.values(p.controls)[0] === Number(clock)).map((p) => p.energy);
    assert.equal(Number(count), energies.length);
    assert.equal(energies.length, 2);
    near(Number(energy), mean(energies));
    near(Number(low), Math.min(...energies));
    near(Number(high), Math.max(...energies));
  }
  assert.match(await page.locator(".note").first().textContent(), /replayed/);
  await page.close();
});

test("a run's report: its sections as names, each a dot", async () => {
  const page = await view([at("a.report")]);
  const rows = await shown(right(page));
  const told = readFileSync(at("a.report")).toString().match(/Application Totals:\s+runtime \(s\): ([\d.]+)/)[1];
  near(Number(rows.find((row) => row[1] === "Application Totals")[2]), Number(told));
  await page.close();
});

test("a run's trace over time", async () => {
  const page = await view([at("a.trace")]);
  const lines = readFileSync(at("a.trace")).toString().split("\n").filter((line) => line && !line.startsWith("#"));
  const header = lines[0].split("|");
  const column = header.findIndex((name) => name.startsWith("GPU_POWER"));
  const rows = await shown(left(page));
  assert.equal(rows.length, lines.length - 1);
  near(Number(rows[5][2]), Number(lines[6].split("|")[column]));
  await page.close();
});

test("a recording: power times time is its energy", async () => {
  const page = await view([at("rec")]);
  const summary = JSON.parse(run("recording", "summary", at("rec"), "--json"));
  const rows = (await shown(left(page))).filter((row) => row[0].startsWith("GPU_ENERGY") || row[0] === "power");
  let energy = 0;
  let before = 0;
  for (const [, time, power] of rows) {
    energy += Number(power) * (Number(time) - before);
    before = Number(time);
  }
  near(energy, summary.energy_joules.gpu, 1e-3);
  await page.close();
});

test("a recording's regions: lanes on the plot's time axis, at 400 px too, and where no power is", async () => {
  const second = 1e9;
  const lines = [
    { record: "header", schema: "mete.recording/1", period_seconds: 1, series: [{ name: "CPU_ENERGY", domain: "package", index: 0, unit: "J", role: "package", source: "counter" }] },
    ...[0, 1, 2, 3, 4].map((t) => ({ record: "sample", t_ns: t * second, values: [t * 50] })),
    { record: "region", name: "forward", count: 7, seconds: 2, level: 1, spans: [[0.5, 1.5, 5, 0.5, 2], [3, 4, 2, 1, 1]] },
    { record: "region", name: "epoch <b>", count: 1, seconds: 3, level: 0, spans: [[0, 3, 1, 3, 1], "odd", [5, 1, 1, 1, 1], [1, null, 1, 1, 1]] },
    { record: "end", t_ns: 4 * second },
  ];
  mkdirSync(at("marked"), { recursive: true });
  writeFileSync(at("marked", "recording.ndjson"), lines.map((line) => JSON.stringify(line)).join("\n") + "\n");
  for (const width of [1300, 400]) {
    const page = await view([at("marked")], { width, height: 900 });
    const svg = left(page).locator(".lanes svg");
    assert.match(await svg.getAttribute("aria-label"), /epoch <b> · 1 time, 3.*level 1; forward · 7 times, 2.*level 2/);
    assert.equal(await svg.locator(".lane").count(), 2);
    const [over, first, late] = [left(page).locator(".u-over"), svg.locator(".lane").nth(0).locator(".band"), svg.locator(".lane").nth(1).locator(".band")];
    assert.equal(await first.count(), 1, "what is no span is passed over");
    assert.equal(await late.count(), 2);
    // The second forward begins where the epoch ends, after 3 s; the plot shows 1 to 4 s and a little air.
    const [plot, epoch, forward, last] = [await over.boundingBox(), await first.boundingBox(), await late.first().boundingBox(), await late.nth(1).boundingBox()];
    assert.ok(epoch.x >= plot.x - 1 && epoch.x + epoch.width <= plot.x + plot.width + 1, "within the plot's width");
    assert.ok(Math.abs(last.x - (epoch.x + epoch.width)) < 1);
    assert.ok(Math.abs(last.width - plot.width / 3.24) < 1.5, "one second is as wide as on the plot above");
    assert.ok(forward.height < epoch.height, "two threads a second in five entries: half of the time");
    assert.match(await late.first().locator("title").textContent(), /forward\nfrom 500.* to 1\.5.*\n5 times, 500.*2 threads/);
    assert.match(await left(page).locator(".lanes .status").textContent(), /8 entries are drawn as 3 bands/);
    await left(page).locator('[data-id="x"]').selectOption("part");
    assert.equal(await left(page).locator(".lanes").count(), 0, "names are no time axis");
    await page.close();
  }
  writeFileSync(at("marked", "recording.ndjson"), lines.filter((l) => l.record !== "sample").map((l) => JSON.stringify(l)).join("\n") + "\n");
  const page = await view([at("marked")]);
  assert.equal(await left(page).locator(".lanes .band").count(), 3);
  await page.close();
});

test("AIPowerMeter's recording", async () => {
  const line = (second, watts) => JSON.stringify({ date: `2024-01-01 10:00:0${second}.5`, metrics: { cpu: { intel_power: watts, psys_power: -1 }, gpu: {} } });
  writeFileSync(at("power_metrics.json"), [line(1, 10), line(2, 20), line(4, 30)].join("\n") + "\n");
  const page = await view([at("power_metrics.json")]);
  assert.deepEqual((await shown(left(page))).map((row) => row.slice(1, 3).map(Number)), [[0, 10], [1, 20], [3, 30]]);
  await page.close();
});

test("a training table: means of the rows in the region of interest", async () => {
  const page = await view([at("table.h5")]);
  const rows = await shown(left(page));
  assert.equal(rows.length, 3);
  const clocks = rows.map((row) => Number(row[1]));
  assert.deepEqual(clocks, [405e6, 945e6, 1380e6]);
  const watts = rows.map((row) => Number(row[2]));
  assert.ok(watts[0] < watts[1] && watts[1] < watts[2], "power rises with the clock");
  assert.match(await left(page).locator('[data-id="y"]').evaluate((s) => s.value), /GPU_POWER/);
  await page.close();
});

// Three kernels. Tensor 0 (100 B) is made by the first and used by the last; tensor 1 (40 B) by the first two.
const problem = {
  format: "mete.placement-problem/1", name: "by hand", source: "made up", move_bytes_per_s: { fast_to_slow: 1e3, slow_to_fast: 1e3 },
  tensors: [{ id: 0, bytes: 100, uses: [0, 2] }, { id: 1, bytes: 40, uses: [0, 1] }],
  kernels: [{ op: "A", tensors: [0, 1], seconds: [1, 2, 3, 4] }, { op: "B", tensors: [1], seconds: [1, 5] }, { op: "C", tensors: [0], seconds: [1, 6] }],
};
test("a placement problem, and a plan of it", async () => {
  writeFileSync(at("problem.json"), JSON.stringify(problem));
  run("plan", at("problem.json"), "--optimizer", "all-fast", "-o", at("plan.json"));
  let page = await view([at("plan.json"), at("problem.json")]);
  // All-fast: both at the first two kernels, tensor 0 alone at the last.
  assert.deepEqual((await shown(left(page))).map((row) => Number(row[2])), [140, 140, 100]);
  assert.equal(await left(page).locator('[data-id="y"]').inputValue(), "fast memory");
  await left(page).locator('[data-id="y"]').selectOption("seconds planned");
  assert.deepEqual((await shown(left(page))).map((row) => Number(row[2])), [1, 1, 1]);
  await page.close();
  run("plan", at("problem.json"), "--optimizer", "all-slow", "-o", at("slow.json"));
  page = await view([at("slow.json"), at("problem.json")]);
  assert.deepEqual((await shown(left(page))).map((row) => Number(row[2])), [0, 0, 0]);
  await left(page).locator('[data-id="y"]').selectOption("seconds planned");
  assert.deepEqual((await shown(left(page))).map((row) => Number(row[2])), [4, 5, 6]);
  await page.close();
  page = await view([at("plan.json")]);
  assert.match(await page.locator("#app").textContent(), /name its problem's file too/);
  await page.close();
});

test("a plan with another problem of the same name is refused", async () => {
  const other = structuredClone(problem);
  other.tensors[0].bytes = 999;
  writeFileSync(at("other.json"), JSON.stringify(other));
  assert.match(refused("view", at("plan.json"), at("other.json"), "-o", at("x.html")), /plan\.json/);
});

test("two inputs of the same name keep both", async () => {
  for (const [name, watts] of [["one", 5], ["two", 7]]) {
    mkdirSync(at(name), { recursive: true });
    writeFileSync(at(name, "t.csv"), `clock [Hz],watts [W]\n1,${watts}\n2,${watts}\n`);
  }
  const page = await view([at("one", "t.csv"), at("two", "t.csv")]);
  const names = await left(page).locator('[data-id="table"] option').allTextContents();
  assert.equal(new Set(names).size, 2);
  for (const [i, watts] of [[0, 5], [1, 7]]) {
    await left(page).locator('[data-id="table"]').selectOption(names[i]);
    await left(page).locator('[data-id="y"]').selectOption("watts");
    assert.deepEqual((await shown(left(page))).map((row) => Number(row[2])), [watts, watts]);
  }
  await page.close();
});

test("a folder with other files in it: what can be shown, and what was left alone", async () => {
  mkdirSync(at("mixed"), { recursive: true });
  copyFileSync(at("a.trace"), at("mixed", "a.trace"));
  copyFileSync(at("a.report"), at("mixed", "a.report"));
  writeFileSync(at("mixed", "notes.txt"), "no result\n");
  writeFileSync(at("mixed", "noise.bin"), Buffer.from([0, 124, 10, 255, 0]));
  const page = await view([at("mixed")]);
  assert.equal((await left(page).locator('[data-id="table"] option').count()), 2);
  assert.match(await page.locator("#app").textContent(), /2 other entries left alone, such as noise.bin/);
  await page.close();
});

test("logs of the notebook among other files", async () => {
  mkdirSync(at("logs"), { recursive: true });
  for (const [clock, watts] of [[114750000, 10], [216750000, 20]]) {
    writeFileSync(at("logs", `AGX-float-64-tensor-${clock}.data`), Array.from({ length: 8 }, (_, i) => `${1000 * i},${watts}.0`).join("\n") + "\n1e9");
  }
  writeFileSync(at("logs", "readme.md"), "x");
  const page = await view([at("logs")]);
  assert.match(await page.locator("#app").textContent(), /1 other entries left alone, such as readme.md/);
  await page.close();
});

test("readable at 400 px, names on the axis and all", async () => {
  const page = await view([at("plan.json"), at("problem.json"), at("a.report"), at("sweep")], { width: 400, height: 900 });
  await page.close();
});

test("what cannot be shown is refused in one line", async () => {
  writeFileSync(at("empty.trace"), "");
  writeFileSync(at("text.txt"), "hello\n");
  writeFileSync(at("json.json"), "{\"a\": 1}");
  writeFileSync(at("head.csv"), "a,b\n");
  writeFileSync(at("cut.json"), JSON.stringify(problem).slice(0, 200));
  writeFileSync(at("cut.h5"), readFileSync(at("table.h5")).subarray(0, 3000));
  mkdirSync(at("nothing"), { recursive: true });
  assert.match(refused("view", at("empty.trace")), /empty file/);
  assert.match(refused("view", at("text.txt")), /not something to view; there are studies/);
  assert.match(refused("view", at("json.json")), /JSON, but none that a page shows/);
  assert.match(refused("view", at("head.csv")), /at least one row/);
  assert.match(refused("view", at("cut.json")), /cut\.json/);
  assert.match(refused("view", at("cut.h5")), /cut\.h5/);
  assert.match(refused("view", at("nothing")), /empty folder/);
  assert.match(refused("view", at("absent")), /no such file or folder/);
  assert.match(refused("view", at("a.trace"), at("a.trace")), /named twice/);
});

let failed = 0;
try {
  for (const [name, body] of tests) {
    try {
      await body();
      console.log(`ok    ${name}`);
    } catch (error) {
      ++failed;
      console.log(`FAIL  ${name}\n${error.stack}`);
    }
  }
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
process.exit(failed === 0 ? 0 : 1);
