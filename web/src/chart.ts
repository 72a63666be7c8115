// One plot: lines with intervals on a canvas (uPlot), brush to zoom, hover and keyboard to read values.
import uPlot from "uplot";
import { lineColour } from "./colours";
import type { TimeArea } from "./lanes";
import type { Line, Selection } from "./select";
import { digits, prefixFor, quantity } from "./units";

export interface Axis { label: string; unit: string; log: boolean }

export interface ChartSpec {
  selection: Selection;
  x: Axis;
  y: Axis;
  /** The series' values have an order (clocks, sizes). */
  ordered: boolean;
  seriesUnit: string;
  zoom: number[] | undefined;
  dark: boolean;
}

export interface Reading { line: Line; colour: string; index: number; text: string; left: number; top: number }

/** More points than this in a line: no marks, no whiskers. */
const mostMarks = 200;

export function colourOf(spec: ChartSpec, index: number): string {
  const lines = spec.selection.lines;
  return lineColour(index, lines.length, lines[index]?.place ?? 0, spec.ordered, spec.dark);
}

export function lineLabel(spec: ChartSpec, line: Line): string {
  const value = Number(line.label);
  return spec.seriesUnit && Number.isFinite(value) ? quantity(value, spec.seriesUnit) : line.label;
}

export function readingText(spec: ChartSpec, line: Line, index: number): string {
  const point = line.points[index]!;
  const x = spec.selection.categories?.[point.x] ?? quantity(point.x, spec.x.unit);
  let text = `${lineLabel(spec, line)}: ${quantity(point.y, spec.y.unit)} at ${x}`;
  if (Number.isFinite(point.low) && Number.isFinite(point.high)) {
    text += point.rows > 1
      ? `, mean of ${point.rows} rows from ${quantity(point.low, spec.y.unit)} to ${quantity(point.high, spec.y.unit)}`
      : `, 95 % ${quantity(point.low, spec.y.unit)} to ${quantity(point.high, spec.y.unit)}`;
  } else if (point.rows > 1) {
    text += `, mean of ${point.rows} rows`;
  }
  return text;
}

/** Ranges of all lines, with a little air; intervals count. */
export function extent(spec: ChartSpec): number[] {
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const line of spec.selection.lines) {
    for (const p of line.points) {
      x0 = Math.min(x0, p.x);
      x1 = Math.max(x1, p.x);
      const low = Number.isFinite(p.low) && !(spec.y.log && p.low <= 0) ? p.low : p.y;
      const high = Number.isFinite(p.high) ? p.high : p.y;
      y0 = Math.min(y0, low);
      y1 = Math.max(y1, high);
    }
  }
  const air = (low: number, high: number, log: boolean): [number, number] => {
    if (log) return [low / 1.15, high * 1.15];
    const span = high - low || Math.abs(high) || 1;
    return [low - 0.04 * span, high + 0.04 * span];
  };
  const across: [number, number] = spec.selection.categories ? [-0.5, spec.selection.categories.length - 0.5] : air(x0, x1, spec.x.log);
  return [...across, ...air(y0, y1, spec.y.log)];
}

/** uPlot wants one x for all lines: their union, ascending. */
function aligned(lines: Line[]): uPlot.AlignedData {
  if (lines.length === 1) {
    const points = lines[0]!.points;
    return [points.map((p) => p.x), points.map((p) => p.y)];
  }
  const all = new Set<number>();
  for (const line of lines) for (const p of line.points) all.add(p.x);
  const xs = [...all].sort((a, b) => a - b);
  const at = new Map(xs.map((x, i) => [x, i]));
  const columns = lines.map((line) => {
    const ys = new Array<number | null | undefined>(xs.length).fill(undefined);
    for (const p of line.points) ys[at.get(p.x)!] = p.y;
    return ys;
  });
  return [xs, ...columns] as uPlot.AlignedData;
}

function axisOf(axis: Axis, range: [number, number], categories: string[] | null, dark: boolean,
                width: number): uPlot.Axis {
  const scale = prefixFor(axis.unit, Math.max(Math.abs(range[0]), Math.abs(range[1])));
  const ink = dark ? "#c9d1d9" : "#3d444d";
  const out: uPlot.Axis = {
    label: scale.unit ? `${axis.label} (${scale.unit})` : axis.label,
    stroke: ink,
    grid: { stroke: dark ? "#30363d" : "#e4e8ec", width: 1 },
    ticks: { stroke: dark ? "#30363d" : "#e4e8ec", width: 1 },
    font: "12px system-ui, sans-serif",
    labelFont: "13px system-ui, sans-serif",
    values: (_u, ticks) => ticks.map((t) => (t === null ? "" : digits(t / scale.factor))),
  };
  if (categories) Object.assign(out, categoryAxis(categories, width));
  return out;
}

