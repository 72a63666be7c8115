// The page of `mete view` as a person uses it, in headless Chromium: node view_test.mjs METE CHROMIUM.
// Its judge is this file's own arithmetic on the table that it gives to mete.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const [mete, chromiumPath] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "mete-view-"));

// Two types, three sizes, four clocks, two trials; a name that would end a script, or run one.
const evil = "</script><img src=x onerror=alert(1)>";
const rows = [];
for (const type of ["float", evil]) {
  for (const size of [128, 256, 512]) {
    for (const clock of [1e8, 2e8, 4e8, 8e8]) {
      for (const trial of [0, 1]) rows.push({ type, size, clock, watts: 10 + clock / 1e8 + size / 128 + trial * 2 + (type === evil ? 100 : 0) });
    }
  }
}
const csv = join(folder, "table.csv");
writeFileSync(csv, "type,size,clock [Hz],watts [W]\n" + rows.map((r) => `${r.type},${r.size},${r.clock},${r.watts}`).join("\n") + "\n");
const html = join(folder, "page.html");
execFileSync(mete, ["view", csv, "-o", html, "--title", `A ${evil} title`]);

const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox", "--disable-gpu"] });
const tests = [];
const test = (name, body) => tests.push([name, body]);
const url = pathToFileURL(html).href;
const left = (page) => page.locator(".panel").first();
const choose = async (page, id, value) => { await left(page).locator(`[data-id="${id}"]`).selectOption(value); };

test("two panels with plots, and nothing is asked of the network", async (page, asked) => {
  assert.equal(await page.locator(".panel canvas").count(), 2);
  const inked = await page.locator(".panel canvas").first().evaluate((c) => {
    const data = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200) seen.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
    return seen.size;
  });
  assert.ok(inked > 5, "a drawn plot has several colours");
  assert.deepEqual(asked.filter((u) => !u.startsWith("file:") && !u.startsWith("data:") && !u.startsWith("blob:")), []);
});

test("a name cannot run a script", async (page) => {
  assert.equal(await page.locator("h1").textContent(), `A ${evil} title`);
  assert.equal(await page.locator("img").count(), 0);
});

test("a free dimension is averaged, never a zig-zag", async (page) => {
  await choose(page, "x", "clock");
  await choose(page, "series", "");
  await choose(page, "y", "watts");
  await choose(page, "fixed-type", "float");
  await left(page).locator("details summary").click();
  const shown = await left(page).locator("details tbody tr").evaluateAll((trs) => trs.map((tr) => [...tr.children].map((td) => Number(td.textContent))));
  assert.equal(shown.length, 4);
  for (const [, clock, mean, low, high, count] of shown) {
    const group = rows.filter((r) => r.type === "float" && r.clock === clock).map((r) => r.watts);
    assert.equal(count, group.length);
    assert.ok(Math.abs(mean - group.reduce((a, b) => a + b) / group.length) < 1e-3 * mean);
    assert.equal(low, Math.min(...group));
    assert.equal(high, Math.max(...group));
  }
  assert.match(await left(page).locator(".status").textContent(), /means over size/);
});

test("lines of a dimension, with a legend", async (page) => {
  await choose(page, "x", "clock");
  await choose(page, "series", "size");
  assert.deepEqual(await left(page).locator(".legend li").allTextContents(), ["128", "256", "512"]);
});

test("the address holds the view", async (page) => {
  await choose(page, "x", "size");
  await choose(page, "series", "type");
  await left(page).locator('[data-id="log-y"]').check();
  const address = page.url();
  const other = await browser.newPage();
  await other.goto(address);
  assert.equal(await left(other).locator('[data-id="x"]').inputValue(), "size");
  assert.equal(await left(other).locator('[data-id="series"]').inputValue(), "type");
  assert.ok(await left(other).locator('[data-id="log-y"]').isChecked());
  await other.close();
});

test("an address from anywhere does no harm", async (page) => {
  for (const hash of ["#p0=x:nothing;y:no", "#p0=%%%", "#p0=t:other", "#p0=x:clock;y:watts;z:1,NaN,2,3", "#p0=f:type:none;x:clock;y:watts"]) {
    await page.goto(url + hash);
    await page.reload();
    assert.equal(await page.locator(".panel").count(), 2, hash);
  }
  // The last one selects nothing: said in words.
  assert.match(await left(page).locator(".plot .message").textContent(), /Nothing was measured/);
});

