// Downloads: what a panel shows as SVG, PNG or CSV.
import { type ChartSpec, categoryLabels, colourOf, extent, lineLabel } from "./chart";
import { digits, prefixFor } from "./units";

export function offer(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: string) => text.replace(/[&<>"]/g, (c) => escapes[c]!);

function quoted(text: string): string {
  // A spreadsheet would run a cell that begins like a formula.
  const safe = /^[=+@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function toCsv(spec: ChartSpec, seriesName: string, xName: string, yName: string): string {
  const unit = (u: string) => (u ? ` [${u}]` : "");
  const rows = [[seriesName || "line", xName + unit(spec.x.unit), yName + unit(spec.y.unit), "low", "high", "rows"].map(quoted).join(",")];
  const number = (v: number) => (Number.isFinite(v) ? String(v) : "");
  for (const line of spec.selection.lines) {
    for (const p of line.points) {
      const x = spec.selection.categories?.[p.x] ?? String(p.x);
      rows.push([quoted(line.label), quoted(x), number(p.y), number(p.low), number(p.high), String(p.rows)].join(","));
    }
  }
  return rows.join("\r\n") + "\r\n";
}

/** About `count` round values between two ends; powers of ten on a log axis. */
export function ticks(low: number, high: number, log: boolean, count = 6): number[] {
  if (log) {
    const out: number[] = [];
    for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); ++e) {
      for (const m of high / low > 30 ? [1] : [1, 2, 5]) {
        const value = m * 10 ** e;
        if (value >= low && value <= high) out.push(value);
      }
    }
    return out;
  }
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw) ?? raw;
  const out: number[] = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step) out.push(v);
  return out;
}

export function toSvg(spec: ChartSpec, title: string): string {
  const [width, height, left, right, top] = [720, 480, 76, 170, 40];
  const labels = spec.selection.categories ? categoryLabels(spec.selection.categories, width - left - right) : null;
  const bottom = labels?.slanted ? 130 : 56;
  const [x0, x1, y0, y1] = (spec.zoom ?? extent(spec)) as [number, number, number, number];
  const place = (v: number, a: number, b: number, log: boolean) => (log ? Math.log(v / a) / Math.log(b / a) : (v - a) / (b - a));
  const px = (v: number) => (left + place(v, x0, x1, spec.x.log) * (width - left - right)).toFixed(2);
  const py = (v: number) => (height - bottom - place(v, y0, y1, spec.y.log) * (height - top - bottom)).toFixed(2);
  const sx = prefixFor(spec.x.unit, Math.max(Math.abs(x0), Math.abs(x1)));
  const sy = prefixFor(spec.y.unit, Math.max(Math.abs(y0), Math.abs(y1)));
  const ink = spec.dark ? "#e6edf3" : "#1f2328";
  const faint = spec.dark ? "#30363d" : "#dfe3e8";
  const out = [`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="${ink}">`,
    `<title>${escaped(title)}</title><rect width="${width}" height="${height}" fill="${spec.dark ? "#0d1117" : "#ffffff"}"/>`,
    `<text x="${left}" y="22" font-size="15">${escaped(title)}</text>`,
    `<clipPath id="c"><rect x="${left}" y="${top}" width="${width - left - right}" height="${height - top - bottom}"/></clipPath>`];
  const categories = spec.selection.categories;
  for (const v of categories ? categories.map((_, i) => i) : ticks(x0, x1, spec.x.log)) {
    const text = labels ? (v % labels.every === 0 ? labels.names[v]! : "") : digits(v / sx.factor);
    const y = height - bottom + 18;
    out.push(`<line x1="${px(v)}" x2="${px(v)}" y1="${top}" y2="${height - bottom}" stroke="${faint}"/>`, labels?.slanted
      ? `<text transform="translate(${px(v)} ${y - 6}) rotate(-40)" text-anchor="end">${escaped(text)}</text>`
      : `<text x="${px(v)}" y="${y}" text-anchor="middle">${escaped(text)}</text>`);
  }
  for (const v of ticks(y0, y1, spec.y.log)) {
    out.push(`<line x1="${left}" x2="${width - right}" y1="${py(v)}" y2="${py(v)}" stroke="${faint}"/>`,
      `<text x="${left - 8}" y="${py(v)}" text-anchor="end" dominant-baseline="middle">${escaped(digits(v / sy.factor))}</text>`);
  }
  const label = (axis: { label: string }, unit: string) => escaped(unit ? `${axis.label} (${unit})` : axis.label);
  out.push(`<text x="${(left + width - right) / 2}" y="${height - 14}" text-anchor="middle">${label(spec.x, sx.unit)}</text>`,
    `<text transform="translate(18 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle">${label(spec.y, sy.unit)}</text>`);
  spec.selection.lines.forEach((line, i) => {
    const colour = colourOf(spec, i);
    const whiskers = line.points.filter((p) => Number.isFinite(p.low) && Number.isFinite(p.high))
      .map((p) => `M${px(p.x)} ${py(p.low)}V${py(p.high)}`).join("");
    // Names have no order to follow with a line: a dot each.
    const path = categories ? line.points.map((p) => `M${px(p.x)} ${py(p.y)}h0`).join("")
      : line.points.map((p, j) => `${j === 0 ? "M" : "L"}${px(p.x)} ${py(p.y)}`).join("");
    out.push(`<g clip-path="url(#c)" fill="none" stroke="${colour}">`,
      whiskers ? `<path d="${whiskers}" stroke-opacity="0.5"/>` : "", `<path d="${path}" ${categories ? 'stroke-width="9" stroke-linecap="round"' : 'stroke-width="1.75"'}/></g>`);
    if (spec.selection.lines.length > 1 && i < 22) {
      const y = top + 8 + 18 * i;
      out.push(`<rect x="${width - right + 14}" y="${y - 5}" width="14" height="4" fill="${colour}"/>`,
        `<text x="${width - right + 34}" y="${y}" dominant-baseline="middle">${escaped(lineLabel(spec, line))}</text>`);
    }
  });
  return out.join("\n") + "\n</svg>\n";
}

export function savePng(canvas: HTMLCanvasElement, background: string, name: string): void {
  const copy = document.createElement("canvas");
  copy.width = canvas.width;
  copy.height = canvas.height;
  const context = copy.getContext("2d")!;
  context.fillStyle = background;
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(canvas, 0, 0);
  copy.toBlob((blob) => { if (blob) offer(name, blob); }, "image/png");
}