const mostLabel = 22;
const letter = 6.6;

/** Names under the plot: level where they have room, slanted where not, and every second or third where there are too many. */
export function categoryLabels(categories: string[], width: number): { names: string[]; slanted: boolean; every: number } {
  const names = categories.map((name) => (name.length > mostLabel ? name.slice(0, mostLabel - 1) + "…" : name));
  const longest = Math.max(...names.map((name) => name.length)) * letter;
  const slot = width / Math.max(1, names.length);
  return { names, slanted: longest + 8 > slot, every: Math.max(1, Math.ceil(15 / slot)) };
}

const slantedSize = (names: string[]) => 30 + Math.max(...names.map((name) => name.length)) * letter * 0.65;

function categoryAxis(categories: string[], width: number): Partial<uPlot.Axis> {
  const { names, slanted, every } = categoryLabels(categories, width);
  return {
    splits: () => names.map((_, i) => i),
    values: (_u, ticks) => ticks.map((t, i) => (i % every === 0 ? (names[t] ?? "") : "")),
    ...(slanted ? { rotate: 40, size: slantedSize(names) } : {}),
  };
}

/** Whiskers, or a band where there are many points, under each line. */
function drawIntervals(spec: ChartSpec) {
  return (u: uPlot, series: number) => {
    const line = spec.selection.lines[series - 1];
    if (!line) return;
    const points = line.points.filter((p) => Number.isFinite(p.low) && Number.isFinite(p.high));
    if (points.length === 0) return;
    const context = u.ctx;
    const px = (v: number) => u.valToPos(v, "x", true);
    const py = (v: number) => u.valToPos(spec.y.log ? Math.max(v, 1e-300) : v, "y", true);
    context.save();
    context.beginPath();
    context.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
    context.clip();
    context.strokeStyle = context.fillStyle = colourOf(spec, series - 1);
    if (points.length <= mostMarks) {
      context.globalAlpha = 0.55;
      context.lineWidth = devicePixelRatio;
      context.beginPath();
      for (const p of points) {
        context.moveTo(px(p.x), py(p.low));
        context.lineTo(px(p.x), py(p.high));
      }
      context.stroke();
    } else {
      context.globalAlpha = 0.18;
      context.beginPath();
      points.forEach((p, i) => (i === 0 ? context.moveTo(px(p.x), py(p.low)) : context.lineTo(px(p.x), py(p.low))));
      for (let i = points.length - 1; i >= 0; --i) context.lineTo(px(points[i]!.x), py(points[i]!.high));
      context.fill();
    }
    context.restore();
  };
}

export class Chart {
  private plot: uPlot | null = null;
  private spec: ChartSpec | null = null;
  private cursor = { line: 0, index: 0 };

  constructor(private readonly box: HTMLElement, private readonly onZoom: (zoom: number[] | undefined) => void,
              private readonly onRead: (reading: Reading | null, spoken: boolean) => void,
              private readonly onReady: () => void) {}

  get canvas(): HTMLCanvasElement | undefined { return this.plot?.ctx.canvas; }

  /** Where the plot's area lies and what times are at its ends, if x is a linear axis of numbers. */
  get area(): TimeArea | null {
    const x = this.plot?.scales.x;
    if (!this.plot || !this.spec || this.spec.selection.categories || this.spec.x.log) return null;
    if (typeof x?.min !== "number" || typeof x.max !== "number" || !(x.max > x.min)) return null;
    return { left: this.plot.over.offsetLeft, width: this.plot.over.clientWidth, from: x.min, to: x.max };
  }