test("drag zooms, double-click and the button give the whole range back", async (page) => {
  const over = left(page).locator(".u-over");
  const box = await over.boundingBox();
  await page.mouse.move(box.x + box.width * 0.2, box.y + box.height * 0.2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.7, { steps: 4 });
  // The plot follows the pointer once a frame; so does a hand.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.mouse.up();
  await page.waitForFunction(() => location.hash.includes("z:"));
  assert.match(page.url(), /z:/);
  await left(page).locator('[data-id="reset"]').click();
  assert.doesNotMatch(page.url(), /z:/);
});

test("hover and arrow keys tell values", async (page) => {
  await choose(page, "x", "clock");
  await choose(page, "series", "");
  await choose(page, "y", "watts");
  await choose(page, "fixed-type", "float");
  await choose(page, "fixed-size", "128");
  await left(page).locator(".plot").focus();
  await page.keyboard.press("End");
  const spoken = await left(page).locator(".spoken").textContent();
  // The last clock: 10 + 8 + 1, and 2 more in the second trial: 20 W in the mean.
  assert.match(spoken, /20 W at 800 MHz, mean of 2 rows from 19 W to 21 W/);
  const tip = left(page).locator(".tip");
  assert.ok(await tip.isVisible());
  const at = await tip.evaluate((e) => [e.offsetLeft - 12, e.offsetTop - 12]);
  const frame = await left(page).locator(".plot").boundingBox();
  await page.keyboard.press("Home");
  await page.mouse.move(frame.x + at[0], frame.y + at[1]);
  await page.mouse.move(frame.x + at[0] - 40, frame.y + at[1]);
  assert.equal(typeof (await tip.textContent()), "string");
});

test("CSV, SVG and PNG hold what is seen", async (page) => {
  await choose(page, "x", "clock");
  await choose(page, "series", "size");
  await choose(page, "fixed-type", "float");
  const save = async (id) => {
    const [download] = await Promise.all([page.waitForEvent("download"), left(page).locator(`[data-id="${id}"]`).click()]);
    return readFileSync(await download.path());
  };
  const lines = (await save("csv")).toString().trim().split("\r\n");
  assert.equal(lines.length, 1 + 3 * 4);
  const [size, clock, mean] = lines[1].split(",").map(Number);
  const group = rows.filter((r) => r.type === "float" && r.size === size && r.clock === clock).map((r) => r.watts);
  assert.equal(mean, group.reduce((a, b) => a + b) / group.length);
  const svg = (await save("svg")).toString();
  assert.match(svg, /^<svg /);
  assert.ok(!svg.includes("<img"), "names are escaped");
  assert.equal(svg.match(/stroke-width="1.75"/g).length, 3);
  assert.equal((await save("png")).subarray(1, 4).toString(), "PNG");
});

test("readable when narrow and when dark", async (page) => {
  await page.setViewportSize({ width: 400, height: 900 });
  await page.waitForTimeout(200);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing sticks out at 400 px");
  const before = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.locator('[data-id="theme"]').click();
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), before);
});

test("every control has a name", async (page) => {
  const nameless = await page.locator("select, button, input").evaluateAll((all) =>
    all.filter((e) => !(e.labels?.length || e.textContent.trim() || e.getAttribute("aria-label"))).length);
  assert.equal(nameless, 0);
});

let failed = 0;
try {
  for (const [name, body] of tests) {
    const page = await browser.newPage({ viewport: { width: 1300, height: 900 } });
    const asked = [];
    const errors = [];
    page.on("request", (request) => asked.push(request.url()));
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("dialog", (dialog) => { errors.push(`dialog ${dialog.message()}`); dialog.dismiss(); });
    try {
      await page.goto(url);
      await body(page, asked);
      assert.deepEqual(errors, []);
      console.log(`ok    ${name}`);
    } catch (error) {
      ++failed;
      console.log(`FAIL  ${name}\n${error.stack}`);
    }
    await page.close();
  }
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
process.exit(failed === 0 ? 0 : 1);