  draw(spec: ChartSpec): void {
    this.plot?.destroy();
    this.plot = null;
    this.spec = spec;
    this.cursor = { line: 0, index: 0 };
    const lines = spec.selection.lines;
    if (lines.length === 0) return;
    const [x0, x1, y0, y1] = (spec.zoom ?? extent(spec)) as [number, number, number, number];
    const width = Math.max(240, this.box.clientWidth);
    // Names have no order to follow with a line.
    const named = spec.selection.categories !== null;
    const labels = named ? categoryLabels(spec.selection.categories!, width - 80) : null;
    // Slanted names take their room from the page, not from the plot.
    const below = labels?.slanted ? slantedSize(labels.names) - 44 : 0;
    const options: uPlot.Options = {
      width, padding: [10, 18, 0, 0], height: Math.max(220, Math.min(460, width * 0.66)) + below,
      legend: { show: false },
      cursor: { drag: { x: true, y: true, uni: 24, setScale: false }, points: { size: 7 } },
      scales: {
        x: { time: false, distr: spec.x.log ? 3 : 1, range: () => [x0, x1] },
        y: { distr: spec.y.log ? 3 : 1, range: () => [y0, y1] },
      },
      axes: [
        { size: 44, ...axisOf(spec.x, [x0, x1], spec.selection.categories, spec.dark, width - 80) },
        { size: 62, ...axisOf(spec.y, [y0, y1], null, spec.dark, width) },
      ],
      series: [{}, ...lines.map((line, i): uPlot.Series => ({
        stroke: colourOf(spec, i), width: 1.75, spanGaps: true,
        ...(named ? { paths: () => null, points: { show: true, size: 9, fill: colourOf(spec, i) } }
                  : { points: { show: line.points.length <= mostMarks, size: 5, fill: spec.dark ? "#0d1117" : "#ffffff" } }),
      }))],
      hooks: {
        drawSeries: [drawIntervals(spec)],
        setSelect: [(u) => this.zoomed(u)],
        setCursor: [(u) => this.hovered(u)],
        ready: [(u) => {
          u.over.addEventListener("dblclick", () => this.onZoom(undefined));
          this.plot = u;
          this.onReady();
        }],
      },
    };
    this.plot = new uPlot(options, aligned(lines), this.box);
  }

  /** Arrow keys: along the line, and from line to line. */
  step(along: number, across: number): void {
    const spec = this.spec;
    if (!spec || spec.selection.lines.length === 0) return;
    const count = spec.selection.lines.length;
    this.cursor.line = (this.cursor.line + across + count) % count;
    const points = spec.selection.lines[this.cursor.line]!.points;
    this.cursor.index = Math.max(0, Math.min(points.length - 1, this.cursor.index + along));
    this.tell(this.cursor.line, this.cursor.index, true);
  }

  private zoomed(u: uPlot): void {
    const { left, top, width, height } = u.select;
    if (width < 4 && height < 4) return;
    const ends = [u.posToVal(left, "x"), u.posToVal(left + width, "x"),
                  u.posToVal(top + height, "y"), u.posToVal(top, "y")];
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.onZoom(ends.map((v) => Number(v.toPrecision(6))));
  }

  private hovered(u: uPlot): void {
    const spec = this.spec;
    const { left = -1, top = -1 } = u.cursor;
    if (!spec || left < 0 || top < 0) {
      this.onRead(null, false);
      return;
    }
    let best = { line: -1, index: 0, distance: 32 * 32 };
    spec.selection.lines.forEach((line, l) => {
      const near = nearestIndex(line, u.posToVal(left, "x"));
      for (let index = Math.max(0, near - 1); index <= Math.min(line.points.length - 1, near + 1); ++index) {
        const point = line.points[index]!;
        const distance = (u.valToPos(point.x, "x") - left) ** 2 + (u.valToPos(point.y, "y") - top) ** 2;
        if (distance < best.distance) best = { line: l, index, distance };
      }
    });
    if (best.line < 0) this.onRead(null, false);
    else this.tell(best.line, best.index, false);
  }

  private tell(l: number, index: number, spoken: boolean): void {
    const spec = this.spec!;
    const line = spec.selection.lines[l]!;
    const point = line.points[index]!;
    const u = this.plot!;
    this.onRead({
      line, index, colour: colourOf(spec, l), text: readingText(spec, line, index),
      left: u.valToPos(point.x, "x") + u.over.offsetLeft, top: u.valToPos(point.y, "y") + u.over.offsetTop,
    }, spoken);
  }
}

function nearestIndex(line: Line, x: number): number {
  let low = 0;
  let high = line.points.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (line.points[middle]!.x < x) low = middle + 1;
    else high = middle;
  }
  return low;
}
